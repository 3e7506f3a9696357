"""Releasing cards: decide, record, commit, mint, and only then open.

Written for many asks at once: one transaction reads all facts, decides each ask and appends one entry per card,
permits and refusals alike. A batch that fails is retried by halves, so that one bad ask costs nobody else theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt, Receipt
from registry.crypto.random import random_bytes
from registry.domain.approvals import State
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, EnvelopeRejected, KeyUnavailable, RegistryError
from registry.domain.ids import DisclosureId, RecordId, SubjectId, event_id_at
from registry.domain.principals import Principal, Role
from registry.domain.purposes import Purpose
from registry.marks.draw import Drawn
from registry.marks.slots import slots_of
from registry.policy.decide import (
    APPROVAL_REQUIRED,
    NOT_PERMITTED,
    QUOTA_EXCEEDED,
    STEP_UP_REQUIRED,
    Decision,
    Denial,
    Facts,
    Form,
    Permit,
    RecordFacts,
)
from registry.services.brakes import BrakeLimits, day_of
from registry.services.facts_approvals import AskApprovals, Wanted
from registry.services.facts_brakes import BrakeAsk, BrakeFacts
from registry.services.facts_break_glass import OpenGlass
from registry.services.facts_relations import Relations
from registry.services.facts_used_tokens import RULE, UsedTokens
from registry.services.kernel import (
    TAKEN_BACK,
    Caller,
    Kernel,
    ReceiptView,
    is_own,
    record_lines,
    refusal_of,
    view_of,
)
from registry.services.mark_secrets import KeysNow
from registry.services.marking import Marking
from registry.services.notices import Notice, NoticeKind, SeenByViewer, ToRole, alarm_notices, queue
from registry.services.outlets import LimitKey
from registry.services.ports import ACTIVE, RecordRow, RequestRow, SubjectRow, Work
from registry.services.rerun import rerun_once
from registry.transparency.fields import NONCE_BYTES
from registry.vault.revealed import RevealedField

NOT_FOUND = "not_found"
# What an entry says where a subject sees their own card; no purpose that anybody else can state.
OWN_RECORD = "own_record"
# The rule that keeps copies without marks from people.
UNMARKED = "form.unmarked"
# Refusals before any policy: they are not counted as having touched a card.
_OF_NO_ONE_HERE = frozenset({NOT_PERMITTED, TAKEN_BACK})


@dataclass(frozen=True, slots=True)
class DisclosureAsk:
    """One ask for one card.

    Attributes:
        subject: the subject's id, or None when the employee number is given.
        number_tag: keyed tag of the employee number, or None.
        categories: all active records of these categories.
        records: or exactly these records.
        purpose: the stated purpose; None for the subject's own view.
        via: ``single``, ``batch`` or ``self``.
        form: how the card is wanted; a policy may mask what is asked for in full.
    """

    subject: SubjectId | None
    number_tag: bytes | None
    categories: frozenset[Category]
    records: frozenset[RecordId]
    purpose: Purpose | None
    via: str = "single"
    form: Form = Form.MARKED


@dataclass(frozen=True, slots=True)
class Disclosed:
    """One released card."""

    disclosure: DisclosureId
    subject: SubjectId
    form: str
    fields: tuple[RevealedField, ...]
    receipt: ReceiptView
    salt: bytes = field(repr=False)  # random, in what its entry says and nowhere else


@dataclass(frozen=True, slots=True)
class Refused:
    """One refused ask: a public reason, or ``not_found``; the entry is in the ledger."""

    reason: str
    receipt: ReceiptView


@dataclass(frozen=True, slots=True)
class Failed:
    """One ask that could not be answered after its entry was written; nothing of it is released."""

    error: RegistryError
    receipt: ReceiptView | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One ask that other people have to approve first; its request is on record."""

    request: RequestRow
    receipt: ReceiptView


Answer = Disclosed | Refused | Failed | Waiting


