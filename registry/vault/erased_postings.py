"""Erasing from the blind index: postings are written over by tombstones, and a list's last ones are taken away.

A list is read until its first gap, so one in the middle stays, with nothing in it. Where nobody else shares a term,
nothing of its list stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from registry.crypto.postings import TOMBSTONE, PostingList, is_tombstone, unpack_payload
from registry.domain.errors import EnvelopeRejected, LedgerCorrupt
from registry.vault.blind_index import IndexTerm, Posting, PostingStore

_CHUNK = 512


class PostingEraser(PostingStore, Protocol):
    """Where postings are erased, inside a transaction that holds the ledger's head."""

    def overwrite(self, before: Sequence[tuple[bytes, bytes]], after: Sequence[tuple[bytes, bytes]]) -> None:
        """Write over postings, and remove those that have nothing afterwards."""
        ...


# A term, or the keys of a list whose term is not kept.
TermKey = IndexTerm | bytes
Lists = Mapping[TermKey, PostingList]


@dataclass(frozen=True, slots=True)
class Places:
    """Where some targets stand in one list: what each counter says of them."""

    name: TermKey = field(repr=False)
    postings: PostingList = field(repr=False)
    found: Mapping[int, Posting]


@dataclass(frozen=True, slots=True)
class Wiped:
    """How many postings were written over and stay as tombstones, and how many are gone."""

    tombstones: int
    removed: int


def places_of(store: PostingStore, lists: Lists, targets: AbstractSet[str]) -> list[Places]:
    """Find the postings of some targets, however long the lists are. A place never changes, so no lock is needed.

    Args:
        store: committed postings.
        lists: of every term that the targets may have.
        targets: ids of records and subjects.

    Raises:
        LedgerCorrupt: a posting was changed.
    """
    places = [Places(name, one, dict(_found(store, one, targets))) for name, one in lists.items()]
    return [one for one in places if one.found]


def wipe(store: PostingEraser, places: Iterable[Places]) -> Wiped:
    """Write over what ``places_of`` found.

    Raises:
        LedgerCorrupt: a posting was changed.
    """
    before: dict[bytes, bytes] = {}
    after: dict[bytes, bytes] = {}
    for one in places:
        numbers = sorted(one.found)
        labels = {number: one.postings.label(number) for number in (*numbers, numbers[-1] + 1)}
        values = store.values(list(labels.values()))
        for number in numbers:
            label = labels[number]
            if label not in values or _opened(one.postings, number, values[label]) != one.found[number]:
                raise LedgerCorrupt("a posting of the blind index was changed")
            before[label] = values[label]
            after[label] = one.postings.seal(number, TOMBSTONE)
        if labels[numbers[-1] + 1] not in values:
            _cut(store, one, before, after)
    tombstones = len(before.keys() & after.keys())
    store.overwrite(list(before.items()), list(after.items()))
    return Wiped(tombstones, len(before) - len(after))


def _cut(store: PostingStore, one: Places, before: dict[bytes, bytes], after: dict[bytes, bytes]) -> None:
    """Take away the end of a list as far as nothing stands in it, earlier tombstones too."""
    number = max(one.found)
    while number >= 0:
        label = one.postings.label(number)
        if number not in one.found:
            value = store.values([label]).get(label)
            if value is None or _opened(one.postings, number, value) is not None:
                return
            before[label] = value
        after.pop(label, None)
        number -= 1


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
