"""Bringing a subject to the state of a whole new enrollment document, without opening anything.

Records are paired by keyed tags: the same value is unchanged, another value in the same slot (category, kind and
member) is a new version, what the document no longer has is ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.approvals import Action
from registry.domain.categories import Category
from registry.domain.enrollment import Enrollment, FamilyEntry, FieldProblem, RecordEntry, SubjectChanges
from registry.domain.errors import InvalidInput
from registry.domain.ids import PersonId, RecordId
from registry.leaktrace.terms import PersonNames
from registry.services.household import Changes, Household, HouseholdStore
from registry.services.kernel import Kernel, record_lines
from registry.services.ports import RecordRow, SubjectRow
from registry.services.seal_people import Batch, Sealer, family_record
from registry.services.ties import GUARDED, ORGANISATION, numbers_of, ties_told
from registry.services.values import Owner, prepare, subject_terms
from registry.vault.blind_index import Posting
from registry.vault.ties import TieKind
from registry.vault.vault import NewPerson

_Owners = dict[str | None, tuple[NewPerson, Owner]]


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
        met, left = self._pair(changes, household, _wanted(document.family, document.records), owners)
        for row, entry in met:
            self._remark(changes, household, row, entry)
        changes.ended += [RecordId(row.id) for row in left]
        subject = self._subject(changes, household, document, owners)
        values = said_by(batch.principal) | {
            "result": "replaced",
            "rules": f"{batch.policy} role.enroller",
            "detail": f"via {batch.via}{changes.said()}{ties_told(subject.ties)}",
        }
        lines = record_lines((subject.directory, *changes.touched()))
        return changes, subject, EntryDraft(Kind.UPDATE, values, (subject.id,), lines)

    def settle(
        self,
        changes: Changes,
        household: Household,
        asked: SubjectChanges,
        owned: Mapping[PersonId, tuple[NewPerson, Owner]],
    ) -> None:
        """Bring a household to what a part of a document says of it; what the part does not name stays as it is.

        The same value is unchanged, another one in the same slot a new version, any other a new record. Marks of what
        stands already stay too, and nothing ends: a part that lacks something says nothing of it.

        Raises:
            InvalidInput: a record is of a member who is neither in the part nor in the household.
        """
        own = owned[household.subject.directory.person]
        owners: _Owners = {None: own, **self._members(changes, household, asked.settled_family)}
        for ref in {entry.member for entry in asked.settled_records} - owners.keys():
            known = household.member_by_tag(self._sealer.ref_tag(household.subject.id, ref or ""))
            if known is None:
                raise InvalidInput([FieldProblem("/member", "unknown_member")])
            owners[ref] = owned[known.id]
        self._pair(changes, household, _wanted(asked.settled_family, asked.settled_records), owners)

    def _owners(self, changes: Changes, household: Household, document: Enrollment) -> _Owners:
        own = self._households.person(household, household.subject.directory.person)
        names = PersonNames(document.given_name, document.family_name)
        return {None: (own, Owner("", names)), **self._members(changes, household, document.family)}

    def _members(self, changes: Changes, household: Household, family: Sequence[FamilyEntry]) -> _Owners:
        subject = household.subject
        owners: _Owners = {}
        for member in family:
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
        owners: _Owners,
    ) -> tuple[list[tuple[RecordRow, RecordEntry]], list[RecordRow]]:
        """Return what stood already, each with what is wanted of it, and what is left over."""
        left = household.active()
        met: list[tuple[RecordRow, RecordEntry]] = []
        unmatched: list[tuple[RecordEntry, bytes]] = []
        for entry in wanted:
            prepared = prepare(
                self._kernel.index, household.subject.id, entry.category, entry.value, owners[entry.member][1]
            )
            changes.wanted.append((prepared.slot_tag, entry.mark.tier))
            same = next((row for row in left if row.value_tag == prepared.value_tag), None)
            if same is None:
                unmatched.append((entry, prepared.slot_tag))
            else:
                left.remove(same)
                if entry.category is Category.HOME_ADDRESS:
                    self._sealer.note_address(changes.batch, same, prepared.stored)
                met.append((same, entry))
        for entry, slot in unmatched:
            old = next((row for row in left if row.slot_tag == slot), None)
            if old is None:
                self._sealer.record(changes.batch, household.subject.id, entry, owners[entry.member])
            else:
                left.remove(old)
                self._households.new_version(changes, old, entry.value, owners[entry.member])
                met.append((old, entry))
        return met, left

    def _remark(self, changes: Changes, household: Household, row: RecordRow, entry: RecordEntry) -> None:
        if row.tier is not entry.mark.tier:
            self._households.new_mark(changes, household, row, entry.mark)

    def _subject(
        self,
        changes: Changes,
        household: Household,
        document: Enrollment,
        owners: _Owners,
    ) -> SubjectRow:
        before = household.subject
        own = owners[None][0]
        members = numbers_of(document.family, {ref: person.id for ref, (person, _) in owners.items() if ref})
        version = before.directory.version + 1
        directory = self._sealer.directory(own, before.id, version, document)
        terms = subject_terms(document)
        changes.batch.postings += [(term, Posting(before.id, version)) for term in terms]
        ties = self._sealer.ties.enrolled(before.id, document, members, changes.batch.addresses)
        return replace(
            before,
            content_tag=self._sealer.content_tag(document),
            directory=directory,
            version=before.version + 1,
            ties=self._sealer.ties.kept(before.id, before.ties, ties, held_ties(self._kernel, changes.batch)),
        )


def held_ties(kernel: Kernel, batch: Batch) -> frozenset[TieKind]:
    """Return the kinds of ties that a machine's way in takes away from nobody: it may add to them.

    Whoever left a household is no stranger to it. Where taking the others away needs a second person, a file or an HR
    system that lacks one leaves it; were its line refused instead, the refusal would tell that there is one.
    """
    if Action.RELATIONS not in kernel.rules.dual_control:
        return frozenset({TieKind.MEMBER})
    return GUARDED - ORGANISATION if batch.principal.client in kernel.rules.hr_clients else GUARDED


def _wanted(family: Sequence[FamilyEntry], records: Sequence[RecordEntry]) -> list[RecordEntry]:
    return [family_record(member) for member in family] + list(records)
