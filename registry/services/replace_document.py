"""Bringing a subject to the state of a whole new enrollment document, without opening anything.

Records are paired by keyed tags: the same value is unchanged, another value in the same slot (category, kind and
member) is a new version, what the document no longer has is ended.
"""

from __future__ import annotations

from dataclasses import replace

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.categories import Category
from registry.domain.enrollment import Enrollment, RecordEntry
from registry.domain.ids import RecordId
from registry.leaktrace.terms import PersonNames
from registry.services.household import Changes, Household, HouseholdStore
from registry.services.kernel import Kernel, record_lines
from registry.services.ports import RecordRow, SubjectRow
from registry.services.seal_people import Batch, Sealer, family_record
from registry.services.ties import numbers_of, ties_told
from registry.services.values import Owner, prepare, subject_terms
from registry.vault.blind_index import Posting
from registry.vault.vault import NewPerson


class DocumentReplacer:
    """Plans the change from a stored household to a document."""

    def __init__(self, kernel: Kernel, sealer: Sealer, households: HouseholdStore) -> None:
        self._kernel = kernel
        self._sealer = sealer
        self._households = households

    def plan(self, batch: Batch, household: Household, document: Enrollment) -> tuple[Changes, SubjectRow, EntryDraft]:
        """Return the rows to write, the subject after it, and the entry."""
        changes = Changes(batch)
        owners = self._owners(changes, household, document)
        wanted = [family_record(member) for member in document.family] + list(document.records)
        self._pair(changes, household, wanted, owners)
        subject = self._subject(changes, household, document, owners)
        values = said_by(batch.principal) | {
            "result": "replaced",
            "rules": f"{batch.policy} role.enroller",
            "detail": f"via {batch.via}{changes.said()}{ties_told(subject.ties)}",
        }
        lines = record_lines((subject.directory, *changes.touched()))
        return changes, subject, EntryDraft(Kind.UPDATE, values, (subject.id,), lines)

    def _owners(
        self, changes: Changes, household: Household, document: Enrollment
    ) -> dict[str | None, tuple[NewPerson, Owner]]:
        subject = household.subject
        own = self._households.person(household, subject.directory.person)
        names = PersonNames(document.given_name, document.family_name)
        owners: dict[str | None, tuple[NewPerson, Owner]] = {None: (own, Owner("", names))}
        for member in document.family:
            owner = Owner(member.ref, PersonNames(member.given_name, member.family_name))
            known = household.member_by_tag(self._sealer.ref_tag(subject.id, member.ref))
            if known is not None:
                owners[member.ref] = (self._households.person(household, known.id), owner)
            else:
                owners[member.ref] = (self._sealer.person(changes.batch, subject.id, member.ref), owner)
        return owners

    def _pair(
        self,
        changes: Changes,
        household: Household,
        wanted: list[RecordEntry],
        owners: dict[str | None, tuple[NewPerson, Owner]],
    ) -> None:
        left = household.active()
        unmatched: list[tuple[RecordEntry, bytes]] = []
        for entry in wanted:
            prepared = prepare(
                self._kernel.index, household.subject.id, entry.category, entry.value, owners[entry.member][1]
            )
            same = next((row for row in left if row.value_tag == prepared.value_tag), None)
            if same is None:
                unmatched.append((entry, prepared.slot_tag))
            else:
                left.remove(same)
                if entry.category is Category.HOME_ADDRESS:
                    self._sealer.note_address(changes.batch, same, prepared.stored)
                self._remark(changes, household, same, entry)
        for entry, slot in unmatched:
            old = next((row for row in left if row.slot_tag == slot), None)
            if old is None:
                self._sealer.record(changes.batch, household.subject.id, entry, owners[entry.member])
            else:
                left.remove(old)
                self._households.new_version(changes, old, entry.value, owners[entry.member])
                self._remark(changes, household, old, entry)
        changes.ended += [RecordId(row.id) for row in left]

    def _remark(self, changes: Changes, household: Household, row: RecordRow, entry: RecordEntry) -> None:
        if row.tier is not entry.mark.tier:
            self._households.new_mark(changes, household, row, entry.mark)

    def _subject(
        self,
        changes: Changes,
        household: Household,
        document: Enrollment,
        owners: dict[str | None, tuple[NewPerson, Owner]],
    ) -> SubjectRow:
        before = household.subject
        own = owners[None][0]
        members = numbers_of(document.family, {ref: person.id for ref, (person, _) in owners.items() if ref})
        version = before.directory.version + 1
        directory = self._sealer.directory(own, before.id, version, document)
        terms = subject_terms(document)
        changes.batch.postings += [(term, Posting(before.id, version)) for term in terms]
        return replace(
            before,
            content_tag=self._sealer.content_tag(document),
            directory=directory,
            version=before.version + 1,
            ties=self._sealer.ties.enrolled(before.id, document, members, changes.batch.addresses),
        )
