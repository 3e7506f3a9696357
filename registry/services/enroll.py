"""Enrolling people: seal everything, index it, and say so in the ledger, in one transaction for many people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.audit.chains import ChainState
from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.domain.categories import Category
from registry.domain.enrollment import Enrollment, FamilyEntry, RecordEntry
from registry.domain.errors import Conflict
from registry.domain.ids import RecordId, SubjectId, new_id
from registry.domain.marks import Mark
from registry.domain.principals import Principal, Role
from registry.leaktrace.terms import PersonNames
from registry.policy.decide import POLICY_VERSION
from registry.services.idempotency import Idempotency, Remembered
from registry.services.kernel import Caller, Kernel, ReceiptView, record_lines, tiers_of, view_of
from registry.services.ports import ACTIVE, MarkRow, NewSubject, PersonRow, RecordRow, SubjectRow, VersionRow, Work
from registry.services.rerun import rerun_once
from registry.services.values import Owner, prepare, subject_tag, subject_terms
from registry.text.intake import canonical_document
from registry.vault.blind_index import IndexTerm, Posting
from registry.vault.sealed import DIRECTORY, SealedField
from registry.vault.vault import NewPerson, Place

ENROLLERS = frozenset({Role.ENROLLER})
VIA_API = "api"
VIA_IMPORT = "import"


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


@dataclass(slots=True)
class Batch:
    """Rows gathered for one transaction."""

    principal: Principal
    via: str
    now_ms: int
    subjects: list[NewSubject] = field(default_factory=list)
    persons: list[PersonRow] = field(default_factory=list)
    records: list[RecordRow] = field(default_factory=list)
    versions: list[VersionRow] = field(default_factory=list)
    marks: list[MarkRow] = field(default_factory=list)
    postings: list[tuple[IndexTerm, Posting]] = field(default_factory=list)
    drafts: list[EntryDraft] = field(default_factory=list)


class Enroll:
    """Creates subjects."""

    def __init__(self, kernel: Kernel, idempotency: Idempotency) -> None:
        self._kernel = kernel
        self._idempotency = idempotency
        self._sealer = Sealer(kernel)

    @rerun_once
    def enroll(self, caller: Caller, enrollment: Enrollment, *, key: str | None = None) -> Enrolled:
        """Enroll one person.

        Args:
            caller: who asks.
            enrollment: the valid document.
            key: the Idempotency-Key, if one was given.

        Raises:
            AccessDenied: the caller is no enroller.
            Conflict: ``exists``: the employee number is taken; ``key_reused``: the key came with another document.
        """
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
                batch = Batch(principal, VIA_API, self._kernel.now_ms())
                plan = self._sealer.gather(batch, enrollment, tag)
                (pending,) = self._sealer.write(work, batch)
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


class Sealer:
    """Seals whole enrollments and writes them in bulk."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def gather(self, batch: Batch, enrollment: Enrollment, number_tag: bytes) -> SubjectRow:
        """Seal one enrollment into a batch."""
        subject = SubjectId(new_id())
        own = self.person(batch, subject, "")
        names = PersonNames(enrollment.given_name, enrollment.family_name)
        directory = self.directory(own, subject, 1, enrollment)
        row = SubjectRow(subject, number_tag, self.content_tag(enrollment), directory, ACTIVE, 1)
        batch.subjects.append(NewSubject(row, self._kernel.log.chains.seal(subject, ChainState())))
        self._index(batch, subject_terms(enrollment), subject, 1)
        start = len(batch.records)
        household = self.household(batch, subject, enrollment.family)
        household[None] = (own, Owner("", names))
        for entry in enrollment.records:
            self.record(batch, subject, entry, household[entry.member])
        values = said_by(batch.principal) | {
            "result": "created",
            "rules": f"{POLICY_VERSION} role.enroller",
            "detail": f"via {batch.via}{tiers_of(batch.records[start:])}",
        }
        lines = record_lines((directory, *(record.field for record in batch.records[start:])))
        batch.drafts.append(EntryDraft(Kind.ENROLL, values, (subject,), lines))
        return row

    def household(
        self, batch: Batch, subject: SubjectId, family: Sequence[FamilyEntry]
    ) -> dict[str | None, tuple[NewPerson, Owner]]:
        """Seal household members, each under a key of its own, with one ``family_member`` record each."""
        members: dict[str | None, tuple[NewPerson, Owner]] = {}
        for member in family:
            person = self.person(batch, subject, member.ref)
            owner = Owner(member.ref, PersonNames(member.given_name, member.family_name))
            members[member.ref] = (person, owner)
            self.record(batch, subject, family_record(member), (person, owner))
        return members

    def record(self, batch: Batch, subject: SubjectId, entry: RecordEntry, owned: tuple[NewPerson, Owner]) -> RecordRow:
        """Seal one new record into a batch."""
        person, owner = owned
        prepared = prepare(self._kernel, subject, entry.category, entry.value, owner)
        record = RecordId(new_id())
        place = Place(subject, person.id, record, entry.category.value, 1)
        sealed = self._kernel.vault.seal(person, place, prepared.stored, member=owner.member or None)
        row = RecordRow(
            id=record,
            subject=subject,
            person=person.id,
            category=entry.category,
            slot_tag=prepared.slot_tag,
            value_tag=prepared.value_tag,
            tier=entry.mark.tier,
            mark_version=1,
            state=ACTIVE,
            field=sealed,
        )
        batch.records.append(row)
        batch.versions.append(self.history(batch, row))
        batch.marks.append(self.mark(person, sealed, entry.mark, 1))
        self._index(batch, prepared.terms, record, 1)
        return row

    def directory(self, own: NewPerson, subject: SubjectId, version: int, enrollment: Enrollment) -> SealedField:
        """Seal the directory data."""
        value = {
            "employee_number": enrollment.employee_number,
            "given_name": enrollment.given_name,
            "family_name": enrollment.family_name,
            "department": enrollment.department,
            "title": enrollment.title,
        }
        return self._kernel.vault.seal(own, Place(subject, own.id, RecordId(subject), DIRECTORY, version), value)

    def content_tag(self, enrollment: Enrollment) -> bytes:
        """Return the keyed tag of a whole document, for telling an unchanged one."""
        return self._kernel.index.tag("enrollment", canonical_document(enrollment))

    def mark(self, person: NewPerson, sealed: SealedField, mark: Mark, version: int) -> MarkRow:
        """Make the row of a mark, its basis sealed."""
        place = Place(sealed.subject, sealed.person, sealed.record, "mark", version)
        return MarkRow(
            record=sealed.record,
            mark_version=version,
            tier=mark.tier,
            basis=self._kernel.vault.seal_basis(person, place, mark.basis) if mark.basis else None,
            starts_on=None if mark.starts_on is None else mark.starts_on.isoformat(),
            ends_on=None if mark.ends_on is None else mark.ends_on.isoformat(),
            review_on=None if mark.review_on is None else mark.review_on.isoformat(),
        )

    def history(self, batch: Batch, row: RecordRow) -> VersionRow:
        """Make the history row of a record's current version."""
        return VersionRow(row.id, row.field.version, batch.principal.id, batch.via, batch.now_ms, None)

    def write(self, work: Work, batch: Batch) -> tuple[PendingReceipt, ...]:
        """Write a batch and append its entries; the caller commits."""
        work.subjects.insert(batch.subjects, batch.now_ms)
        work.persons.insert(batch.persons)
        work.records.insert(batch.records, batch.versions, batch.now_ms)
        work.records.insert_marks(batch.marks)
        self._kernel.add_postings(work, batch.postings)
        return self._kernel.log.append(work.ledger, batch.drafts)

    def person(self, batch: Batch, subject: SubjectId, ref: str) -> NewPerson:
        """Make a person of a subject's household; the empty ref is the subject."""
        person = self._kernel.vault.new_person()
        batch.persons.append(PersonRow(person.id, subject, self.ref_tag(subject, ref), person.wrapped))
        return person

    def ref_tag(self, subject: SubjectId, ref: str) -> bytes:
        """Return the keyed tag of a member's ref within one subject; the empty ref is the subject."""
        return subject_tag(self._kernel.index, subject, "ref", ref)

    def _index(self, batch: Batch, terms: Iterable[IndexTerm], target: RecordId | SubjectId, version: int) -> None:
        batch.postings += [(term, Posting(target, version)) for term in terms]


def family_record(member: FamilyEntry) -> RecordEntry:
    """Return the ``family_member`` record of a household member."""
    value = {
        "relation": member.relation.value,
        "given_name": member.given_name,
        "family_name": member.family_name,
    }
    return RecordEntry(Category.FAMILY_MEMBER, value, member.ref, member.mark)


def _answers(records: Sequence[tuple[RecordId, Category]], enrollment: Enrollment) -> tuple[EnrolledRecord, ...]:
    members = [member.ref for member in enrollment.family] + [entry.member for entry in enrollment.records]
    return tuple(
        EnrolledRecord(record, category, member, 1) for (record, category), member in zip(records, members, strict=True)
    )