class _Decided(NamedTuple):
    """One ask after decision: what its entry says and what a receipt may open."""

    subject: SubjectRow | None
    refusal: str | None
    rows: tuple[RecordRow, ...]
    draft: EntryDraft
    wanted: Wanted | None = None
    form: Form = Form.AS_ENTERED
    drawn: Mapping[RecordId, Drawn] = MappingProxyType({})
    taken_back: Principal | None = None  # who showed a token that is not taken any more


class Disclose:
    """Releases cards to principals, and their own card to subjects."""

    def __init__(self, kernel: Kernel, limits: BrakeLimits) -> None:
        self._kernel = kernel
        self._limits = limits
        self._marking = Marking(kernel.canaries)

    def disclose_many(self, asks: Sequence[tuple[Caller, DisclosureAsk]]) -> tuple[Answer, ...]:
        """Answer asks in order, each with an entry of its own.

        Raises:
            AuditUnavailable: the ledger takes no entries; nothing was decrypted for any ask.
        """
        try:
            decided, pendings = self._record(asks)
        except AuditUnavailable:
            raise
        except RegistryError as exc:
            return self._by_halves(asks, exc)
        receipts = self._kernel.mint(pendings)
        # One call of the key service for the whole batch, and not before others may go on with the ledger.
        self._kernel.vault.prepare(row.field for one in decided for row in one.rows)
        return tuple(self._open(one, receipt) for one, receipt in zip(decided, receipts, strict=True))

    def _by_halves(self, asks: Sequence[tuple[Caller, DisclosureAsk]], error: RegistryError) -> tuple[Answer, ...]:
        if len(asks) == 1:
            return (Failed(error, self._record_failure(asks[0][0])),)
        middle = len(asks) // 2
        return self.disclose_many(asks[:middle]) + self.disclose_many(asks[middle:])

    @rerun_once
    def _record_failure(self, caller: Caller) -> ReceiptView:
        with self._kernel.database.write() as work:
            values = said_by(self._kernel.principal(work, caller)) | {"result": "failed", "detail": "disclose"}
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.OUTCOME, values)])
            work.commit()
        return view_of(self._kernel.mint_one(pending))

    @rerun_once
    def _record(
        self, asks: Sequence[tuple[Caller, DisclosureAsk]]
    ) -> tuple[list[_Decided], tuple[PendingReceipt, ...]]:
        with self._kernel.database.write() as work:
            principals = self._principals(work, [caller for caller, _ in asks])
            subjects = _Subjects(work, [ask for _, ask in asks])
            braked = [_braked(principal, ask, subjects) for principal, (_, ask) in zip(principals, asks, strict=True)]
            facts = _BatchFacts(
                subjects,
                BrakeFacts(self._kernel, self._limits, work, braked),
                Relations(self._kernel, work, principals),
                AskApprovals(self._kernel, work),
                OpenGlass(self._kernel, work),
                UsedTokens(self._kernel, work),
                KeysNow(self._kernel.marks, work.mark_generations.known()),
            )
            decided = [self._decide(ask, facts, one) for one, (_, ask) in zip(braked, asks, strict=True)]
            # Alarms come first: behind it, a receipt would show by its size that there is one.
            locked = facts.brakes.settle()
            pendings = self._kernel.log.append(work.ledger, [*locked, *(one.draft for one in decided)])
            own = pendings[len(locked) :]
            facts.approvals.store([(one.wanted, at) for one, at in zip(decided, own, strict=True) if one.wanted])
            asked = list(zip(braked, decided, own, strict=True)) if self._kernel.outlets.channels else []
            limits = self._tell(work, locked, asked)
            work.commit()
        self._kernel.outlets.limits.note(day_of(self._kernel.now_ms()), limits)
        return decided, own

    def _tell(
        self, work: Work, locked: Sequence[EntryDraft], asked: Iterable[tuple[BrakeAsk, _Decided, PendingReceipt]]
    ) -> set[LimitKey]:
        """Queue what this batch gives cause to tell; returns whose limits are told of."""
        limits: set[LimitKey] = set()
        told, seen = alarm_notices(locked), SeenByViewer()
        for braked, one, at in asked:
            if one.refusal is None and one.subject is not None:
                seen.add(braked.principal, one.subject.id, one.draft, at.index)
            elif one.wanted is not None and one.wanted.is_new:
                told.append(Notice(NoticeKind.APPROVAL_WANTED, ToRole(Role.APPROVER), None, one.draft.event))
            elif one.refusal == QUOTA_EXCEEDED and braked.purpose is not None:
                key = (braked.principal.id, braked.purpose)
                if key not in limits and not self._kernel.outlets.limits.is_told(day_of(self._kernel.now_ms()), key):
                    limits.add(key)
                    told.append(Notice(NoticeKind.QUOTA, ToRole(Role.SECURITY_ADMIN), None, one.draft.event))
        queue(work, self._kernel, [*told, *seen.notices()])
        return limits

    def _principals(self, work: Work, callers: Sequence[Caller]) -> list[Principal]:
        named = [(caller.claims.issuer, caller.claims.subject) for caller in callers]
        rows = work.principals.by_names(named)
        pairs = [(rows.get(name), caller) for name, caller in zip(named, callers, strict=True)]
        return list(self._kernel.principals_from(work, pairs))

    def _decide(self, ask: DisclosureAsk, known: _BatchFacts, braked: BrakeAsk) -> _Decided:
        subjects, brakes = known.subjects, known.brakes
        principal, subject = braked.principal, subjects.of(ask)
        rows = None if subject is None else subjects.records(subject, ask)
        limits = brakes.of(braked)
        approved = known.approvals.of(principal, ask.purpose, rows or ())
        glass = None if ask.purpose is None else known.glass.of(principal, rows or ())
        facts = Facts(
            asked=ask.categories,
            records=tuple([RecordFacts(row.id, row.category, row.tier) for row in rows or ()]),
            is_own_record=subject is not None and is_own(principal, subject),
            relations=frozenset() if subject is None else known.relations.between(principal, subject),
            approvals=approved.approvals,
            approvals_other_unit=approved.other_unit,
            break_glass=glass is not None,
            quota_exceeded=limits.quota_exceeded,
            cooling_exceeded=limits.cooling_exceeded,
            decoy=limits.decoy,
            step_up=self._kernel.is_signed_in_strongly(principal),
        )
        decision = self._decision(principal, ask, facts)
        if isinstance(decision, Permit) and ask.purpose is not None and not known.used.may_open(principal, rows or ()):
            decision = Denial(STEP_UP_REQUIRED, (RULE,))
        if isinstance(decision, Permit) or decision.reason not in _OF_NO_ONE_HERE:
            brakes.touched(braked)
        values = said_by(principal) | _asked(ask) | {"rules": self._kernel.policy.rules(*decision.rules)}
        about = () if subject is None else (subject.id,)
        if isinstance(decision, Denial) and decision.reason == APPROVAL_REQUIRED and subject is not None and rows:
            wanted = known.approvals.want(principal, approved, rows)
            return _Decided(subject, decision.reason, (), _request(values, subject, rows, wanted), wanted)
        # Who is a subject and not enrolled finds nothing of their own, as everywhere under it.
        is_nobody = ask.purpose is None and subject is None and Role.SUBJECT in principal.roles
        if isinstance(decision, Denial) and not is_nobody:
            lines = record_lines([row.field for row in rows or ()])
            draft = EntryDraft(Kind.DENY, values | {"result": f"denied {decision.reason}"}, about, lines)
            taken_back = principal if principal.is_taken_back else None
            return _Decided(subject, decision.reason, (), draft, taken_back=taken_back)
        # Unknown comes last: whether somebody is enrolled is nothing to tell a caller who may not see them.
        if isinstance(decision, Denial) or subject is None or rows is None:
            draft = EntryDraft(Kind.DENY, values | {"result": f"denied {NOT_FOUND}"}, about)
            return _Decided(subject, NOT_FOUND, (), draft)
        brakes.permitted(braked)
        if approved.request is not None and approved.approvals:
            values["detail"] += f" request {approved.request.id}"
        if glass is not None:
            values["detail"] += f" break-glass {glass.id}"
        form = _form(ask, decision)
        drawn = _drawn(principal, rows, known.marks, is_decoy=limits.decoy) if form is Form.MARKED else None
        draft = self._release(values | {"form": form.value}, subject, rows, drawn)
        return _Decided(subject, None, rows, draft, form=form, drawn=drawn or {})

    def _decision(self, principal: Principal, ask: DisclosureAsk, facts: Facts) -> Decision:
        policy = self._kernel.policy
        if principal.is_taken_back:
            return Denial(TAKEN_BACK, ("token",))
        if ask.purpose is None:
            return policy.decide_own(principal, facts)
        decision = policy.decide(principal, ask.purpose, facts)
        if isinstance(decision, Permit) and _is_unmarked(ask) and not self._kernel.unmarked.may(principal):
            return Denial(NOT_PERMITTED, (UNMARKED,))
        return decision

    def _release(
        self,
        values: Mapping[str, str],
        subject: SubjectRow,
        rows: Sequence[RecordRow],
        drawn: Mapping[RecordId, Drawn] | None,
    ) -> EntryDraft:
        nonce = random_bytes(NONCE_BYTES)
        lines = record_lines([row.field for row in rows], nonce, drawn)
        # The nonce opens the variant commitments; it stays with the opening.
        said = {"result": "permitted", "detail": f"{values['detail']} variant-nonce {nonce.hex()}"}
        event = event_id_at(self._kernel.now_ms())
        return EntryDraft(Kind.DISCLOSE, {**values, **said}, (subject.id,), lines, event)

    def _open(self, one: _Decided, receipt: Receipt) -> Answer:
        view = view_of(receipt)
        if one.wanted is not None:
            return Waiting(one.wanted.row, view)
        if one.taken_back is not None:
            return Failed(refusal_of(one.taken_back, TAKEN_BACK, view.index), view)
        if one.refusal is not None or one.subject is None:
            return Refused(one.refusal or NOT_FOUND, view)
        try:
            fields = tuple([self._kernel.vault.open(row.field, receipt) for row in one.rows])
        except (EnvelopeRejected, KeyUnavailable) as exc:
            return Failed(exc, self._record_broken(one, view))
        if one.form is Form.MASKED:
            fields = tuple(each.masked() for each in fields)
        elif one.form is Form.MARKED:
            fields = self._marking.marked(fields, one.drawn)
        salt = bytes.fromhex(one.draft.values["detail"].rpartition(" ")[2])
        return Disclosed(DisclosureId(one.draft.event), one.subject.id, one.form, fields, view, salt)

    @rerun_once
    def _record_broken(self, one: _Decided, view: ReceiptView) -> ReceiptView:
        with self._kernel.database.write() as work:
            values = {"result": "failed", "detail": f"nothing of entry {view.index} was released"}
            subjects = () if one.subject is None else (one.subject.id,)
            self._kernel.log.append(work.ledger, [EntryDraft(Kind.OUTCOME, values, subjects)])
            work.commit()
        return view


