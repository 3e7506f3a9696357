"""What waits for somebody's word, counted for the first page that they see: no names, and no entry for looking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from registry.domain.approvals import State
from registry.domain.holds import REVIEW_MS, HoldState
from registry.domain.principals import Principal, Role
from registry.services import approvals, break_glass, holds
from registry.services.kernel import Kernel
from registry.services.petitions import CORRECTION, DISPUTE, OPEN, Sort
from registry.services.petitions import MOST_LISTED as MOST_PETITIONS
from registry.services.ports import Work
from registry.services.review_sample import ReviewSample


class Task(StrEnum):
    """What may wait."""

    REQUESTS = "requests"
    EMERGENCIES = "emergencies"
    HOLDS = "holds"
    DISPUTES = "disputes"
    CORRECTIONS = "corrections"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class Awaited:
    """How many of one sort wait, and until when the first of them is due (milliseconds; None: no clock runs)."""

    task: Task
    count: int
    due_ms: int | None = None


class Awaiting:
    """Counts what waits, for the roles that settle it."""

    def __init__(self, kernel: Kernel, sample: ReviewSample) -> None:
        self._kernel = kernel
        self._sample = sample

    def of(self, principal: Principal) -> tuple[Awaited, ...]:
        """Count what waits for a principal. Asks of their own account are left out: they wait for others."""
        counts: Mapping[Task, tuple[frozenset[Role], Callable[[Work, Principal], Awaited]]] = {
            Task.REQUESTS: (approvals.APPROVERS, self._requests),
            Task.EMERGENCIES: (break_glass.REVIEWERS, self._emergencies),
            Task.HOLDS: (holds.REVIEWERS, self._holds),
            Task.DISPUTES: (DISPUTE.answerers, partial(_petitions, Task.DISPUTES, DISPUTE)),
            Task.CORRECTIONS: (CORRECTION.answerers, partial(_petitions, Task.CORRECTIONS, CORRECTION)),
        }
        with self._kernel.database.read() as work:
            found = [count(work, principal) for roles, count in counts.values() if principal.roles & roles]
        if Role.AUDITOR in principal.roles:
            waiting = self._sample.waiting()
            found.append(Awaited(Task.SAMPLE, waiting.lookups, waiting.due_ms))
        return tuple(found)

    def _requests(self, work: Work, principal: Principal) -> Awaited:
        now = self._kernel.now_ms()
        rows = [
            row
            for row in work.requests.newest(approvals.MOST_LISTED)
            if row.state == State.PENDING and now < row.until and row.principal != principal.id
        ]
        return Awaited(Task.REQUESTS, len(rows), min((row.until for row in rows), default=None))

    def _emergencies(self, work: Work, principal: Principal) -> Awaited:
        rows = [row for row in work.break_glass.unreviewed() if row.principal != principal.id]
        return Awaited(Task.EMERGENCIES, len(rows), min((row.review_by for row in rows), default=None))

    def _holds(self, work: Work, principal: Principal) -> Awaited:
        now = self._kernel.now_ms()
        due = [
            min(row.until, row.created_at + REVIEW_MS)
            for row in work.holds.newest(holds.MOST_LISTED)
            if row.state == HoldState.PENDING and row.principal != principal.id
        ]
        due = [until for until in due if now < until]
        return Awaited(Task.HOLDS, len(due), min(due, default=None))


def _petitions(task: Task, sort: Sort, work: Work, principal: Principal) -> Awaited:
    # Open ones come first, so that the limit cuts none of them off before the others.
    rows = work.petitions.listing(sort.word, None, MOST_PETITIONS)
    return Awaited(task, sum(row.state == OPEN and row.principal != principal.id for row in rows))
