"""Changing what is enrolled: new versions, marks, members, ended protection. Nothing is overwritten.

Two transactions: the first writes an ``open`` entry and reads the names that index terms are made with; the second
changes. A version number read in the first and checked in the second keeps anybody else from slipping in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.approvals import Action
from registry.domain.categories import Category
from registry.domain.enrollment import Enrollment, FieldProblem, RecordEntry, SubjectChanges
from registry.domain.errors import Conflict, InvalidInput, NotFound
from registry.domain.ids import PersonId, RecordId, SubjectId
from registry.domain.principals import Principal
from registry.leaktrace.terms import PersonNames
from registry.policy.decide import CONFLICT_OF_INTEREST
from registry.services.dual_control import Act, demand_approved
from registry.services.enroll import ENROLLERS, Enrolled, EnrolledRecord
from registry.services.facts_relations import is_close
from registry.services.household import Changes, Household, HouseholdStore, categories_of, unmarked
from registry.services.kernel import Caller, Denied, Kernel, record_lines, view_of
from registry.services.notices import Notice, queue
from registry.services.ports import SubjectRow, Work
from registry.services.ports_erasure import FormerDirectory
from registry.services.replace_document import DocumentReplacer, held_ties
from registry.services.rerun import rerun_once
from registry.services.seal_people import VIA_API, VIA_SCIM, Batch, Sealer, tools_of
from registry.services.ties import TieChanges, lost_told, numbers_of, people_of, ties_told
from registry.services.values import Owner, subject_terms
from registry.text.intake import settle_versions
from registry.vault.blind_index import Posting
from registry.vault.sealed import SealedField
from registry.vault.vault import NewPerson

# Active records of one household: all of a card must fit into one entry, with room for older versions in a trace.
MAX_ACTIVE = 1_000


@dataclass(frozen=True, slots=True)
class UpdateAsk:
    """One update: whose, what, the version the caller believes to change (None: whichever it is), and the way in."""

    subject: SubjectId
    changes: SubjectChanges
    expected: int | None
    today: date
    via: str = VIA_API


class Along(NamedTuple):
    """What is settled in the transaction of an update: its entry, and whom that is told to."""

    draft: EntryDraft
    notices: Sequence[Notice]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the first transaction found out: directory data, and the names of every person."""

    version: int
    directory: Mapping[str, str] = field(repr=False)
    owners: Mapping[PersonId, Owner] = field(repr=False)


class _Planned(NamedTuple):
    """One subject as it is, what changes, and as it is to be."""

    household: Household
    changes: Changes
    subject: SubjectRow


