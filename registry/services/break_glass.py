"""Opening a card in an emergency, without waiting for approval; and the review that follows without fail.

It replaces the approval of other people and nothing else: role, purpose, conflicts of interest, limits and a strong
sign-in decide each lookup as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.crypto.tags import equal
from registry.domain.break_glass import OPEN_MS, REVIEW_MS, Finding
from registry.domain.categories import Category
from registry.domain.errors import AccessDenied, Conflict, LedgerCorrupt, NotFound
from registry.domain.ids import BreakGlassId, SubjectId, new_id
from registry.domain.principals import Principal, Role
from registry.policy.decide import CONFLICT_OF_INTEREST
from registry.services.approvals import CLOSE
from registry.services.facts_break_glass import subject_tag
from registry.services.facts_relations import Relations
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import ACTIVE, BreakGlassRow, PrincipalRow, SubjectRow, Work
from registry.services.read_audit import ReadAudit
from registry.services.rerun import rerun_once

BREAKERS = frozenset({Role.READER})
REVIEWERS = frozenset({Role.APPROVER})
WATCHERS = frozenset({Role.APPROVER, Role.AUDITOR})
MOST_LISTED = 200
REVIEW_OVERDUE = "review_overdue"
_BREAK, _REVIEW = "break glass", "review"


@dataclass(frozen=True, slots=True)
class Emergency:
    """What somebody needs at once, and why. ``number_tag``: of the employee number, when no subject is named."""

    subject: SubjectId | None
    number_tag: bytes | None
    categories: frozenset[Category]
    reason: str = field(repr=False)
    case: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an approver finds of an emergency afterwards."""

    emergency: BreakGlassId
    finding: Finding
    note: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GlassView:
    """One emergency as it is listed: by whom and until when, nothing of whom it was about."""

    row: BreakGlassRow
    asker: str
    unit: str
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class GlassDetail:
    """One emergency with what its entry says."""

    view: GlassView
    subject: SubjectId
    case: str = field(repr=False)
    reason: str = field(repr=False)
    receipt: ReceiptView


