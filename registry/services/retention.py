"""Retention: what old entries say is removed, a minimum index at a time; leaves and tree stay.

Only what is needed for nothing that stands goes: lookups, refusals, searches, readings. What says how people's records,
accounts, requests, petitions and keys stand is kept, and so is whatever speaks of somebody whom a hold in force names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import FOR_A_TIME, Kind
from registry.audit.ports import EntryReader
from registry.audit.removals import PRUNED, spans_of, told
from registry.domain.clock import unix_ms
from registry.domain.errors import Contended
from registry.services.holds_in_force import in_force
from registry.services.kernel import Kernel
from registry.services.outcomes import entries_told_of
from registry.services.ports import Work
from registry.services.principals import at_keyboard
from registry.services.rerun import rerun_once
from registry.transparency.leaf import parse_leaf

# Openings of one transaction: others wait for it a moment.
AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What retention would remove now.

    Attributes:
        below: the minimum index: every entry below it is older than openings are kept.
        going: indexes whose openings go, ascending.
        held: how many stay because of a hold.
    """

    below: int
    going: tuple[int, ...]
    held: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a run removed: the minimum index, how many openings, and the entries that say so."""

    below: int
    count: int
    held: int
    entries: tuple[int, ...]


class Retention:
    """Removes what old entries say."""

    def __init__(self, kernel: Kernel, kept: timedelta) -> None:
        """Take how long openings are kept."""
        self._kernel = kernel
        self._kept = kept

    def plan(self) -> Plan:
        """Tell what would go now; changes nothing."""
        with self._kernel.database.read() as work:
            below, old = self._old(work.entries)
            held = self._held(work, old)
        return Plan(below, tuple(index for index in old if index not in held), sum(index in held for index in old))

    def prune(self, *, operator: str, progress: Callable[[int], None] = lambda _: None) -> Pruned:
        """Remove what ``plan`` names. May be stopped at any time and run again: each batch is one with its entry.

        Raises:
            AuditUnavailable: the ledger takes no entry, or ``not_granted``; what went before is kept.
        """
        plan = self.plan()
        entries: list[int] = []
        count = 0
        for part in _parted(plan.going):
            index, done = self._remove(operator, plan, part)
            entries += [index] * (done > 0)
            count += done
            progress(count)
        return Pruned(plan.below, count, plan.held, tuple(entries))

    @rerun_once
    def _remove(self, operator: str, plan: Plan, part: Sequence[int]) -> tuple[int, int]:
        with self._kernel.database.write() as work:
            # From here on nobody confirms a hold, which is an entry.
            work.ledger.lock_head()
            held = self._held(work, part)
            going = [index for index in part if index not in held]
            if not going:
                return -1, 0
            done = work.erasures.remove_openings(going, self._kernel.now_ms())
            if done != len(going):
                raise Contended  # somebody else removes some of them just now
            values = said_by(at_keyboard(operator)) | {
                "request": f"below {plan.below}",
                "result": f"{PRUNED} {done} from {going[0]} to {going[-1]}",
                "detail": told(openings=spans_of(going), kept=[f"held {plan.held}"]),
            }
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.PRUNE, values)])
            work.commit()
        return self._kernel.mint_one(pending).index, done

    def _held(self, work: Work, among: Sequence[int]) -> frozenset[int]:
        """Return the entries that speak of somebody whom a hold in force names, and what tells of their answers.

        Args:
            work: a transaction.
            among: entries of which it matters, ascending.
        """
        chains = self._kernel.log.chains
        subjects = in_force(self._kernel, work).subjects()
        held = frozenset(index for one in subjects for index in chains.indexes(work.entries, one))
        return held | frozenset(self._telling(work.entries, held, among))

    def _telling(self, reader: EntryReader, held: frozenset[int], among: Sequence[int]) -> Iterator[int]:
        """Yield the outcomes among some entries that tell of held ones: these name nobody by themselves."""
        if not held or not among:
            return
        wanted = frozenset(among)
        told_later = reader.leaves_of(Kind.OUTCOME, min(held), among[-1] + 1)
        for part in _parted([index for index, _ in told_later if index in wanted]):
            for row in reader.entries(part):
                opening = self._kernel.log.opening(row)
                if opening is not None and not held.isdisjoint(entries_told_of(opening.values)):
                    yield row.index

    def _old(self, reader: EntryReader) -> tuple[int, list[int]]:
        cutoff = unix_ms(self._kernel.clock.now() - self._kept)
        size = reader.head().size
        old: list[int] = []
        for row in reader.scan(0, size):
            leaf = parse_leaf(row.leaf)
            if leaf.unix_ms >= cutoff:
                return row.index, old
            if row.sealed is not None and leaf.kind in FOR_A_TIME:
                old.append(row.index)
        return size, old


def _parted(indexes: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(indexes), AT_ONCE):
        yield indexes[start : start + AT_ONCE]