class Update:
    """Changes subjects."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._sealer = Sealer(tools_of(kernel))
        self._households = HouseholdStore(kernel, self._sealer)
        self._replacer = DocumentReplacer(kernel, self._sealer, self._households)

    def update(
        self, caller: Caller, ask: UpdateAsk, along: Callable[[Work, Principal], Along] | None = None
    ) -> Enrolled:
        """Change one subject.

        Args:
            caller: an enroller.
            ask: what to change.
            along: what else is settled in the transaction; before it writes it may refuse and raise.

        Raises:
            AccessDenied: the caller is no enroller.
            NotFound: no such subject.
            Conflict: ``changed``: another version than expected.
            InvalidInput: a new value breaks its category's rule, or a named record or member is not there.
            ApprovalNeeded: it takes marks off or relations away, which is under dual control, and nobody has approved
                that.
        """
        return self.update_all(caller, (ask,), along)[0]

    @rerun_once
    def update_all(
        self, caller: Caller, asks: Sequence[UpdateAsk], along: Callable[[Work, Principal], Along] | None = None
    ) -> tuple[Enrolled, ...]:
        """Change several subjects, each once, all of them or none; see ``update``.

        Raises:
            AccessDenied, NotFound, Conflict, InvalidInput, ApprovalNeeded: as of ``update``, of any of them.
        """
        known = {ask.subject: self._look(caller, ask) for ask in asks}
        self._kernel.vault.stock(sum(len(ask.changes.add_family) + len(ask.changes.settled_family) for ask in asks))
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            work.subjects.lock([ask.subject for ask in asks])
            planned = [self._planned(work, principal, ask, known[ask.subject]) for ask in asks]
            for one in planned:
                if (act := self._guarded_act(one.household, one.changes, one.subject)) is not None:
                    demand_approved(self._kernel, work, principal, act)
            # After that: what is settled along must not be committed with a request that waits.
            settled = None if along is None else along(work, principal)
            for one in planned:
                _keep_directory(work, one.household.subject, one.subject)
            changes, subjects = [one.changes for one in planned], [one.subject for one in planned]
            self._households.write(work, changes, subjects, self._kernel.now_ms())
            drafts = [draft for one in planned for draft in _drafts(principal, one.subject, one.changes)]
            drafts += [] if settled is None else [settled.draft]
            pendings = self._kernel.log.append(work.ledger, drafts)
            queue(work, self._kernel, () if settled is None else settled.notices)
            work.commit()
        receipt = view_of(self._kernel.mint(pendings)[-1])
        return tuple(
            Enrolled(one.subject.id, one.subject.version, _answers(one.changes, known[one.subject.id]), receipt)
            for one in planned
        )

    def _planned(self, work: Work, principal: Principal, ask: UpdateAsk, known: _Known) -> _Planned:
        household = self._household(work, ask.subject)
        if not principal.roles & ENROLLERS:
            self._kernel.deny(work, principal, "update")
        if household is None or household.subject.version != known.version:
            self._refuse(work, principal, ask, "changed")
            raise Conflict("changed")
        self._demand_distance(work, principal, household.subject)
        try:
            batch = Batch(principal, ask.via, self._kernel.now_ms(), self._kernel.policy.version)
            changes, subject = self._plan(batch, household, ask, known)
        except InvalidInput:
            self._refuse(work, principal, ask, "invalid")
            raise
        return _Planned(household, changes, subject)

    @rerun_once
    def _look(self, caller: Caller, ask: UpdateAsk) -> _Known:
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ENROLLERS:
                self._kernel.deny(work, principal, "update")
            household = self._household(work, ask.subject)
            if household is None:
                values = said_by(principal) | {"result": "not_found", "detail": "update"}
                self._kernel.log.append(work.ledger, [EntryDraft(Kind.UPDATE, values)])
                work.commit()
                raise NotFound
            self._demand_distance(work, principal, household.subject)
            if ask.expected not in (None, household.subject.version):
                self._refuse(work, principal, ask, "changed")
                raise Conflict("changed")
            fields = _names_of(household)
            values = said_by(principal) | {"result": "opened", "detail": "names, to index changed values"}
            lines = record_lines(fields)
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.OPEN, values, (ask.subject,), lines)])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        self._households.prepare([household])
        directory, *members = (self._kernel.vault.open(sealed, receipt) for sealed in fields)
        names = directory.expose()
        owners = {household.subject.directory.person: Owner("", _person_names(names))}
        for sealed, member in zip(fields[1:], members, strict=True):
            owners[sealed.person] = Owner(member.member or "", _person_names(member.expose()))
        return _Known(household.subject.version, names, owners)

    def _demand_distance(self, work: Work, principal: Principal, subject: SubjectRow) -> None:
        """Refuse changes of oneself or of somebody close: relations, marks and numbers decide who may see them."""
        if is_close(self._kernel, work, principal, [subject]):
            denied = Denied(CONFLICT_OF_INTEREST, "update.own", "update")
            self._kernel.deny_about(work, principal, (subject.id,), denied)

    def _guarded_act(self, household: Household, changes: Changes, after: SubjectRow) -> Act | None:
        """Return what of a change another person has to approve: marks and ties that it takes away, as one act."""
        rules, before = self._kernel.rules.dual_control, household.subject
        marks = unmarked(household, changes) if Action.UNMARK in rules else ()
        held = held_ties(self._kernel, changes.batch) if Action.RELATIONS in rules else frozenset()
        lost = [tie for tie in self._sealer.ties.lost(before.id, before.ties, after.ties) if tie.kind in held]
        if not marks and not lost:
            return None
        told = ", ".join([*marks, *([f"takes away {lost_told(lost)}"] if lost else [])])
        tags = sorted(f"{tie.kind.name} {tie.tag.hex()}" for tie in lost)
        return Act(
            Action.UNMARK if marks else Action.RELATIONS,
            (before.id, *marks, *tags),
            f"of subject {before.id}: {told}",
            (before.id,),
            people_of(lost),
        )

    def _refuse(self, work: Work, principal: Principal, ask: UpdateAsk, why: str) -> None:
        values = {"result": f"refused {why}", "detail": "update"}
        self._kernel.note_refusal(work, principal, EntryDraft(Kind.UPDATE, values, (ask.subject,)))

    def _household(self, work: Work, subject: SubjectId) -> Household | None:
        row = work.subjects.by_ids([subject]).get(subject)
        return None if row is None else self._households.read(work, [row])[subject]

    def _plan(self, batch: Batch, household: Household, ask: UpdateAsk, known: _Known) -> tuple[Changes, SubjectRow]:
        changes = Changes(batch)
        asked = ask.changes
        owned = {person: (self._households.person(household, person), known.owners[person]) for person in known.owners}
        members = self._new_members(changes, household, asked)
        for number, entry in enumerate(asked.add_records):
            owner = self._owner(household, owned, members, (number, entry))
            self._sealer.record(batch, household.subject.id, entry, owner)
        if asked.settled_family or asked.settled_records:
            self._replacer.settle(changes, household, asked, owned)
        if len(household.active()) + len(batch.records) > MAX_ACTIVE:
            raise InvalidInput([FieldProblem("/add_records", "too_many")])
        for version in settle_versions(asked.versions, categories_of(household), today=ask.today):
            row = household.records[version.record]
            self._households.new_version(changes, row, version.value, owned[row.person])
        active = {row.id: row for row in household.active()}
        _demand_records(active, asked)
        for mark in asked.marks:
            self._households.new_mark(changes, household, active[mark.record], mark.mark)
        changes.ended += list(asked.ends)
        return changes, self._subject(changes, household, (asked, members), known)

    def _new_members(
        self, changes: Changes, household: Household, asked: SubjectChanges
    ) -> dict[str | None, tuple[NewPerson, Owner]]:
        for number, member in enumerate(asked.add_family):
            if household.member_by_tag(self._sealer.ref_tag(household.subject.id, member.ref)) is not None:
                raise InvalidInput([FieldProblem(f"/add_family/{number}/ref", "exists")])
        return self._sealer.household(changes.batch, household.subject.id, asked.add_family)

    def _owner(
        self,
        household: Household,
        owned: Mapping[PersonId, tuple[NewPerson, Owner]],
        members: Mapping[str | None, tuple[NewPerson, Owner]],
        numbered: tuple[int, RecordEntry],
    ) -> tuple[NewPerson, Owner]:
        number, entry = numbered
        if entry.member is None:
            return owned[household.subject.directory.person]
        found = members.get(entry.member) or owned.get(PersonId(entry.member))
        if found is None:
            raise InvalidInput([FieldProblem(f"/add_records/{number}/member", "unknown_member")])
        return found

    def _subject(
        self,
        changes: Changes,
        household: Household,
        wanted: tuple[SubjectChanges, Mapping[str | None, tuple[NewPerson, Owner]]],
        known: _Known,
    ) -> SubjectRow:
        before = self._retied(changes, household.subject, wanted, known)
        asked, _ = wanted
        new = {
            name: given
            for name in ("given_name", "family_name", "department", "title")
            if (given := getattr(asked, name)) is not None
        }
        # Any other content than the last whole document: an import of that document is a change again.
        content_tag = self._kernel.index.tag("enrollment-changed", before.content_tag)
        if not new:
            return replace(before, content_tag=content_tag, version=before.version + 1)
        merged = {**known.directory, **new}
        document = Enrollment(
            employee_number=merged["employee_number"],
            given_name=merged["given_name"],
            family_name=merged["family_name"],
            department=merged["department"],
            title=merged["title"],
        )
        own = self._households.person(household, before.directory.person)
        version = before.directory.version + 1
        directory = self._sealer.directory(own, before.id, version, document)
        terms = subject_terms(document)
        changes.batch.postings += [(term, Posting(before.id, version)) for term in terms]
        return replace(before, content_tag=content_tag, directory=directory, version=before.version + 1)

    def _retied(
        self,
        changes: Changes,
        before: SubjectRow,
        wanted: tuple[SubjectChanges, Mapping[str | None, tuple[NewPerson, Owner]]],
        known: _Known,
    ) -> SubjectRow:
        asked, members = wanted
        persons = {ref: person.id for ref, (person, _) in members.items() if ref}
        is_first = before.ties is None  # enrolled before there were ties
        tied = TieChanges(
            department=asked.department or (known.directory["department"] if is_first else None),
            supervisor=asked.supervisor,
            relations=asked.relations,
            members=numbers_of(asked.add_family, persons),
            addresses=tuple(changes.batch.addresses),
            gone=frozenset(asked.ends),
        )
        ties = self._sealer.ties.changed(before.id, before.ties, tied)
        if changes.batch.via == VIA_SCIM:
            ties = self._sealer.ties.kept(before.id, before.ties, ties, held_ties(self._kernel, changes.batch))
        return replace(before, ties=ties)


def _keep_directory(work: Work, before: SubjectRow, after: SubjectRow) -> None:
    """Keep what somebody was called before: else nobody could tell what to erase them from the index by."""
    was = before.directory
    if after.directory.version != was.version:
        work.erasures.keep_directory(FormerDirectory(before.id, was.version, was.sealed, was.digest))


def _names_of(household: Household) -> list[SealedField]:
    family = [row.field for row in household.active() if row.category is Category.FAMILY_MEMBER]
    return [household.subject.directory, *family]


def _person_names(value: Mapping[str, str]) -> PersonNames:
    return PersonNames(value["given_name"], value["family_name"])


def _demand_records(active: Mapping[RecordId, object], asked: SubjectChanges) -> None:
    problems = [
        FieldProblem(f"/marks/{number}/record", "unknown_record")
        for number, change in enumerate(asked.marks)
        if change.record not in active
    ]
    problems += [
        FieldProblem(f"/ends/{number}/record", "unknown_record")
        for number, record in enumerate(asked.ends)
        if record not in active
    ]
    if problems:
        raise InvalidInput(problems)


def _drafts(principal: Principal, subject: SubjectRow, changes: Changes) -> list[EntryDraft]:
    rules = f"{changes.batch.policy} role.enroller"
    marked = {row.id for row in changes.marked}
    drafts = []
    if changes.marked:
        tiers = " ".join(f"{row.id}={row.tier.value}" for row in changes.marked)
        values = said_by(principal) | {"result": "marked", "rules": rules, "detail": tiers}
        lines = record_lines(row.field for row in changes.replaced if row.id in marked)
        drafts.append(EntryDraft(Kind.MARK, values, (subject.id,), lines))
    detail = f"via {changes.batch.via}{changes.said()}{ties_told(subject.ties)}"
    values = said_by(principal) | {"result": "updated", "rules": rules, "detail": detail}
    lines = record_lines((subject.directory, *changes.touched()))
    drafts.append(EntryDraft(Kind.UPDATE, values, (subject.id,), lines))
    return drafts


def _answers(changes: Changes, known: _Known) -> tuple[EnrolledRecord, ...]:
    refs = {person: owner.member or None for person, owner in known.owners.items()}
    rows = [*changes.batch.records, *changes.replaced]
    return tuple(EnrolledRecord(row.id, row.category, refs.get(row.person), row.field.version) for row in rows)
