"""The blind index: finds records by keyed terms without showing at rest which of them share one.

Every term has its own posting list. A posting's label is keyed over term and counter; its value is masked. Only a
query for a known term, made with the index key, reveals how many postings it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from registry.crypto.derive import derive
from registry.crypto.postings import (
    LABEL_BYTES,
    LIST_KEY_BYTES,
    PAYLOAD_BYTES,
    VALUE_BYTES,
    PostingKey,
    PostingList,
    is_tombstone,
    pack_payload,
    unpack_payload,
)
from registry.crypto.tags import TagKey
from registry.domain.errors import EnvelopeRejected, LedgerCorrupt

# Most terms of a text have no posting at all: they cost one label. The others are read in few rounds.
_SECOND_CHUNK = 2  # most of the others have one
_CHUNK_GROWTH = 16
_COMMON = 8  # postings from which a list's end is remembered
_MOST_HINTS = 20_000
# One posting made ready: the first label of its list, its value should it be the first there, payload, list keys.
_FIRST_VALUE = LABEL_BYTES
_PAYLOAD = _FIRST_VALUE + VALUE_BYTES
_KEYS = _PAYLOAD + PAYLOAD_BYTES
_READY_BYTES = _KEYS + LIST_KEY_BYTES


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


class IndexTerm(NamedTuple):
    """A term as it is keyed: the kind separates domains, the text is canonical.

    A tuple and not a dataclass: an enrollment hashes and sorts two dozen of them.
    """

    kind: str
    text: str

    def encode(self) -> bytes:
        """Return injective bytes."""
        return f"{self.kind}\0{self.text}".encode()

    def __repr__(self) -> str:
        """Show the kind; the text is somebody's."""
        return f"IndexTerm(kind={self.kind!r})"


@dataclass(frozen=True, slots=True)
class Posting:
    """What one posting says: this version of this record (or directory of this subject) has the term."""

    target: str
    version: int