class _Subjects:
    """Facts of all asks of a batch: subjects and their active records, one query each."""

    def __init__(self, work: Work, asks: Sequence[DisclosureAsk]) -> None:
        found = _held(
            work,
            {ask.subject for ask in asks if ask.subject is not None},
            {ask.number_tag for ask in asks if ask.number_tag is not None},
        )
        self._by_tag: Mapping[bytes, SubjectRow] = {row.number_tag: row for row in found.values()}
        self._by_id: Mapping[SubjectId, SubjectRow] = found
        self._rows: dict[SubjectId, list[RecordRow]] = {identifier: [] for identifier in found}
        for row in work.records.of_subjects(found):
            if row.state == ACTIVE:
                self._rows[row.subject].append(row)

    def of(self, ask: DisclosureAsk) -> SubjectRow | None:
        """Return the subject that an ask names."""
        row = self._by_tag.get(ask.number_tag) if ask.number_tag is not None else None
        if ask.subject is not None:
            row = self._by_id.get(ask.subject)
        return row if row is not None and row.state == ACTIVE else None

    def records(self, subject: SubjectRow, ask: DisclosureAsk) -> tuple[RecordRow, ...] | None:
        """Return the records asked for; None when one asked for by id is not there."""
        rows = self._rows[subject.id]
        if not ask.records:
            return tuple(row for row in rows if row.category in ask.categories)
        chosen = tuple(row for row in rows if row.id in ask.records)
        return chosen if len(chosen) == len(ask.records) else None


