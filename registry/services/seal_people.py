"""Sealing people: everything that enrolling does before the database is touched, so that another process can do it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from registry.audit.chains import Chains, ChainState
from registry.audit.entries import EntryDraft, said_by
from registry.audit.first_entry import FirstEntry, first_entry
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.domain.categories import Category
from registry.domain.enrollment import Enrollment, FamilyEntry, RecordEntry
from registry.domain.ids import RecordId, SubjectId, new_id
from registry.domain.marks import Mark
from registry.domain.principals import Principal
from registry.leaktrace.terms import PersonNames
from registry.services.kernel import Kernel, record_lines, tiers_of
from registry.services.ports import (
    ACTIVE,
    MarkRow,
    NewRows,
    NewSubject,
    PackedRows,
    Packer,
    PersonRow,
    RecordRow,
    SubjectRow,
    VersionRow,
    Work,
)
from registry.services.ties import KnownAddress, TieMaker, number_tag, numbers_of, ties_told
from registry.services.values import CANONICAL, Owner, prepare, subject_tag, subject_terms
from registry.text.intake import canonical_document
from registry.vault.blind_index import BlindIndex, IndexTerm, Posting
from registry.vault.sealed import DIRECTORY, SealedField
from registry.vault.ties import SubjectTies
from registry.vault.vault import NewPerson, Place, Vault

VIA_API = "api"
VIA_IMPORT = "import"
VIA_SCIM = "scim"
VIA_CORRECTION = "correction"  # the subject wrote the value, and whoever accepted it did not see it


@dataclass(frozen=True, slots=True)
class SealingTools:
    """What sealing needs: the index secret's keys and the data keys' provider; no database, no key of the ledger."""

    index: BlindIndex
    vault: Vault
    ties: SubjectTies
    chains: Chains
    packer: Packer


def tools_of(kernel: Kernel) -> SealingTools:
    """Return what sealing needs of a running registry."""
    return SealingTools(kernel.index, kernel.vault, kernel.ties, kernel.log.chains, kernel.packer)


class Ready(NamedTuple):
    """New people made ready: rows, postings and first entries. Plain values, so that it may come from another process.

    Holds keys of lists of the blind index, so it is never stored.
    """

    rows: PackedRows
    postings: bytes
    entries: tuple[FirstEntry, ...]

    def __repr__(self) -> str:
        """Show how many people these are."""
        return f"Ready({len(self.entries)} people)"


@dataclass(slots=True)
class Batch:
    """Rows gathered for one transaction; ``policy`` is the version of the policies in force, for entries."""

    principal: Principal
    via: str
    now_ms: int
    policy: str
    subjects: list[NewSubject] = field(default_factory=list)
    persons: list[PersonRow] = field(default_factory=list)
    records: list[RecordRow] = field(default_factory=list)
    versions: list[VersionRow] = field(default_factory=list)
    marks: list[MarkRow] = field(default_factory=list)
    postings: list[tuple[IndexTerm, Posting]] = field(default_factory=list)
    drafts: list[EntryDraft] = field(default_factory=list)
    addresses: list[KnownAddress] = field(default_factory=list)


class Sealer:
    """Seals whole enrollments. Needs no database and no key of the ledger."""

    def __init__(self, tools: SealingTools) -> None:
        self._tools = tools
        self.ties = TieMaker(tools.index, tools.ties)

    def stock(self, enrollments: Iterable[Enrollment]) -> None:
        """Have the keys of several households made at once, for ``gather``; see ``Vault.stock``."""
        self._tools.vault.stock(sum(1 + len(enrollment.family) for enrollment in enrollments))

    def gather(self, batch: Batch, enrollment: Enrollment, tags: tuple[bytes, bytes]) -> SubjectRow:
        """Seal one enrollment into a batch.

        Args:
            batch: gets the rows.
            enrollment: the valid document.
            tags: of its employee number and of its content.
        """
        subject = SubjectId(new_id())
        own = self.person(batch, subject, "")
        names = PersonNames(enrollment.given_name, enrollment.family_name)
        directory = self.directory(own, subject, 1, enrollment)
        self._index(batch, subject_terms(enrollment), subject, 1)
        start = len(batch.records)
        known = len(batch.addresses)
        household = self.household(batch, subject, enrollment.family)
        members = numbers_of(enrollment.family, {ref: person.id for ref, (person, _) in household.items() if ref})
        household[None] = (own, Owner("", names))
        for entry in enrollment.records:
            self.record(batch, subject, entry, household[entry.member])
        ties = self.ties.enrolled(subject, enrollment, members, batch.addresses[known:])
        row = SubjectRow(subject, *tags, directory, ACTIVE, 1, ties)
        batch.subjects.append(NewSubject(row, self._tools.chains.seal(subject, ChainState())))
        values = said_by(batch.principal) | {
            "result": "created",
            "rules": f"{batch.policy} role.enroller",
            "detail": f"via {batch.via}{tiers_of(batch.records[start:])}{ties_told(ties)}",
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
        prepared = prepare(self._tools.index, subject, entry.category, entry.value, owner)
        record = RecordId(new_id())
        place = Place(subject, person.id, record, entry.category.value, 1)
        sealed = self._tools.vault.seal(person, place, prepared.stored, member=owner.member or None)
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
        self.note_address(batch, row, prepared.stored)
        batch.versions.append(self.history(batch, row))
        batch.marks.append(self.mark(person, sealed, entry.mark, 1))
        self._index(batch, prepared.terms, record, 1)
        return row

    def note_address(self, batch: Batch, row: RecordRow, stored: Mapping[str, str]) -> None:
        """Remember the canonical form of a home address that is being sealed, for the subject's ties."""
        if row.category is Category.HOME_ADDRESS:
            batch.addresses.append(KnownAddress(row.subject, row.id, stored[CANONICAL]))

    def directory(self, own: NewPerson, subject: SubjectId, version: int, enrollment: Enrollment) -> SealedField:
        """Seal the directory data."""
        value = {
            "employee_number": enrollment.employee_number,
            "given_name": enrollment.given_name,
            "family_name": enrollment.family_name,
            "department": enrollment.department,
            "title": enrollment.title,
        }
        return self._tools.vault.seal(own, Place(subject, own.id, RecordId(subject), DIRECTORY, version), value)

    def number_tag(self, employee_number: str) -> bytes:
        """Return the keyed tag of an employee number."""
        return number_tag(self._tools.index, employee_number)

    def content_tag(self, enrollment: Enrollment) -> bytes:
        """Return the keyed tag of a whole document, for telling an unchanged one."""
        return self._tools.index.tag("enrollment", canonical_document(enrollment))

    def mark(self, person: NewPerson, sealed: SealedField, mark: Mark, version: int) -> MarkRow:
        """Make the row of a mark, its basis sealed."""
        place = Place(sealed.subject, sealed.person, sealed.record, "mark", version)
        return MarkRow(
            record=sealed.record,
            mark_version=version,
            tier=mark.tier,
            basis=self._tools.vault.seal_basis(person, place, mark.basis) if mark.basis else None,
            starts_on=None if mark.starts_on is None else mark.starts_on.isoformat(),
            ends_on=None if mark.ends_on is None else mark.ends_on.isoformat(),
            review_on=None if mark.review_on is None else mark.review_on.isoformat(),
        )

    def history(self, batch: Batch, row: RecordRow) -> VersionRow:
        """Make the history row of a record's current version."""
        return VersionRow(row.id, row.field.version, batch.principal.id, batch.via, batch.now_ms, None)

    def ready(self, batch: Batch) -> Ready:
        """Make a batch of new people ready to be written: all that can be done without a database."""
        rows = NewRows(batch.now_ms, batch.subjects, batch.persons, batch.records, batch.versions, batch.marks)
        entries = tuple(first_entry(draft) for draft in batch.drafts)
        return Ready(self._tools.packer.pack(rows), self._tools.index.ready(batch.postings), entries)

    def person(self, batch: Batch, subject: SubjectId, ref: str) -> NewPerson:
        """Make a person of a subject's household; the empty ref is the subject."""
        person = self._tools.vault.new_person()
        batch.persons.append(PersonRow(person.id, subject, self.ref_tag(subject, ref), person.wrapped))
        return person

    def ref_tag(self, subject: SubjectId, ref: str) -> bytes:
        """Return the keyed tag of a member's ref within one subject; the empty ref is the subject."""
        return subject_tag(self._tools.index, subject, "ref", ref)

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


def write_people(
    kernel: Kernel, work: Work, people: Sequence[Ready], drafts: Sequence[EntryDraft] = ()
) -> tuple[PendingReceipt, ...]:
    """Write new people and append their entries, and the other drafts after them; the caller commits."""
    work.new_people.insert([ready.rows for ready in people])
    kernel.add_ready_postings(work, b"".join(ready.postings for ready in people))
    return kernel.log.append(work.ledger, [*(entry for ready in people for entry in ready.entries), *drafts])
