"""What other people approved of the asks of one batch, and the requests that its asks make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from registry.audit.receipt import PendingReceipt
from registry.domain.approvals import Needs, State, Verdict, needs_of
from registry.domain.ids import RequestId, SubjectId, new_id
from registry.domain.marks import Tier
from registry.domain.principals import Principal, Role
from registry.domain.purposes import Purpose
from registry.services.kernel import Kernel
from registry.services.ports import ACTIVE, DecisionRow, PrincipalRow, RecordRow, RequestRow, Work

_GUARDED_TIERS = frozenset({Tier.RESTRICTED, Tier.SEALED})


@dataclass(frozen=True, slots=True)
class Approved:
    """What speaks for one ask; nothing at all for most.

    Attributes:
        ask_tag: names the ask; None when none of its records needs approval.
        request: the request that is open or approved for it.
        approvals, other_unit: how many approved, and how many of them belong to another unit.
    """

    ask_tag: bytes | None = None
    request: RequestRow | None = None
    approvals: int = 0
    other_unit: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request that an ask made or found; ``is_new``: its row is yet to be written."""

    row: RequestRow
    is_new: bool


class AskApprovals:
    """Reads and makes the requests of one batch inside its transaction."""

    def __init__(self, kernel: Kernel, work: Work) -> None:
        self._kernel = kernel
        self._work = work
        self._made: dict[bytes, RequestRow] = {}

    def of(self, principal: Principal, purpose: Purpose | None, rows: Sequence[RecordRow]) -> Approved:
        """Return what was approved of exactly this ask: this principal, these records, this purpose and case."""
        if purpose is None or _GUARDED_TIERS.isdisjoint(row.tier for row in rows):
            return Approved()
        tag = self._tag(principal, purpose, rows)
        found = self._made.get(tag) or self._work.requests.newest_of([tag]).get(tag)
        if found is None or found.state == State.REFUSED or found.until <= self._kernel.now_ms():
            return Approved(tag)
        if found.state == State.PENDING:
            return Approved(tag, found)
        counted = counted_of(standing(self._kernel, self._work, principal, found.id))
        return Approved(tag, found, counted.approvals, int(counted.other_unit))

    def want(self, principal: Principal, approved: Approved, rows: Sequence[RecordRow]) -> Wanted:
        """Return the pending request of an ask, a new one when there is none."""
        if approved.ask_tag is None:
            raise TypeError("nothing of this ask needs approval")
        if approved.request is not None and approved.request.state == State.PENDING:
            return Wanted(approved.request, is_new=False)
        needs, now = needs_of(row.tier for row in rows), self._kernel.now_ms()
        row = RequestRow(
            id=RequestId(new_id()),
            principal=principal.id,
            ask_tag=approved.ask_tag,
            entry=-1,
            needs=needs.approvals,
            needs_other_unit=needs.other_unit,
            state=State.PENDING,
            created_at=now,
            until=now + self._kernel.rules.decide_ms,
        )
        self._made[row.ask_tag] = row
        return Wanted(row, is_new=True)

    def store(self, wanted: Sequence[tuple[Wanted, PendingReceipt]]) -> None:
        """Write the new requests, once their entries have their places."""
        self._work.requests.insert(
            [replace(one.row, entry=pending.index) for one, pending in wanted if one.is_new],
        )

    def _tag(self, principal: Principal, purpose: Purpose, rows: Sequence[RecordRow]) -> bytes:
        subject: SubjectId = rows[0].subject
        asked = (principal.id, subject, purpose.code, purpose.case, *sorted(row.id for row in rows))
        return self._kernel.index.tag("approval-request", "\0".join(asked).encode("utf-8", "surrogatepass"))


def standing(kernel: Kernel, work: Work, asker: Principal, request: RequestId) -> list[DecisionRow]:
    """Return the words that count now: who has left, changed role or turned out to be who asks approves nothing."""
    said = work.requests.decisions_of([request])
    rows = work.principals.by_ids({one.approver for one in said})
    return [one for one in said if _may_approve(kernel, asker, rows[one.approver])]


def _may_approve(kernel: Kernel, asker: Principal, approver: PrincipalRow) -> bool:
    is_approver = approver.state == ACTIVE and Role.APPROVER in approver.roles
    return is_approver and not kernel.is_same_person(asker, approver)


def counted_of(decisions: Sequence[DecisionRow]) -> Needs:
    """Count approvals in the terms of what is needed: how many, and whether one came from another unit."""
    approving = [row for row in decisions if row.verdict == Verdict.APPROVE]
    return Needs(len(approving), any(row.is_other_unit for row in approving))
