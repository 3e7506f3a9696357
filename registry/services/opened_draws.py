"""Which draws were opened before, and for which copies a text therefore says nothing any more.

Whoever holds an opened draw can write like that copy. When a record version's key was opened, to a defence, copies are
drawn anew from then on, and those of before count in no later trace, whenever the text is said to have appeared. When
only one account's copies were opened, in a bundle, that account's copies of that version count no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.audit.kinds import Kind
from registry.domain.ids import EntryIndex, RecordId
from registry.services.entry_reading import ReadEntry

KEYS, COPIES = "keys", "copies"
Version = tuple[RecordId, int]


@dataclass(frozen=True, slots=True)
class OpenedDraws:
    """One opening.

    Attributes:
        entry: index of its entry.
        trace: the trace whose bundle has what was opened.
        versions: the record versions.
        copies: entries of the copies whose draws were opened; none where the versions' keys were, and so all copies.
    """

    entry: EntryIndex
    trace: str
    versions: frozenset[Version]
    copies: frozenset[int]

    @property
    def is_of_keys(self) -> bool:
        """Tell whether all copies were opened."""
        return not self.copies


def opened_by(entry: ReadEntry) -> OpenedDraws | None:
    """Return what an entry opened; None for entries of other kinds."""
    if entry.kind != Kind.DRAWS or entry.values is None:
        return None
    what, *copies = entry.values["result"].split(" ")
    if what not in (KEYS, COPIES):
        return None
    versions = frozenset((line.record, line.version) for line in entry.records)
    return OpenedDraws(EntryIndex(entry.index), entry.values["request"], versions, frozenset(map(int, copies)))


def openings_before(version: Version, copy: int, opened: Sequence[OpenedDraws]) -> int:
    """Return how often a version's key had been opened before a copy of it was served: its draws are others then."""
    return sum(one.is_of_keys and version in one.versions and one.entry < copy for one in opened)


def is_void(version: Version, copy: int, of_account: frozenset[int], opened: Sequence[OpenedDraws]) -> bool:
    """Tell whether a copy says nothing any more.

    Args:
        version: the record version that was read.
        copy: entry of the copy.
        of_account: entries of all copies of its account.
        opened: all openings before the trace.
    """
    count = openings_before(version, copy, opened)
    for one in opened:
        if version not in one.versions or openings_before(version, one.entry, opened) != count:
            continue
        if one.is_of_keys or one.copies & of_account:
            return True
    return False
