"""Enrolling people: seal everything, index it, and say so in the ledger, in one transaction for many people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.domain.categories import Category
from registry.domain.enrollment import Enrollment
from registry.domain.errors import Conflict
from registry.domain.ids import RecordId, SubjectId
from registry.domain.principals import Principal, Role
from registry.services.idempotency import Idempotency, Remembered
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import SubjectRow, Work
from registry.services.rerun import rerun_once
from registry.services.seal_people import VIA_API, Batch, Sealer, tools_of, write_people
from registry.text.intake import canonical_document

ENROLLERS = frozenset({Role.ENROLLER})


@dataclass(frozen=True, slots=True)
class EnrolledRecord:
    """What an answer says of one stored record."""

    record: RecordId
    category: Category
    member: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What enrollment and update answer: ids, never values. A replay repeats the answer of an earlier call."""

    subject: SubjectId
    version: int
    records: tuple[EnrolledRecord, ...]
    receipt: ReceiptView
    is_replay: bool = False


class Along(NamedTuple):
    """What else is stored with somebody new: by which way they come, and what stores it and drafts its entry."""

    via: str
    store: Callable[[Work, Principal, SubjectRow], EntryDraft]


class Enroll:
    """Creates subjects."""

    def __init__(self, kernel: Kernel, idempotency: Idempotency) -> None:
        self._kernel = kernel
        self._idempotency = idempotency
        self._sealer = Sealer(tools_of(kernel))

    @rerun_once
    def enroll(
        self, caller: Caller, enrollment: Enrollment, *, key: str | None = None, along: Along | None = None
    ) -> Enrolled:
        """Enroll one person.

        Args:
            caller: who asks.
            enrollment: the valid document.
            key: the Idempotency-Key, if one was given.
            along: what else is stored in the transaction, after the person.

        Raises:
            AccessDenied: the caller is no enroller.
            Conflict: ``exists``: the employee number is taken; ``key_reused``: the key came with another document.
        """
        self._sealer.stock([enrollment])
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ENROLLERS:
                self._kernel.deny(work, principal, "enroll")
            tag = self._kernel.number_tag(enrollment.employee_number)
            # Before the key: a person who was enrolled with this key a moment ago is then known by the key as well.
            known = work.subjects.by_number_tags([tag])
            seen = self._recall(work, principal, key, enrollment)
            if seen is not None:
                return self._replay(seen, enrollment)
            if known:
                pending = self._refuse_existing(work, principal)
                outcome = None
            else:
                via = VIA_API if along is None else along.via
                batch = Batch(principal, via, self._kernel.now_ms(), self._kernel.policy.version)
                plan = self._sealer.gather(batch, enrollment, (tag, self._sealer.content_tag(enrollment)))
                (pending,) = write_people(self._kernel, work, [self._sealer.ready(batch)])
                if along is not None:
                    work.subjects.lock([plan.id])
                    (pending,) = self._kernel.log.append(work.ledger, [along.store(work, principal, plan)])
                outcome = plan.id
                said = {
                    "subject": plan.id,
                    "receipt": [pending.index, pending.size],
                    "records": [[row.id, row.category.value] for row in batch.records],
                }
                self._idempotency.remember(work, principal, key, Remembered(canonical_document(enrollment), said))
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if outcome is None:
            raise Conflict("exists")
        records = _answers([(row.id, row.category) for row in batch.records], enrollment)
        return Enrolled(outcome, 1, records, view_of(receipt))

    def _recall(
        self, work: Work, principal: Principal, key: str | None, enrollment: Enrollment
    ) -> Mapping[str, Any] | None:
        try:
            return self._idempotency.recall(work, principal, key, canonical_document(enrollment))
        except Conflict as conflict:
            values = {"result": f"refused {conflict.code}", "detail": "enroll"}
            self._kernel.note_refusal(work, principal, EntryDraft(Kind.ENROLL, values))
            raise

    def _replay(self, outcome: Mapping[str, Any], enrollment: Enrollment) -> Enrolled:
        records = [(RecordId(record), Category(category)) for record, category in outcome["records"]]
        view = self._kernel.view(*outcome["receipt"])
        return Enrolled(SubjectId(outcome["subject"]), 1, _answers(records, enrollment), view, is_replay=True)

    def _refuse_existing(self, work: Work, principal: Principal) -> PendingReceipt:
        values = said_by(principal) | {"result": "refused exists", "detail": "enroll"}
        (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.ENROLL, values)])
        return pending


def _answers(records: Sequence[tuple[RecordId, Category]], enrollment: Enrollment) -> tuple[EnrolledRecord, ...]:
    members = [member.ref for member in enrollment.family] + [entry.member for entry in enrollment.records]
    return tuple(
        EnrolledRecord(record, category, member, 1) for (record, category), member in zip(records, members, strict=True)
    )
