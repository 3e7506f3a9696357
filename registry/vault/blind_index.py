"""The blind index: finds records by keyed terms without showing at rest which of them share one.

Every term has its own posting list. A posting's label is keyed over term and counter; its value is masked. Only a
query for a known term, made with the index key, reveals how many postings it has. See ``generations``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from registry.crypto.tag_seal import TagSeal
from registry.crypto.tags import TagKey
from registry.domain.errors import EnvelopeRejected, LedgerCorrupt
from registry.vault.generations import (
    FIRST,
    NUMBER_BYTES,
    Generation,
    GenerationLists,
    IndexSecrets,
    OpenedGenerations,
    Part,
)

# Most terms of a text have no posting at all: they cost one label. The others are read in few rounds.
_SECOND_CHUNK = 1  # most of the others have one
_CHUNK_GROWTH = 32
_COMMON = 8  # postings from which a list's end is remembered
_MOST_HINTS = 20_000
# One posting made ready: for which generation, the first label of its list there, its value should it be the first
# there, payload, and the keys of its list in the first generation.
_FIRST_LABEL = NUMBER_BYTES
_FIRST_VALUE = _FIRST_LABEL + LABEL_BYTES
_PAYLOAD = _FIRST_VALUE + VALUE_BYTES
_KEYS = _PAYLOAD + PAYLOAD_BYTES
_READY_BYTES = _KEYS + LIST_KEY_BYTES


class PostingStore(Protocol):
    """Where postings are kept."""

    def standing(self) -> Sequence[Generation]:
        """Return the generations that stand in this transaction, the current one first."""
        ...

    def values(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return the values of those labels that exist."""
        ...


class PostingWriter(PostingStore, Protocol):
    """Where postings are added, inside a transaction."""

    def add(self, rows: Sequence[tuple[bytes, bytes]], generation: int) -> None:
        """Insert postings of a generation; a label that exists already fails the transaction."""
        ...

    def owned_until(self, targets: Iterable[str], cursor: str) -> frozenset[str]:
        """Return those of some records and subjects whose subject is not behind a cursor."""
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


class Posting(NamedTuple):
    """What one posting says: this version of this record (or directory of this subject) has the term."""

    target: str
    version: int