class BreakGlass:
    """Opens cards in an emergency, and takes what reviewers find."""

    def __init__(self, kernel: Kernel, audit: ReadAudit) -> None:
        self._kernel = kernel
        self._audit = audit

    @rerun_once
    def open(self, caller: Caller, asked: Emergency) -> tuple[BreakGlassRow, ReceiptView]:
        """Open some categories of one subject for an hour; the lookups themselves are made as ever.

        Raises:
            AccessDenied: the caller is no reader, or it is the card of themselves or of somebody close.
            NotFound: there is no such subject.
            Conflict: ``review_overdue``: an earlier emergency of the same person waits for its review too long.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & BREAKERS:
                self._kernel.deny(work, principal, _BREAK)
            subject = _held(work, asked)
            values = said_by(principal) | {"request": " ".join(sorted(asked.categories)), "detail": _BREAK}
            values |= {"case": asked.case, "note": asked.reason}
            about = () if subject is None else (subject.id,)
            if self._has_overdue(work, principal):
                said = {"result": f"refused {REVIEW_OVERDUE}"}
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.BREAKGLASS, values | said, about))
                raise Conflict(REVIEW_OVERDUE)
            if subject is None:
                draft = EntryDraft(Kind.BREAKGLASS, values | {"result": "not_found"})
                self._kernel.note_refusal(work, principal, draft)
                raise NotFound
            if self._is_close(work, principal, subject):
                self._refuse_own(work, principal, subject.id, _BREAK)
            row = self._row(principal, subject.id, asked)
            said = {"result": "opened", "detail": f"{_BREAK} {row.id}"}
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.BREAKGLASS, values | said, about)])
            row = replace(row, entry=pending.index)
            work.break_glass.insert(row)
            work.commit()
        return row, view_of(self._kernel.mint_one(pending))

    def listing(self, caller: Caller) -> Sequence[GlassView]:
        """List the newest emergencies, those that are not reviewed first.

        Raises:
            AccessDenied: the caller neither approves nor audits.
        """
        self._kernel.note_read(caller, WATCHERS, "break-glass")
        with self._kernel.database.read() as work:
            return self._views(work, work.break_glass.newest(MOST_LISTED))

    @rerun_once
    def get(self, caller: Caller, identifier: BreakGlassId) -> GlassDetail:
        """Show whom an emergency was about and why.

        Raises:
            AccessDenied: the caller neither approves nor audits.
            NotFound: there is none, or it is about the caller or somebody close.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & WATCHERS:
                self._kernel.deny(work, principal, "break-glass")
            draft = EntryDraft(Kind.AUDIT_READ, said_by(principal) | {"detail": f"break-glass {identifier}"})
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        receipt = view_of(self._kernel.mint_one(pending))
        with self._kernel.database.read() as work:
            row = work.break_glass.get(identifier)
            if row is None:
                raise NotFound
            said = self._said(work, row)
            subject = SubjectId(said["subject"])
            if self._is_close(work, principal, work.subjects.by_ids([subject])[subject]):
                raise NotFound
            (view,) = self._views(work, [row])
        return GlassDetail(view, subject, said.get("case", ""), said.get("note", ""), receipt)

    @rerun_once
    def review(self, caller: Caller, judgement: Judgement) -> tuple[GlassView, ReceiptView]:
        """Say whether an emergency was one.

        Raises:
            AccessDenied: no approver; or it is their own emergency, under whatever account, or about themselves or
                somebody close.
            NotFound: there is none.
            Conflict: ``decided``: it is reviewed.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & REVIEWERS:
                self._kernel.deny(work, principal, _REVIEW)
            row = work.break_glass.lock(judgement.emergency)
            if row is None:
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.REVIEW, {"result": "not_found"}))
                raise NotFound
            subject = SubjectId(self._said(work, row)["subject"])
            about = work.subjects.by_ids([subject])[subject]
            if self._is_by(work, principal, row) or self._is_close(work, principal, about):
                self._refuse_own(work, principal, subject, f"{_REVIEW} {row.id}")
            if row.finding:
                draft = EntryDraft(Kind.REVIEW, {"result": "refused decided", "detail": f"{_REVIEW} {row.id}"})
                self._kernel.note_refusal(work, principal, draft)
                raise Conflict("decided")
            row = replace(row, finding=judgement.finding, reviewer=principal.id, reviewed_at=self._kernel.now_ms())
            work.break_glass.settle(row)
            values = said_by(principal) | {
                "result": judgement.finding.value,
                "note": judgement.note,
                "detail": f"{_REVIEW} {row.id} of entry {row.entry}",
            }
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.REVIEW, values, (subject,))])
            work.commit()
        receipt = view_of(self._kernel.mint_one(pending))
        with self._kernel.database.read() as work:
            (view,) = self._views(work, [row])
        return view, receipt

    def _row(self, principal: Principal, subject: SubjectId, asked: Emergency) -> BreakGlassRow:
        identifier, now = BreakGlassId(new_id()), self._kernel.now_ms()
        return BreakGlassRow(
            id=identifier,
            principal=principal.id,
            subject_tag=subject_tag(self._kernel, identifier, subject),
            categories=frozenset(category.value for category in asked.categories),
            entry=-1,
            created_at=now,
            until=now + OPEN_MS,
            review_by=now + REVIEW_MS,
        )

    def _has_overdue(self, work: Work, principal: Principal) -> bool:
        """Tell whether the principal, under whatever account, has an emergency whose review is late."""
        return any(self._is_by(work, principal, row) for row in work.break_glass.overdue(self._kernel.now_ms()))

    def _is_by(self, work: Work, principal: Principal, row: BreakGlassRow) -> bool:
        if row.principal == principal.id:
            return True
        other: PrincipalRow = work.principals.by_ids([row.principal])[row.principal]
        if other.employee is None or principal.employee_tag is None:
            return False
        return equal(self._kernel.links.open(other.id, other.employee), principal.employee_tag)

    def _is_close(self, work: Work, principal: Principal, subject: SubjectRow) -> bool:
        """Tell whether a subject is the principal, or of the same family or home."""
        if principal.employee_tag is not None and equal(subject.number_tag, principal.employee_tag):
            return True
        return bool(Relations(self._kernel, work, [principal]).between(principal, subject) & CLOSE)

    def _refuse_own(self, work: Work, principal: Principal, subject: SubjectId, what: str) -> None:
        values = said_by(principal) | {
            "result": f"denied {CONFLICT_OF_INTEREST}",
            "rules": self._kernel.policy.rules("break_glass.own"),
            "detail": what,
        }
        (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.DENY, values, (subject,))])
        work.commit()
        raise AccessDenied(CONFLICT_OF_INTEREST, self._kernel.mint_one(pending).index)

    def _said(self, work: Work, row: BreakGlassRow) -> dict[str, str]:
        entries = work.entries.entries([row.entry])
        entry = self._audit.read(entries[0]) if entries else None
        values = dict(entry.values or {}) if entry is not None and entry.kind == Kind.BREAKGLASS else {}
        if not values.get("detail", "").endswith(f" {row.id}"):
            raise LedgerCorrupt("an emergency's entry is not the one that it names", row.entry)
        return values

    def _views(self, work: Work, rows: Sequence[BreakGlassRow]) -> list[GlassView]:
        askers, now = work.principals.by_ids({row.principal for row in rows}), self._kernel.now_ms()
        return [_view(row, askers[row.principal], now) for row in rows]


def _view(row: BreakGlassRow, asker: PrincipalRow, now: int) -> GlassView:
    return GlassView(row, f"{asker.issuer}#{asker.sub}", asker.unit, not row.finding and row.review_by <= now)


def _held(work: Work, asked: Emergency) -> SubjectRow | None:
    named = [] if asked.subject is None else [asked.subject]
    found = work.subjects.lock(named) if named else work.subjects.lock_tagged([t for t in (asked.number_tag,) if t])
    row = next(iter(found.values()), None)
    return row if row is not None and row.state == ACTIVE else None
