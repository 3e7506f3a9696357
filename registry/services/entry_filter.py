"""Which entries somebody wants to read: by kind, account, subject, category, purpose, outcome and time.

Nothing at rest shows which entries are alike, so there is no index to ask: kind and time stand in the leaf, a subject's
entries are found by their keyed postings, and everything else is looked for in what the entries say, once the reading
is an entry itself. A page looks at so many entries and no more; the next one goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Protocol

from registry.audit.kinds import Kind
from registry.audit.ports import EntryReader, EntryRow
from registry.domain.categories import Category
from registry.domain.ids import PrincipalId, SubjectId
from registry.domain.purposes import PurposeCode
from registry.services.entry_reading import ReadEntry
from registry.transparency.leaf import Leaf, parse_leaf

# Entries that one page looks at: what is rare takes more pages, and no page goes through a whole ledger.
MOST_LOOKED_AT = 4_000
_AT_ONCE = 200


class Wanted(Protocol):
    """What tells wanted entries from others."""

    def takes_leaf(self, leaf: Leaf) -> bool:
        """Tell whether an entry's leaf is wanted."""
        ...

    def takes(self, entry: ReadEntry) -> bool:
        """Tell whether what an entry says is wanted."""
        ...


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What entries must be, all of it together; None is no condition.

    Attributes:
        kind: of this kind.
        principal: said by this account, by its id.
        subject: of this subject's chain, by its id.
        category: with a record of this category.
        purpose: for this purpose.
        outcome: whose result begins with this word, such as ``permitted`` or ``denied``.
        since_ms, until_ms: appended from this moment on, and before this one; milliseconds since 1970 UTC.
    """

    kind: Kind | None = None
    principal: PrincipalId | None = None
    subject: SubjectId | None = None
    category: Category | None = None
    purpose: PurposeCode | None = None
    outcome: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def told(self) -> str:
        """Say in an entry what was asked for; empty for everything."""
        given = ((one.name, getattr(self, one.name)) for one in fields(self))
        return " ".join(f"{name} {value}" for name, value in given if value is not None)

    def takes_leaf(self, leaf: Leaf) -> bool:
        """Tell whether an entry's leaf, which shows its kind, is wanted."""
        return self.kind is None or leaf.kind == self.kind

    def takes(self, entry: ReadEntry) -> bool:
        """Tell whether what an entry says is wanted; one whose opening was removed says nothing any more."""
        said = entry.values or {}
        return (
            (self.principal is None or said.get("principal", "").partition(" ")[0] == self.principal)
            and (self.category is None or any(line.category == self.category for line in entry.records))
            and (self.purpose is None or said.get("purpose") == self.purpose)
            and (self.outcome is None or said.get("result", "").partition(" ")[0] == self.outcome)
        )


@dataclass(frozen=True, slots=True)
class Looked:
    """What one page found, newest first, and where the next one starts: the index that it is below; 0 for no more."""

    entries: tuple[ReadEntry, ...]
    before: int


EVERYTHING = EntryFilter()


def span_of(reader: EntryReader, wanted: EntryFilter, below: int) -> tuple[int, int]:
    """Return from which index on, and below which one, entries are of the times that are wanted."""
    first = 0 if wanted.since_ms is None else _first_from(reader, wanted.since_ms, below)
    stop = below if wanted.until_ms is None else min(below, _first_from(reader, wanted.until_ms, below))
    return first, stop


def span_between(reader: EntryReader, since_ms: int, until_ms: int) -> tuple[int, int]:
    """Return from which index on, and below which one, entries are of a time; its last moment is part of it."""
    return span_of(reader, EntryFilter(since_ms=since_ms, until_ms=until_ms + 1), reader.head().size)


def newest_first(
    reader: EntryReader, wanted: Wanted, span: tuple[int, int], limit: int, how: tuple[_Read, Sequence[int] | None]
) -> Looked:
    """Return a page of wanted entries.

    Args:
        reader: committed rows.
        wanted: which.
        span: only entries from the first index on, and below the second.
        limit: at most so many.
        how: what opens a row; and the indexes to look at, oldest first, when they are known (a subject's), else None.
    """
    read, known = how
    first, stop = span
    indexes = range(first, stop) if known is None else [index for index in known if first <= index < stop]
    rows = _down(reader, indexes, limit if wanted == EVERYTHING else _AT_ONCE)
    found: list[ReadEntry] = []
    last = first
    for row in islice(rows, MOST_LOOKED_AT):
        last = row.index
        if wanted.takes_leaf(parse_leaf(row.leaf)):
            entry = read(row)
            if wanted.takes(entry):
                found.append(entry)
        if len(found) == limit:
            break
    return Looked(tuple(found), last if indexes and indexes[0] < last else 0)


_Read = Callable[[EntryRow], ReadEntry]


def _down(reader: EntryReader, indexes: Sequence[int], at_once: int) -> Iterator[EntryRow]:
    """Yield entries from the last index on, so many read at once; a range is read as one."""
    for end in range(len(indexes), 0, -at_once):
        some = indexes[max(0, end - at_once) : end]
        is_run = isinstance(some, range)
        yield from reversed(list(reader.scan(some[0], some[-1] + 1) if is_run else reader.entries(some)))


def _first_from(reader: EntryReader, moment_ms: int, size: int) -> int:
    """Return the index of the first entry at or after a moment: times never go back, so halving finds it."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        (row,) = reader.entries([middle])
        if parse_leaf(row.leaf).unix_ms < moment_ms:
            low = middle + 1
        else:
            high = middle
    return low