class BlindIndex:
    """Adds and looks up keyed terms."""

    def __init__(self, index_key: bytes) -> None:
        self._key = index_key
        self._tags: dict[str, TagKey] = {}
        self._lists = PostingKey(index_key)
        # Where the lists of common words ended lately, by first label. Only a hint, checked whenever it is used: the
        # transaction that saw this end may have been rolled back, and other processes append as well.
        self._hints: dict[bytes, int] = {}

    @classmethod
    def of(cls, index_secret: bytes) -> BlindIndex:
        """Return the index of a registry, given its index secret."""
        return cls(derive(index_secret, "registry/blind-index/v1"))

    def tag(self, domain: str, data: bytes) -> bytes:
        """Return a 16-byte keyed tag for equality within one domain."""
        key = self._tags.get(domain)
        if key is None:  # domains are few and written in the code
            key = self._tags[domain] = TagKey(self._key, domain)
        return key.tag(data)

    def list_of(self, term: IndexTerm | bytes) -> PostingList:
        """Return the list of a term, given the term or what ``PostingList.keys`` was of it."""
        return PostingList(term) if isinstance(term, bytes) else self._lists.list_of(term.encode())

    def keys_of(self, term: IndexTerm) -> bytes:
        """Return the keys of a term's list, for ``list_of``: to be kept sealed where the term itself is not."""
        return self._lists.list_of(term.encode()).keys

    def ready(self, terms: Iterable[tuple[IndexTerm, Posting]]) -> bytes:
        """Do for some postings whatever can be done without a database, before a transaction holds others up.

        Returns:
            What ``add_ready`` takes, to be joined with others. It holds keys of these terms' lists: never to be stored.
        """
        parts: list[bytes] = []
        for term, posting in terms:
            postings = self._lists.list_of(term.encode())
            payload = pack_payload(posting.target, posting.version)
            parts += (postings.label(0), postings.seal(0, payload), payload, postings.keys)
        return b"".join(parts)

    def add(self, store: PostingWriter, terms: Iterable[tuple[IndexTerm, Posting]]) -> None:
        """Append postings to the lists of their terms."""
        self.add_ready(store, self.ready(terms))

    def add_ready(self, store: PostingWriter, ready: bytes) -> None:
        """Append postings that ``ready`` made.

        One round of probing serves all lists: they are short for all but common words.
        """
        groups: dict[bytes, list[int]] = {}
        for at in range(0, len(ready), _READY_BYTES):
            groups.setdefault(ready[at : at + LABEL_BYTES], []).append(at)
        lists = _ListsOf(ready, {first: places[0] for first, places in groups.items()})
        ends = self._ends(store, lists)
        rows: list[tuple[bytes, bytes]] = []
        for first, places in groups.items():
            start = ends[first]
            if start == 0:
                rows.append((first, ready[places[0] + _FIRST_VALUE : places[0] + _PAYLOAD]))
            for counter, at in enumerate(places[start == 0 :], start or 1):
                postings = lists[first]
                rows.append((postings.label(counter), postings.seal(counter, ready[at + _PAYLOAD : at + _KEYS])))
            ends[first] = start + len(places)
        rows.sort()  # in the order of the table: each of its pages is visited once
        store.add(rows)
        self._note({first: end for first, end in ends.items() if end >= _COMMON})

    def look_up(
        self, store: PostingStore, terms: Iterable[IndexTerm], *, cap: int
    ) -> dict[IndexTerm, tuple[Posting, ...]]:
        """Return the postings of each term, at most ``cap`` a term; terms without any are left out.

        Raises:
            LedgerCorrupt: a posting was changed.
        """
        wanted = list(dict.fromkeys(terms))
        firsts = self._lists.first_labels([f"{kind}\0{text}".encode() for kind, text in wanted])
        values = store.values(firsts)
        found: dict[IndexTerm, list[Posting]] = {}
        open_lists: dict[IndexTerm, PostingList] = {}
        for term, label in zip(wanted, firsts, strict=True):
            value = values.get(label)
            if value is not None and cap > 0:
                postings = open_lists[term] = self._lists.list_of(term.encode())
                self._collect(postings, 0, value, found.setdefault(term, []))
        start, chunk = 1, _SECOND_CHUNK
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
            open_lists, start, chunk = going_on, stop, chunk * _CHUNK_GROWTH
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

    def _ends(self, store: PostingStore, lists: _ListsOf) -> dict[bytes, int]:
        """Return the first free counter of each list, by its first label.

        A list has no gaps: where one posting is, all before it are. So a hint holds if the counter before it is taken
        and its own is free; from there, or else from nothing, gallop and bisect, one select a round for all lists.
        """
        hints = {first: hint for first in lists.firsts if (hint := self._hints.get(first)) is not None}
        before = {first: lists[first].label(hint - 1) for first, hint in hints.items()}
        at_hint = {first: lists[first].label(hint) for first, hint in hints.items()}
        unknown = [first for first in lists.firsts if first not in hints]
        taken = store.values([*unknown, *before.values(), *at_hint.values()])
        ends = {first: 0 for first in unknown if first not in taken}
        spans: dict[bytes, _Span] = {first: _Span(1) for first in unknown if first in taken}
        for first, hint in hints.items():
            if before[first] not in taken:
                spans[first] = _Span(0, hint - 1)
            elif at_hint[first] in taken:
                spans[first] = _Span(hint + 1)
            else:
                ends[first] = hint
        while spans:
            labels = {first: lists[first].label(span.probe) for first, span in spans.items()}
            taken = store.values(list(labels.values()))
            spans = {first: span.after(labels[first] in taken) for first, span in spans.items()}
            ends |= {first: span.low for first, span in spans.items() if span.low == span.high}
            spans = {first: span for first, span in spans.items() if span.low != span.high}
        return ends

    def _note(self, ends: Mapping[bytes, int]) -> None:
        if len(self._hints) + len(ends) > _MOST_HINTS:
            self._hints = {}
        self._hints.update(ends)


class _ListsOf:
    """The lists of ready postings by first label, made when one is asked for: most are not."""

    __slots__ = ("_made", "_places", "_ready")

    def __init__(self, ready: bytes, places: Mapping[bytes, int]) -> None:
        self._ready = ready
        self._places = places
        self._made: dict[bytes, PostingList] = {}

    @property
    def firsts(self) -> Iterable[bytes]:
        return self._places.keys()

    def __getitem__(self, first: bytes) -> PostingList:
        made = self._made.get(first)
        if made is None:
            at = self._places[first]
            made = self._made[first] = PostingList(self._ready[at + _KEYS : at + _READY_BYTES])
        return made


class _Span(NamedTuple):
    """Where a list ends: every counter below ``low`` is taken; ``high``, where known, is free."""

    low: int
    high: int | None = None
    step: int = 1

    @property
    def probe(self) -> int:
        if self.high is None:
            return self.low - 1 + self.step
        return (self.low + self.high) // 2

    def after(self, is_taken: bool) -> _Span:  # noqa: FBT001 - a fact that was read, not a choice of behaviour
        if is_taken:
            return _Span(self.probe + 1, self.high, self.step * 2)
        return _Span(self.low, self.probe, self.step)
