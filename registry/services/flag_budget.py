"""How many false flags a year's investigations may be expected to make: counted from the ledger, so nobody resets it.

Each investigation that compares draws may flag a copy that had no part, with a chance that is stated. Many of them add
up, whoever asks: they are counted by the entries that fix their weights, over the 365 days up to each.
"""

from __future__ import annotations

from bisect import bisect_left
from threading import Lock

from registry.attribution.decision import STRONG_BOUND
from registry.attribution.pairs import PAIR_SHARE
from registry.audit.kinds import Kind
from registry.audit.ports import EntryReader
from registry.leaktrace.report_shapes import FlagBudget
from registry.services.kernel import Kernel
from registry.transparency.leaf import parse_leaf

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS
# Of one investigation: the allowance of single copies and that of pairs.
EACH = STRONG_BOUND * (1.0 + PAIR_SHARE)


class FlagSpending:
    """Counts the investigations of a year. What it has read of the ledger is kept: an entry never changes."""

    def __init__(self, kernel: Kernel, limit: int) -> None:
        """Count for one registry.

        Args:
            kernel: the running registry.
            limit: so many investigations of a year may lead further than a lead; 0 for any number.
        """
        self._kernel = kernel
        self._limit = limit
        self._lock = Lock()
        self._entries: list[int] = []
        self._times: list[int] = []
        self._reached: int | None = None

    def at(self, entry: int) -> FlagBudget:
        """Return the budget as it stands with an investigation.

        Args:
            entry: committed, which fixed by what it judges; it is counted, and none that follows it.
        """
        with self._kernel.database.reader() as reader, self._lock:
            self._read_on(reader, entry)
            stop = bisect_left(self._entries, entry + 1)
            # Times of the ledger never fall, so the first of the year is found as quickly as the last.
            start = bisect_left(self._times, self._times[stop - 1] - YEAR_MS) if stop else 0
        return FlagBudget(stop - start, self._limit, EACH)

    def _read_on(self, reader: EntryReader, entry: int) -> None:
        if self._reached is None:
            # A day more: an investigation of a moment earlier may be asked about after this one.
            self._reached = _first_since(reader, entry, _time_of(reader, entry) - YEAR_MS - DAY_MS)
        if entry < self._reached:
            return
        for index, leaf in reader.leaves_of(Kind.WEIGHTS, self._reached, entry + 1):
            self._entries.append(index)
            self._times.append(parse_leaf(leaf).unix_ms)
        self._reached = entry + 1


def _time_of(reader: EntryReader, index: int) -> int:
    rows = reader.entries([index])
    # Entries that retention took out are older than any year.
    return parse_leaf(rows[0].leaf).unix_ms if rows else 0


def _first_since(reader: EntryReader, stop: int, since_ms: int) -> int:
    """Return the first entry that is not older, by halves: a long ledger is not read for a year of it."""
    return bisect_left(range(stop), since_ms, key=lambda index: _time_of(reader, index))
