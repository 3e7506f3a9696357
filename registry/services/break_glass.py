"""Opening a card in an emergency, without waiting for approval; and the review that follows without fail.

It replaces the approval of other people and nothing else: role, purpose, conflicts of interest, limits and a strong
sign-in decide each lookup as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, NoReturn

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.crypto.tags import equal
from registry.domain.break_glass import Finding
from registry.domain.categories import Category
from registry.domain.errors import Conflict, LedgerCorrupt, NotFound
from registry.domain.ids import BreakGlassId, PrincipalId, SubjectId, new_id
from registry.domain.principals import Principal, Role
from registry.policy.decide import CONFLICT_OF_INTEREST
from registry.services.decoys import alarm_and_lock, decoys_of
from registry.services.facts_break_glass import subject_tag
from registry.services.facts_relations import is_close
from registry.services.kernel import Caller, Denied, Kernel, ReceiptView, view_of
from registry.services.notices import Notice, NoticeKind, ToPrincipal, ToRole, ToSubject, alarm_notices, queue
from registry.services.ports import ACTIVE, PrincipalRow, SubjectRow, Work
from registry.services.ports_break_glass import BreakGlassRow
from registry.services.read_audit import ReadAudit
from registry.services.rerun import rerun_once

BREAKERS = frozenset({Role.READER})
REVIEWERS = frozenset({Role.APPROVER})
WATCHERS = frozenset({Role.APPROVER, Role.AUDITOR})
MOST_LISTED = 200
REVIEW_OVERDUE, REVIEWS_WAITING = "review_overdue", "reviews_waiting"
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


class GlassFigures(NamedTuple):
    """How many emergencies wait for their review, and for how many of them it is late."""

    waiting: int
    overdue: int


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
            Conflict: ``review_overdue``: an earlier emergency of the same person waits for its review too long;
                ``reviews_waiting``: too many of them wait.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & BREAKERS:
                self._kernel.deny(work, principal, _BREAK)
            subject = _held(work, asked)
            self._alarm(work, principal, subject)
            values = said_by(principal) | {"request": " ".join(sorted(asked.categories)), "detail": _BREAK}
            values |= {"case": asked.case, "note": asked.reason}
            about = () if subject is None else (subject.id,)
            if owed := self._owed(work, principal):
                draft = EntryDraft(Kind.BREAKGLASS, values | {"result": f"refused {owed}"}, about)
                self._kernel.note_refusal(work, principal, draft)
                raise Conflict(owed)
            if subject is None:
                draft = EntryDraft(Kind.BREAKGLASS, values | {"result": "not_found"})
                self._kernel.note_refusal(work, principal, draft)
                raise NotFound
            if is_close(self._kernel, work, principal, [subject]):
                self._refuse_own(work, principal, subject.id, _BREAK)
            row = self._row(principal, subject.id, asked)
            said = {"result": "opened", "detail": f"{_BREAK} {row.id}"}
            draft = EntryDraft(Kind.BREAKGLASS, values | said, about)
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            row = replace(row, entry=pending.index)
            work.break_glass.insert(row)
            queue(work, self._kernel, self._notices(work, principal, subject.id, draft))
            work.commit()
        return row, view_of(self._kernel.mint_one(pending))

    def figures(self) -> GlassFigures:
        """Count the emergencies that wait for their review; for whoever watches the service."""
        now = self._kernel.now_ms()
        with self._kernel.database.read() as work:
            waiting = work.break_glass.unreviewed()
        return GlassFigures(len(waiting), sum(row.review_by <= now for row in waiting))

    def listing(self, caller: Caller) -> Sequence[GlassView]:
        """List emergencies: those that are not reviewed, the most urgent first, then the newest others.

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
            if is_close(self._kernel, work, principal, work.subjects.by_ids([subject]).values()):
                raise NotFound
            (view,) = self._views(work, [row])
        return GlassDetail(view, subject, said.get("case", ""), said.get("note", ""), receipt)

    @rerun_once
    def review(self, caller: Caller, judgement: Judgement) -> tuple[GlassView, ReceiptView]:
        """Say whether an emergency was one.

        Raises:
            AccessDenied: no approver; or it is their own emergency, under whatever account, or about themselves or
                somebody close, or who opened it is close to them.
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
            opener = work.principals.by_ids([row.principal])[row.principal]
            people = self._people_of(work, row, work.subjects.by_ids([subject])[subject])
            if self._kernel.is_same_person(principal, opener) or is_close(self._kernel, work, principal, people):
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
            until=now + self._kernel.rules.emergency_ms,
            review_by=now + self._kernel.rules.review_ms,
        )

    def _owed(self, work: Work, principal: Principal) -> str:
        """Return what keeps the principal, under whatever account, from opening another card: unreviewed ones."""
        waiting, now = work.break_glass.unreviewed(), self._kernel.now_ms()
        opened = work.principals.by_ids({row.principal for row in waiting})
        own = [row for row in waiting if self._kernel.is_same_person(principal, opened[row.principal])]
        if any(row.review_by <= now for row in own):
            return REVIEW_OVERDUE
        return REVIEWS_WAITING if len(own) >= self._kernel.rules.unreviewed else ""

    def _alarm(self, work: Work, principal: Principal, subject: SubjectRow | None) -> None:
        """Lock who touches a decoy this way; before the entry of what came of it, whose receipt shows its size."""
        touched = [] if subject is None else [(principal, one) for one in decoys_of(self._kernel, work, [subject.id])]
        if drafts := alarm_and_lock(work, touched):
            self._kernel.log.append(work.ledger, drafts)
            queue(work, self._kernel, alarm_notices(drafts))

    def _notices(self, work: Work, principal: Principal, subject: SubjectId, draft: EntryDraft) -> list[Notice]:
        """Tell who answers for whoever opened it, whom it is about, and those who review."""
        kind, event = NoticeKind.BREAK_GLASS, draft.event
        told = [Notice(kind, ToPrincipal(one), None, event) for one in self._supervisors(work, principal)]
        told.append(Notice(kind, ToSubject(subject), subject, event))
        told.append(Notice(kind, ToRole(Role.APPROVER), None, event))
        return told

    def _supervisors(self, work: Work, principal: Principal) -> list[PrincipalId]:
        """Return the accounts of a principal's supervisor."""
        tag = principal.supervisor_tag
        if tag is None or not self._kernel.outlets.channels:
            return []
        return [
            row.id
            for row in work.principals.listing()
            if row.state == ACTIVE and row.employee and equal(self._kernel.links.open(row.id, row.employee), tag)
        ]

    def _people_of(self, work: Work, row: BreakGlassRow, subject: SubjectRow) -> list[SubjectRow]:
        """Return whom an emergency is about and, where enrolled, who opened it."""
        opener = work.principals.by_ids([row.principal])[row.principal]
        tags = [] if opener.employee is None else [self._kernel.links.open(opener.id, opener.employee)]
        return [subject, *work.subjects.by_number_tags(tags).values()]

    def _refuse_own(self, work: Work, principal: Principal, subject: SubjectId, what: str) -> NoReturn:
        self._kernel.deny_about(work, principal, (subject,), Denied(CONFLICT_OF_INTEREST, "break_glass.own", what))

    def _said(self, work: Work, row: BreakGlassRow) -> dict[str, str]:
        entries = work.entries.entries([row.entry])
        entry = self._audit.read(entries[0]) if entries else None
        if entry is not None and entry.values is None:
            raise NotFound  # whom it was about was erased
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
