"""Filling the next generation of the blind index: lists are copied number by number, each value sealed anew.

What stands in no posting is the term, so somebody has to name it; but a list that is named is copied whole, whoever
else stands in it. A list of the next generation is at any time the beginning of the current one's, so a copy that was
cut off goes on where it ended, and the generations are equal once they have equally many postings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from registry.crypto.postings import PostingList
from registry.domain.errors import EnvelopeRejected, LedgerCorrupt
from registry.vault.blind_index import BlindIndex, PostingWriter
from registry.vault.generations import Generation

_FIRST_CHUNK = 1
_CHUNK_GROWTH = 8


@dataclass(frozen=True, slots=True)
class Copied:
    """What one round of copying did.

    Attributes:
        done: postings that were copied.
        left: the keys of lists that are not whole yet.
    """

    done: int
    left: frozenset[bytes]


@dataclass(slots=True)
class _Copy:
    """One list that is being copied; ``at`` is the number of its next posting."""

    source: PostingList
    image: PostingList
    at: int


def copy_lists(
    index: BlindIndex,
    store: PostingWriter,
    generations: tuple[Generation, Generation],
    names: Iterable[bytes],
    most: int,
) -> Copied:
    """Copy lists into the next generation, inside a transaction that holds the ledger's head.

    Args:
        index: of the registry.
        store: the postings.
        generations: the current one, and the next.
        names: ``BlindIndex.keys_of`` the terms; those without postings are passed over.
        most: about how many postings are copied.

    Raises:
        LedgerCorrupt: a posting was changed.
        KeyUnavailable: the secret of a generation cannot be opened now.
    """
    current, following = (index.lists_in(one) for one in generations)
    images = {keys: following.of(keys) for keys in sorted(set(names))}
    ends = index.ends(store, {one.label(0): one for one in images.values()})
    going_on = {keys: _Copy(current.of(keys), image, ends[image.label(0)]) for keys, image in images.items()}
    rows: list[tuple[bytes, bytes]] = []
    chunk = _FIRST_CHUNK
    while going_on and len(rows) < most:
        values = store.values([one.source.label(one.at + step) for one in going_on.values() for step in range(chunk)])
        going_on = {keys: one for keys, one in going_on.items() if _take(one, values, chunk, rows)}
        chunk = min(chunk * _CHUNK_GROWTH, max(_FIRST_CHUNK, (most - len(rows)) // max(1, len(going_on))))
    store.add(sorted(rows), following.number)
    return Copied(len(rows), frozenset(going_on))


def _take(one: _Copy, values: Mapping[bytes, bytes], chunk: int, rows: list[tuple[bytes, bytes]]) -> bool:
    """Copy what was read of a list; tell whether there may be more."""
    for number in range(one.at, one.at + chunk):
        value = values.get(one.source.label(number))
        if value is None:
            return False
        try:
            payload = one.source.open(number, value)
        except EnvelopeRejected as exc:
            raise LedgerCorrupt("a posting of the blind index was changed") from exc
        rows.append((one.image.label(number), one.image.seal(number, payload)))
        one.at = number + 1
    return True