@dataclass(frozen=True, slots=True)
class _BatchFacts:
    """What is known for a whole batch."""

    subjects: _Subjects
    brakes: BrakeFacts
    relations: Relations
    approvals: AskApprovals
    glass: OpenGlass
    used: UsedTokens
    marks: KeysNow


def _held(work: Work, named: set[SubjectId], tags: set[bytes]) -> Mapping[SubjectId, SubjectRow]:
    """Hold the rows of all asks at once. Decided is on what they are then: what was read before may have changed."""
    if named:
        # All by id, in one go: two statements would take their locks in two orders.
        tagged = work.subjects.by_number_tags(tags)
        return work.subjects.lock(named | {row.id for row in tagged.values()})
    return work.subjects.lock_tagged(tags)


def _drawn(principal: Principal, rows: Sequence[RecordRow], keys: KeysNow, *, is_decoy: bool) -> dict[RecordId, Drawn]:
    """Draw the forms of a copy; what is in the values has no part in it.

    A decoy's copies have the digits of a canary drawn, too. They are drawn for everybody and left out of other copies,
    so that a decoy does not take longer.
    """
    drawn = {}
    for row in rows:
        key, slots = keys.of(row.mark_epoch), slots_of(row.category)
        vector = b""
        if slots:  # else there is nothing to draw, and no key of the record is needed
            vector = key.of_record(row.id, row.field.version).canary_vector(principal.id, row.category)
        drawn[row.id] = Drawn(vector if is_decoy else vector[: len(slots)], key.epoch)
    return drawn


