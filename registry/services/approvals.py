"""Requests for approval: who may see them, and the second person's word. Nobody approves their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.approvals import Action, State, Verdict
from registry.domain.errors import Conflict, LedgerCorrupt, NotFound
from registry.domain.ids import EntryIndex, PrincipalId, RequestId, SubjectId
from registry.domain.principals import Principal, Role
from registry.policy.decide import CONFLICT_OF_INTEREST
from registry.services.dual_control import ToldAct, told_act
from registry.services.entry_reading import ReadEntry
from registry.services.facts_approvals import counted_of
from registry.services.facts_relations import is_close
from registry.services.kernel import Caller, Denied, Kernel, ReceiptView, is_own, view_of
from registry.services.notices import Notice, NoticeKind, ToPrincipal, queue
from registry.services.ports import DecisionRow, PrincipalRow, RequestRow, SubjectRow, Work
from registry.services.read_audit import ReadAudit, categories_of
from registry.services.rerun import rerun_once

ASKERS = frozenset({Role.READER, Role.INVESTIGATOR, Role.ENROLLER, Role.SECURITY_ADMIN, Role.RECORDS_OFFICER})
APPROVERS = frozenset({Role.APPROVER})
# Auditors watch approvals too; whoever asks sees their own.
WATCHERS = frozenset({Role.APPROVER, Role.AUDITOR})
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request as it is listed: who asks and what became of it, nothing of whom it is about.

    ``action`` is None for a lookup.
    """

    row: RequestRow
    action: Action | None
    state: State
    asker: str
    unit: str
    approvals: int


@dataclass(frozen=True, slots=True)
class RequestDetail:
    """One request with what its entry says. ``told`` is what it says of an act under dual control."""

    view: RequestView
    subject: SubjectId | None
    told: str = field(repr=False)
    categories: tuple[str, ...]
    purpose: str
    case: str = field(repr=False)
    note: str = field(repr=False)
    receipt: ReceiptView


@dataclass(frozen=True, slots=True)
class ApproverFigures:
    """How one approver decides. ``median_seconds``: from request to word."""

    approver: PrincipalId
    approved: int
    refused: int
    median_seconds: float


@dataclass(frozen=True, slots=True)
class Word:
    """What an approver says to a request."""

    request: RequestId
    verdict: Verdict
    note: str = field(default="", repr=False)


