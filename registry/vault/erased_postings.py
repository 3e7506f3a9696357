"""Erasing from the blind index: postings are written over by tombstones, and a list's last ones are taken away.

A list is read until its first gap, so one in the middle stays, with nothing in it. Where nobody else shares a term,
nothing of its list stays. While the index goes from one secret to another, both generations are erased from: a list of
the other one is the beginning of the same list, so a posting has the same number there, or is not there. Where the
later one is made of the values, numbers say nothing of each other, and it is looked for in each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from registry.crypto.postings import TOMBSTONE, PostingList, is_tombstone, unpack_payload
from registry.domain.errors import EnvelopeRejected, LedgerCorrupt
from registry.vault.blind_index import BlindIndex, IndexTerm, Posting, PostingStore
from registry.vault.generations import Generation, GenerationLists, Part

_CHUNK = 512


class PostingEraser(PostingStore, Protocol):
    """Where postings are erased, inside a transaction that holds the ledger's head."""

    def overwrite(
        self, before: Sequence[tuple[bytes, bytes]], after: Sequence[tuple[bytes, bytes]], generation: int
    ) -> None:
        """Write over postings of a generation, and remove those that have nothing afterwards."""
        ...


# A term, or ``BlindIndex.keys_of`` one that is not kept.
TermKey = IndexTerm | bytes


@dataclass(frozen=True, slots=True)
class Places:
    """Where some targets stand in the lists of one term: what each number says of them.

    Attributes:
        name: as asked for.
        keys: ``BlindIndex.keys_of`` it.
        found: in the generation that was looked in; in an image of it, a number says the same or nothing.
    """

    name: TermKey = field(repr=False)
    keys: bytes = field(repr=False)
    found: Mapping[int, Posting]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where some targets stand in the index.

    Attributes:
        generation: the number of the one that was current.
        keys: of every list that was looked in.
        targets: ids of records and subjects.
        places: what was found.
    """

    generation: int
    keys: frozenset[bytes] = field(repr=False)
    targets: AbstractSet[str]
    places: Sequence[Places]


@dataclass(frozen=True, slots=True)
class Wiped:
    """How many postings were written over and stay as tombstones, and how many are gone; of the current generation."""

    tombstones: int
    removed: int


def places_of(
    index: BlindIndex, store: PostingStore, names: Iterable[TermKey], targets: AbstractSet[str]
) -> Whereabouts:
    """Find the postings of some targets, however long the lists are. A place never changes, so no lock is needed.

    Args:
        index: of the registry.
        store: committed postings.
        names: every term that the targets may have.
        targets: ids of records and subjects.

    Raises:
        LedgerCorrupt: a posting was changed.
        KeyUnavailable: the secret of the index cannot be opened now.
    """
    current = store.standing()[0]
    named = [(name, index.keys_of(name)) for name in names]
    places = _places_in(index, store, current, named, targets)
    return Whereabouts(current.number, frozenset(keys for _, keys in named), targets, places)


def wipe(index: BlindIndex, store: PostingEraser, where: Whereabouts) -> Wiped:
    """Write over what ``places_of`` found, in every generation that stands.

    Raises:
        LedgerCorrupt: a posting was changed.
        KeyUnavailable: the secret of a generation cannot be opened now.
    """
    current, *others = standing = store.standing()
    wiping = _Wiping(store, index.lists_in(current))
    images = others if _is_image(standing) else []
    followers = [_Wiping(store, index.lists_in(one)) for one in images]
    for place in _looked_up(index, store, current, where):
        cut = wiping.wipe(place)
        for follower in followers:
            follower.follow(place, cut)
    followers += [_wiped_apart(index, store, one, where) for one in others if one not in images]
    for follower in followers:
        follower.store()
    return wiping.store()


def _is_image(standing: Sequence[Generation]) -> bool:
    """Tell whether numbers say the same in both generations that stand."""
    return not max(standing, key=lambda one: one.number).is_made


def _wiped_apart(index: BlindIndex, store: PostingEraser, other: Generation, where: Whereabouts) -> _Wiping:
    """Write over what stands in a generation that has numbers of its own."""
    wiping = _Wiping(store, index.lists_in(other))
    for place in _looked_up(index, store, other, where):
        if other.part is Part.NEXT:
            wiping.wipe(place)
        else:
            wiping.follow(place, None)  # some of it is removed already, and the rest will be
    return wiping


def _looked_up(index: BlindIndex, store: PostingStore, generation: Generation, where: Whereabouts) -> Sequence[Places]:
    """Return the places in a generation: as known, or looked for again while the ledger's head is held."""
    standing = store.standing()
    is_there = where.generation in {one.number for one in standing}
    if where.generation == generation.number or (is_there and _is_image(standing)):
        return where.places
    return _places_in(index, store, generation, [(keys, keys) for keys in where.keys], where.targets)