class BlindIndex:
    """Adds and looks up keyed terms."""

    def __init__(self, index_key: bytes, secrets: IndexSecrets | None = None) -> None:
        self._key = index_key
        self._tags: dict[str, TagKey] = {}
        self._lists = PostingKey(index_key)
        self._generations = OpenedGenerations(secrets)
        # The generation that was current lately: postings are made ready for it. Only a guess, checked when they are
        # added.
        self._latest = self._generations.lists(Generation(FIRST, Part.CURRENT, 0, None))
        # Where the lists of common words ended lately, by first label. Only a hint, checked whenever it is used: the
        # transaction that saw this end may have been rolled back, and other processes append as well.
        self._hints: dict[bytes, int] = {}

    @classmethod
    def of(cls, index_secret: bytes, secrets: IndexSecrets | None = None) -> BlindIndex:
        """Return the index of a registry, given its index secret and what opens those of later generations."""
        return cls(derive(index_secret, "registry/blind-index/v1"), secrets)

    def tag(self, domain: str, data: bytes) -> bytes:
        """Return a 16-byte keyed tag for equality within one domain."""
        key = self._tags.get(domain)
        if key is None:  # domains are few and written in the code
            key = self._tags[domain] = TagKey(self._key, domain)
        return key.tag(data)

    def keys_of(self, term: IndexTerm | bytes) -> bytes:
        """Return what a term's lists are made of in every generation, to be kept sealed where the term is not.

        Args:
            term: the term, or what this was of it.
        """
        return term if isinstance(term, bytes) else self._lists.list_of(term.encode()).keys

    def lists_in(self, generation: Generation) -> GenerationLists:
        """Return the lists of a generation.

        Raises:
            EnvelopeRejected: its stored secret was changed.
            KeyUnavailable: its secret cannot be opened now.
        """
        return self._generations.lists(generation)

    def tag_seal(self, generation: Generation) -> TagSeal | None:
        """Return what tags are kept sealed by under a generation; None for the first: they are kept as they are made.

        Raises:
            EnvelopeRejected, KeyUnavailable: as ``lists_in``.
        """
        return self.lists_in(generation).tags

    def ready(self, terms: Iterable[tuple[IndexTerm | bytes, Posting]], generation: Generation | None = None) -> bytes:
        """Do for some postings whatever can be done without a database, before a transaction holds others up.

        Args:
            terms: which terms who has; of one that is not kept, its ``keys_of``.
            generation: which they will be added to, where it is not the current one.

        Returns:
            What ``add_ready`` takes, to be joined with others. It holds keys of these terms' lists: never to be stored.

        Raises:
            EnvelopeRejected, KeyUnavailable: as ``lists_in``, of a given generation.
        """
        latest = self._latest if generation is None else self.lists_in(generation)
        number = latest.number.to_bytes(NUMBER_BYTES, "big")
        parts: list[bytes] = []
        for term, posting in terms:
            keys = self.keys_of(term)
            postings = latest.of(keys)
            payload = pack_payload(posting.target, posting.version)
            parts += (number, postings.label(0), postings.seal(0, payload), payload, keys)
        return b"".join(parts)

    def add(self, store: PostingWriter, terms: Iterable[tuple[IndexTerm, Posting]]) -> None:
        """Append postings to the lists of their terms."""
        self.add_ready(store, self.ready(terms))

    def add_ready(self, store: PostingWriter, ready: bytes) -> None:
        """Append postings that ``ready`` made; to the next generation's lists too, where those are whole.

        Of a next generation that is made of the values: those of people whose values were read for it already.

        One round of probing serves all lists: they are short for all but common words.

        Raises:
            LedgerCorrupt: the state of the index was changed.
            EnvelopeRejected: as ``lists_in``.
            KeyUnavailable: as ``lists_in``.
        """
        current, *others = store.standing()
        self._latest = self.lists_in(current)
        groups = _groups(ready, range(0, len(ready), _READY_BYTES))
        batch = _Batch(ready, groups, self._latest)
        ends = self.ends(store, batch.lists)
        following = [one for one in others if one.part is Part.NEXT]
        for one in following:
            if one.is_made:
                self._add_to(store, ready, _read_for(store, ready, one), one)
        images = [_Batch(ready, groups, self.lists_in(one)) for one in following if not one.is_made]
        for image in images:
            theirs = self.ends(store, image.lists)
            # Where it is not whole, what is appended now is copied with the rest.
            whole = [keys for keys, first in image.firsts.items() if theirs[first] == ends[batch.firsts[keys]]]
            self._append(store, image, theirs, whole)
        self._append(store, batch, ends, groups)

    def add_to(self, store: PostingWriter, ready: bytes, generation: Generation) -> int:
        """Append postings that ``ready`` made to one generation alone; returns how many they are.

        Raises:
            EnvelopeRejected, KeyUnavailable: as ``lists_in``.
        """
        places = range(0, len(ready), _READY_BYTES)
        self._add_to(store, ready, places, generation)
        return len(places)

    def _add_to(self, store: PostingWriter, ready: bytes, places: Iterable[int], generation: Generation) -> None:
        groups = _groups(ready, places)
        batch = _Batch(ready, groups, self.lists_in(generation))
        self._append(store, batch, self.ends(store, batch.lists), groups)

    def _append(self, store: PostingWriter, batch: _Batch, ends: Mapping[bytes, int], wanted: Iterable[bytes]) -> None:
        rows: list[tuple[bytes, bytes]] = []
        noted: dict[bytes, int] = {}
        for keys in wanted:
            start = ends[batch.firsts[keys]]
            made = batch.rows(keys, start)
            rows += made
            if start + len(made) >= _COMMON:
                noted[batch.firsts[keys]] = start + len(made)
        rows.sort()  # in the order of the table: each of its pages is visited once
        store.add(rows, batch.number)
        self._note(noted)

    def look_up(
        self, store: PostingStore, terms: Iterable[IndexTerm], *, cap: int
    ) -> dict[IndexTerm, tuple[Posting, ...]]:
        """Return the postings of each term, at most ``cap`` a term; terms without any are left out.

        Raises:
            LedgerCorrupt: a posting was changed, or the state of the index.
            EnvelopeRejected: as ``lists_in``.
            KeyUnavailable: as ``lists_in``.
        """
        wanted, current = list(dict.fromkeys(terms)), store.standing()[0]
        while True:
            found = self._look_up(store, self.lists_in(current), wanted, cap)
            # What writes sees each statement's own state: the postings may have been removed behind the first one.
            before, current = current, store.standing()[0]
            if current.number == before.number:
                return found

    def _look_up(
        self, store: PostingStore, lists: GenerationLists, wanted: Sequence[IndexTerm], cap: int
    ) -> dict[IndexTerm, tuple[Posting, ...]]:
        firsts = lists.first_labels(self._lists, [f"{kind}\0{text}".encode() for kind, text in wanted])
        values = store.values(firsts)
        found: dict[IndexTerm, list[Posting]] = {}
        open_lists: dict[IndexTerm, PostingList] = {}
        for term, label in zip(wanted, firsts, strict=True):
            value = values.get(label)
            if value is not None and cap > 0:
                postings = open_lists[term] = lists.of(self.keys_of(term))
                self._collect(postings, 0, value, found.setdefault(term, []))
        start, chunk = 1, _SECOND_CHUNK
        while open_lists and start < cap:
            stop = min(start + chunk, cap)
            labels = {term: postings.labels(start, stop - start) for term, postings in open_lists.items()}
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

    def ends(self, store: PostingStore, lists: Mapping[bytes, PostingList]) -> dict[bytes, int]:
        """Return the first free counter of each list, by its first label.

        A list has no gaps: where one posting is, all before it are. So a hint holds if the counter before it is taken
        and its own is free; from there, or else from nothing, gallop and bisect, one select a round for all lists.
        """
        hints = {first: hint for first in lists if (hint := self._hints.get(first)) is not None}
        before = {first: lists[first].label(hint - 1) for first, hint in hints.items()}
        at_hint = {first: lists[first].label(hint) for first, hint in hints.items()}
        unknown = [first for first in lists if first not in hints]
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