class Approvals:
    """Shows requests and takes decisions on them."""

    def __init__(self, kernel: Kernel, audit: ReadAudit) -> None:
        self._kernel = kernel
        self._audit = audit

    def listing(self, caller: Caller) -> Sequence[RequestView]:
        """List the newest requests: approvers and auditors see everybody's, others their own.

        Raises:
            AccessDenied: the caller neither asks, approves nor audits.
        """
        principal = self._kernel.note_read(caller, ASKERS | WATCHERS, "requests")
        of = None if principal.roles & WATCHERS else principal.id
        with self._kernel.database.read() as work:
            rows = work.requests.newest(MOST_LISTED, of)
            return self._views(work, rows)

    @rerun_once
    def get(self, caller: Caller, request: RequestId) -> RequestDetail:
        """Show what one request asks for and why.

        Raises:
            AccessDenied: the caller neither asks, approves nor audits.
            NotFound: there is none, it is somebody else's, or it is about the caller.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & (ASKERS | WATCHERS):
                self._kernel.deny(work, principal, "request")
            draft = EntryDraft(Kind.AUDIT_READ, said_by(principal) | {"detail": f"request {request}"})
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        receipt = view_of(self._kernel.mint_one(pending))
        with self._kernel.database.read() as work:
            row = work.requests.get(request)
            if row is None or not (principal.roles & WATCHERS or row.principal == principal.id):
                raise NotFound
            said = self._said(work, row)
            # Who asks about an approver is nothing for that approver to learn here.
            if said.is_about(principal, work.subjects.by_ids(said.subjects).values()):
                raise NotFound
            (view,) = self._views(work, [row])
        # A release check says whose a value is to nobody; nor does a request that one led to.
        is_waiver = said.act is not None and said.act.action is Action.WAIVE
        subject = None if is_waiver else next(iter(said.subjects), None)
        told = "" if said.act is None else said.act.told
        return RequestDetail(view, subject, told, said.categories, said.purpose, said.case, said.note, receipt)

    @rerun_once
    def decide(self, caller: Caller, word: Word) -> tuple[RequestView, ReceiptView]:
        """Approve or refuse a request.

        Raises:
            AccessDenied: no approver; or it is their own ask, under whatever account, or about themselves.
            NotFound: there is none.
            Conflict: ``decided``: it is settled, or the caller has said their word; ``expired``: its time is over.
        """
        known = self._look(caller, word)
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            # Holding the request, no other word to it comes in between, and it is not used meanwhile.
            subjects = work.subjects.lock(known.subjects)
            row = work.requests.lock(word.request)
            if row is None or not principal.roles & APPROVERS:
                self._kernel.deny(work, principal, f"{word.verdict} request")
            asker = work.principals.by_ids([row.principal])[row.principal]
            is_concerned = known.is_about(principal, subjects.values()) or is_close(
                self._kernel, work, principal, subjects.values()
            )
            if self._kernel.is_same_person(principal, asker) or is_concerned:
                denied = Denied(CONFLICT_OF_INTEREST, "approval.own", f"{word.verdict} request {word.request}")
                self._kernel.deny_about(work, principal, known.subjects, denied)
            row, decision = self._settled(work, principal, row, asker, word)
            work.requests.insert_decision(decision)
            if row.state != State.PENDING:
                work.requests.settle(row)
            draft = self._draft(principal, known.subjects, row, word)
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            if row.state != State.PENDING:
                asker_told = Notice(NoticeKind.APPROVAL_DECIDED, ToPrincipal(row.principal), None, draft.event)
                queue(work, self._kernel, [asker_told])
            work.commit()
        receipt = view_of(self._kernel.mint_one(pending))
        with self._kernel.database.read() as work:
            (view,) = self._views(work, [row])
        return view, receipt

    def statistics(self, caller: Caller) -> Sequence[ApproverFigures]:
        """Return how each approver decided the newest requests: who approves everything within seconds reads nothing.

        Raises:
            AccessDenied: the caller is no auditor.
        """
        self._kernel.note_read(caller, frozenset({Role.AUDITOR}), "approval statistics")
        with self._kernel.database.read() as work:
            asked = {row.id: row.created_at for row in work.requests.newest(10_000)}
            by_approver: dict[PrincipalId, list[DecisionRow]] = {}
            for decision in work.requests.decisions_of(asked):
                by_approver.setdefault(decision.approver, []).append(decision)
        return [_figures(approver, asked, said) for approver, said in sorted(by_approver.items())]

    @rerun_once
    def _look(self, caller: Caller, word: Word) -> _Said:
        """Find out whom a request is about, before any lock: entries never change."""
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & APPROVERS:
                self._kernel.deny(work, principal, f"{word.verdict} request")
            row = work.requests.get(word.request)
            if row is None:
                values = {"result": "not_found", "detail": f"{word.verdict} request"}
                self._kernel.note_refusal(work, principal, EntryDraft(_KINDS[word.verdict], values))
                raise NotFound
            return self._said(work, row)

    def _settled(
        self, work: Work, principal: Principal, row: RequestRow, asker: PrincipalRow, word: Word
    ) -> tuple[RequestRow, DecisionRow]:
        """Return the request as it is after a word, and the word as it is stored."""
        now = self._kernel.now_ms()
        said = work.requests.decisions_of([row.id])
        if row.state != State.PENDING or self._has_said(work, principal, said):
            self._refuse(work, principal, word, "decided")
        if row.until <= now:
            self._refuse(work, principal, word, "expired")
        is_other = bool(principal.unit) and bool(asker.unit) and principal.unit != asker.unit
        decision = DecisionRow(row.id, principal.id, word.verdict, is_other, now)
        if word.verdict is Verdict.REFUSE:
            return replace(row, state=State.REFUSED), decision
        counted = counted_of([*said, decision])
        if counted.approvals < row.needs or (row.needs_other_unit and not counted.other_unit):
            return row, decision
        return replace(row, state=State.APPROVED, until=now + self._kernel.rules.use_ms), decision

    def _has_said(self, work: Work, principal: Principal, said: Sequence[DecisionRow]) -> bool:
        """Tell whether one of those who said their word is the principal, under whatever account."""
        rows = work.principals.by_ids({one.approver for one in said})
        return any(self._kernel.is_same_person(principal, row) for row in rows.values())

    def _refuse(self, work: Work, principal: Principal, word: Word, why: str) -> None:
        values = {"result": f"refused {why}", "detail": f"{word.verdict} request {word.request}"}
        self._kernel.note_refusal(work, principal, EntryDraft(_KINDS[word.verdict], values))
        raise Conflict(why)

    def _draft(self, principal: Principal, subjects: tuple[SubjectId, ...], row: RequestRow, word: Word) -> EntryDraft:
        values = said_by(principal) | {
            "result": row.state,
            "rules": self._kernel.policy.rules("role.approver"),
            "request": word.request,
            "note": word.note,
            "detail": f"of entry {row.entry}",
        }
        return EntryDraft(_KINDS[word.verdict], values, subjects)

    def _said(self, work: Work, row: RequestRow) -> _Said:
        return self._all_said(work, [row])[row.id]

    def _all_said(self, work: Work, rows: Sequence[RequestRow]) -> Mapping[RequestId, _Said]:
        entries = {one.index: self._audit.read(one) for one in work.entries.entries([row.entry for row in rows])}
        said: dict[RequestId, _Said] = {}
        for row in rows:
            entry = entries.get(EntryIndex(row.entry))
            told = "" if entry is None else (entry.values or {}).get("detail", "")
            is_erased = entry is not None and entry.values is None
            if entry is None or entry.kind != Kind.REQUEST or not (is_erased or f"request {row.id}" in told):
                raise LedgerCorrupt("a request's entry is not the one that it names", row.entry)
            said[row.id] = _Said.of(entry)
        return said

    def _views(self, work: Work, rows: Sequence[RequestRow]) -> list[RequestView]:
        askers = work.principals.by_ids({row.principal for row in rows})
        counts: dict[RequestId, int] = {}
        for decision in work.requests.decisions_of([row.id for row in rows]):
            counts[decision.request] = counts.get(decision.request, 0) + (decision.verdict == Verdict.APPROVE)
        said, now = self._all_said(work, rows), self._kernel.now_ms()
        return [_view(row, said[row.id].act, askers[row.principal], (counts.get(row.id, 0), now)) for row in rows]


_KINDS: Mapping[Verdict, Kind] = {Verdict.APPROVE: Kind.APPROVE, Verdict.REFUSE: Kind.REFUSE}


@dataclass(frozen=True, slots=True)
class _Said:
    """What the entry of a request says. ``act``: what it is for under dual control, None for a lookup."""

    subjects: tuple[SubjectId, ...]
    act: ToldAct | None
    categories: tuple[str, ...]
    purpose: str
    case: str = field(repr=False)
    note: str = field(repr=False)

    @classmethod
    def of(cls, entry: ReadEntry) -> _Said:
        values = entry.values or {}
        subjects = tuple(map(SubjectId, values.get("subject", "").split()))
        told = (values.get(name, "") for name in ("purpose", "case", "note"))
        return cls(subjects, told_act(values), tuple(categories_of(entry)), *told)

    def is_about(self, principal: Principal, subjects: Iterable[SubjectRow]) -> bool:
        """Tell whether a principal is one of those that it is about."""
        persons = frozenset[str]() if self.act is None else self.act.persons
        own = "" if principal.employee_tag is None else principal.employee_tag.hex()
        return not persons.isdisjoint({principal.id, own}) or any(is_own(principal, one) for one in subjects)


def _view(row: RequestRow, act: ToldAct | None, asker: PrincipalRow, counted: tuple[int, int]) -> RequestView:
    approvals, now = counted
    state = State(row.state)
    if state in (State.PENDING, State.APPROVED) and row.until <= now:
        state = State.EXPIRED
    action = None if act is None else act.action
    return RequestView(row, action, state, f"{asker.issuer}#{asker.sub}", asker.unit, approvals)


def _figures(approver: PrincipalId, asked: Mapping[RequestId, int], said: Sequence[DecisionRow]) -> ApproverFigures:
    approved = sum(one.verdict == Verdict.APPROVE for one in said)
    seconds = median((one.decided_at - asked[one.request]) / 1000 for one in said)
    return ApproverFigures(approver, approved, len(said) - approved, seconds)