def _places_in(
    index: BlindIndex,
    store: PostingStore,
    generation: Generation,
    named: Iterable[tuple[TermKey, bytes]],
    targets: AbstractSet[str],
) -> list[Places]:
    lists = index.lists_in(generation)
    places = [Places(name, keys, dict(_found(store, lists.of(keys), targets))) for name, keys in named]
    return [one for one in places if one.found]


class _Wiping:
    """What is done to the postings of one generation."""

    def __init__(self, store: PostingEraser, lists: GenerationLists) -> None:
        self._store = store
        self._lists = lists
        self._before: dict[bytes, bytes] = {}
        self._after: dict[bytes, bytes] = {}

    def wipe(self, one: Places) -> int | None:
        """Write over postings, all of which must be there; returns from which number on the list is cut off."""
        postings, last = self._lists.of(one.keys), max(one.found)
        values = self._values(postings, [*one.found, last + 1])
        for number, said in one.found.items():
            self._write_over(postings, number, values.get(number), said)
        return None if last + 1 in values else self._cut(postings, one)

    def follow(self, one: Places, cut: int | None) -> None:
        """Write over those postings that are there, and cut the list off where the current one was."""
        postings = self._lists.of(one.keys)
        values = self._values(postings, one.found)
        for number, value in values.items():
            self._write_over(postings, number, value, one.found[number])
        if cut is None:
            return
        for number in count(cut):
            present = self._values(postings, [number])
            if not present:
                return
            self._take_away(postings.label(number), present[number])

    def store(self) -> Wiped:
        """Store all of it."""
        tombstones = len(self._after)
        self._store.overwrite(list(self._before.items()), list(self._after.items()), self._lists.number)
        return Wiped(tombstones, len(self._before) - tombstones)

    def _values(self, postings: PostingList, numbers: Iterable[int]) -> dict[int, bytes]:
        labels = {number: postings.label(number) for number in numbers}
        values = self._store.values(list(labels.values()))
        return {number: values[label] for number, label in labels.items() if label in values}

    def _write_over(self, postings: PostingList, number: int, value: bytes | None, said: Posting) -> None:
        if value is None or _opened(postings, number, value) != said:
            raise LedgerCorrupt("a posting of the blind index was changed")
        label = postings.label(number)
        self._before[label] = value
        self._after[label] = postings.seal(number, TOMBSTONE)

    def _take_away(self, label: bytes, value: bytes) -> None:
        self._before.setdefault(label, value)
        self._after.pop(label, None)

    def _cut(self, postings: PostingList, one: Places) -> int:
        """Take away the end of a list as far as nothing stands in it, earlier tombstones too; returns where it ends."""
        number = max(one.found)
        while number >= 0:
            label = postings.label(number)
            value = self._before.get(label) if number in one.found else self._values(postings, [number]).get(number)
            if value is None or (number not in one.found and _opened(postings, number, value) is not None):
                break
            self._take_away(label, value)
            number -= 1
        return number + 1


def _found(store: PostingStore, postings: PostingList, targets: AbstractSet[str]) -> Iterable[tuple[int, Posting]]:
    start = 0
    while True:
        labels = [postings.label(start + step) for step in range(_CHUNK if start else 8)]
        values = store.values(labels)
        for step, label in enumerate(labels):
            if label not in values:
                return
            posting = _opened(postings, start + step, values[label])
            if posting is not None and posting.target in targets:
                yield start + step, posting
        start += len(labels)


def _opened(postings: PostingList, number: int, value: bytes) -> Posting | None:
    try:
        payload = postings.open(number, value)
    except EnvelopeRejected as exc:
        raise LedgerCorrupt("a posting of the blind index was changed") from exc
    return None if is_tombstone(payload) else Posting(*unpack_payload(payload))
