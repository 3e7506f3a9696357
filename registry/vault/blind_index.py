"""The blind index: finds records by keyed terms without showing at rest which of them share one.

Every term has its own posting list. A posting's label is keyed over term and counter; its value is masked. Only a
query for a known term, made with the index key, reveals how many postings it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from registry.crypto.postings import PostingList, is_tombstone, pack_payload, unpack_payload
from registry.crypto.tags import keyed_tag
from registry.domain.errors import EnvelopeRejected, LedgerCorrupt

_FIRST_CHUNK = 4


class PostingStore(Protocol):
    """Where postings are kept."""

    def values(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return the values of those labels that exist."""
        ...


class PostingWriter(PostingStore, Protocol):
    """Where postings are added, inside a transaction."""

    def add(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        """Insert postings; a label that exists already fails the transaction."""
        ...


@dataclass(frozen=True, slots=True)
class IndexTerm:
    """A term as it is keyed: the kind separates domains, the text is canonical."""

    kind: str
    text: str = field(repr=False)

    def encode(self) -> bytes:
        """Return injective bytes."""
        return self.kind.encode() + b"\0" + self.text.encode()


@dataclass(frozen=True, slots=True)
class Posting:
    """What one posting says: this version of this record (or directory of this subject) has the term."""

    target: str
    version: int


class BlindIndex:
    """Adds and looks up keyed terms."""

    def __init__(self, index_key: bytes) -> None:
        self._key = index_key

    def tag(self, domain: str, data: bytes) -> bytes:
        """Return a 16-byte keyed tag for equality within one domain."""
        return keyed_tag(self._key, domain, data)

    def add(self, store: PostingWriter, terms: Iterable[tuple[IndexTerm, Posting]]) -> None:
        """Append postings to the lists of their terms.

        One round of probing serves all terms: lists are short for all but common words.
        """
        wanted = list(terms)
        lists = {term: PostingList(self._key, term.encode()) for term, _ in wanted}
        ends = self._ends(store, lists)
        rows: list[tuple[bytes, bytes]] = []
        for term, posting in wanted:
            counter = ends[term]
            ends[term] = counter + 1
            payload = pack_payload(posting.target, posting.version)
            rows.append((lists[term].label(counter), lists[term].seal(counter, payload)))
        store.add(rows)

    def look_up(
        self, store: PostingStore, terms: Iterable[IndexTerm], *, cap: int
    ) -> dict[IndexTerm, tuple[Posting, ...]]:
        """Return the postings of each term, at most ``cap`` a term; terms without any are left out.

        Raises:
            LedgerCorrupt: a posting was changed.
        """
        open_lists = {term: PostingList(self._key, term.encode()) for term in terms}
        found: dict[IndexTerm, list[Posting]] = {}
        start, chunk = 0, _FIRST_CHUNK
        while open_lists and start < cap:
            stop = min(start + chunk, cap)
            labels = {
                term: [postings.label(counter) for counter in range(start, stop)]
                for term, postings in open_lists.items()
            }
            values = store.values([label for group in labels.values() for label in group])
            going_on = {}
            for term, postings in open_lists.items():
                present = [values.get(label) for label in labels[term]]
                count = present.index(None) if None in present else len(present)
                for step in range(count):
                    self._collect(postings, start + step, present[step], found.setdefault(term, []))
                if count == len(present):
                    going_on[term] = postings
            open_lists, start, chunk = going_on, stop, chunk * 4
        return {term: tuple(postings) for term, postings in found.items() if postings}

    def _collect(self, postings: PostingList, counter: int, value: bytes | None, into: list[Posting]) -> None:
        if value is None:
            return
        try:
            payload = postings.open(counter, value)
        except EnvelopeRejected as exc:
            raise LedgerCorrupt("a posting of the blind index was changed") from exc
        if not is_tombstone(payload):
            into.append(Posting(*unpack_payload(payload)))

    def _ends(self, store: PostingStore, lists: Mapping[IndexTerm, PostingList]) -> dict[IndexTerm, int]:
        """Return the first free counter of each list: gallop, then bisect, one select a round for all lists."""
        low = dict.fromkeys(lists, 0)  # every counter below is taken
        high: dict[IndexTerm, int] = {}  # this counter is free
        probe = dict.fromkeys(lists, 0)
        while probe:
            labels = {term: lists[term].label(counter) for term, counter in probe.items()}
            values = store.values(list(labels.values()))
            following: dict[IndexTerm, int] = {}
            for term, counter in probe.items():
                if labels[term] in values:
                    low[term] = counter + 1
                else:
                    high[term] = counter
                if term not in high:
                    following[term] = 2 * counter + 1
                elif low[term] < high[term]:
                    following[term] = (low[term] + high[term]) // 2
            probe = following
        return low