def _groups(ready: bytes, places: Iterable[int]) -> dict[bytes, list[int]]:
    """Return places of ready postings by the keys of their lists."""
    groups: dict[bytes, list[int]] = {}
    for at in places:
        groups.setdefault(ready[at + _KEYS : at + _READY_BYTES], []).append(at)
    return groups


def _read_for(store: PostingWriter, ready: bytes, generation: Generation) -> list[int]:
    """Return the places of those ready postings whose people stand in a generation that is being made."""
    targets = {at: unpack_payload(ready[at + _PAYLOAD : at + _KEYS])[0] for at in range(0, len(ready), _READY_BYTES)}
    there = store.owned_until(sorted(set(targets.values())), generation.cursor)
    return [at for at, target in targets.items() if target in there]


class _Batch:
    """Ready postings as one generation takes them, in groups by the keys of their lists."""

    __slots__ = ("_groups", "_lists", "_ready", "firsts", "lists", "number")

    def __init__(self, ready: bytes, groups: Mapping[bytes, list[int]], lists: GenerationLists) -> None:
        self._ready = ready
        self._groups = groups
        self._lists = lists
        self.number = lists.number
        self.firsts = {keys: self._first(keys, places[0]) for keys, places in groups.items()}
        self.lists = _ListsOf(lists, {first: keys for keys, first in self.firsts.items()})

    def rows(self, keys: bytes, start: int) -> list[tuple[bytes, bytes]]:
        """Return the rows of a list's new postings, the first of which gets the number ``start``."""
        first, places = self.firsts[keys], self._groups[keys]
        rows: list[tuple[bytes, bytes]] = []
        if start == 0 and self._is_made(places[0]):
            rows.append((first, self._ready[places[0] + _FIRST_VALUE : places[0] + _PAYLOAD]))
        for counter, at in enumerate(places[len(rows) :], start + len(rows)):
            postings = self.lists[first]
            rows.append((postings.label(counter), postings.seal(counter, self._ready[at + _PAYLOAD : at + _KEYS])))
        return rows

    def _first(self, keys: bytes, at: int) -> bytes:
        if self._is_made(at):
            return self._ready[at + _FIRST_LABEL : at + _FIRST_VALUE]
        return self._lists.of(keys).label(0)

    def _is_made(self, at: int) -> bool:
        return int.from_bytes(self._ready[at : at + NUMBER_BYTES], "big") == self.number


class _ListsOf(Mapping[bytes, PostingList]):
    """Lists by first label, made when one is asked for: most are not."""

    __slots__ = ("_keys", "_lists", "_made")

    def __init__(self, lists: GenerationLists, keys: Mapping[bytes, bytes]) -> None:
        self._lists = lists
        self._keys = keys
        self._made: dict[bytes, PostingList] = {}

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, first: bytes) -> PostingList:
        made = self._made.get(first)
        if made is None:
            made = self._made[first] = self._lists.of(self._keys[first])
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