def _braked(principal: Principal, ask: DisclosureAsk, subjects: _Subjects) -> BrakeAsk:
    subject = subjects.of(ask)
    code = None if ask.purpose is None else ask.purpose.code
    return BrakeAsk(principal, code, None if subject is None else subject.id)


def _request(values: Mapping[str, str], subject: SubjectRow, rows: Sequence[RecordRow], wanted: Wanted) -> EntryDraft:
    """Draft the entry of an ask that waits; asked again while it waits, it is a refusal like any other."""
    said = {"result": State.PENDING.value, "detail": f"{values['detail']} request {wanted.row.id}"}
    if not wanted.is_new:
        said["result"] = f"denied {APPROVAL_REQUIRED}"
    lines = record_lines([row.field for row in rows])
    return EntryDraft(Kind.REQUEST if wanted.is_new else Kind.DENY, {**values, **said}, (subject.id,), lines)


def _is_unmarked(ask: DisclosureAsk) -> bool:
    return ask.purpose is not None and ask.form is Form.AS_ENTERED


def _form(ask: DisclosureAsk, permit: Permit) -> Form:
    """Return the form of a copy: as enrolled for whose card it is, else as asked, or masked where a policy says so."""
    if ask.purpose is None:
        return Form.AS_ENTERED
    return Form.MASKED if Form.MASKED in (ask.form, permit.form) else ask.form


def _asked(ask: DisclosureAsk) -> dict[str, str]:
    wanted = " ".join(sorted(ask.records) or sorted(ask.categories))
    asked = {"request": wanted, "detail": f"via {ask.via}"}
    if ask.purpose is None:
        return asked | {"purpose": OWN_RECORD}
    return asked | {
        "purpose": ask.purpose.code,
        "case": ask.purpose.case,
        "note": ask.purpose.note,
    }
