"""Subjects that an HR system keeps up to date under names of its own (SCIM), and whether it says they are employed.

People are enrolled and changed by the same services as everywhere, in the same transaction as the names. That
employment ends, and that a system keeps somebody no longer, is written down; no protection ends by it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.crypto.tags import equal
from registry.domain.enrollment import Enrollment, SubjectChanges
from registry.domain.errors import Conflict, NotFound
from registry.domain.ids import ProvisionId, RecordId, SubjectId, new_id
from registry.domain.principals import Principal
from registry.services.enroll import ENROLLERS, Along, Enroll
from registry.services.kernel import Caller, Kernel, ReceiptView, record_lines, view_of
from registry.services.ports import SubjectRow, Work
from registry.services.ports_provisions import ProvisionRow, ProvisionState
from registry.services.rerun import rerun_once
from registry.services.seal_people import VIA_SCIM
from registry.services.update import Along as AlongUpdate
from registry.services.update import Update, UpdateAsk
from registry.vault.revealed import RevealedField
from registry.vault.sealed import PROVISION as _PROVISION
from registry.vault.vault import Place

# As of a search: what one entry names of people.
MAX_PAGE = 25
BY_ID = "provision"
USER_NAME = "user_name"
OUTSIDE_ID = "outside_id"


@dataclass(frozen=True, slots=True)
class ProvidedNames:
    """By what the HR system knows somebody: its name for the account, and its own id or an empty text."""

    user_name: str = field(repr=False)
    outside_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Provided:
    """Somebody to provision: names, a whole enrollment, and whether they are employed."""

    names: ProvidedNames
    enrollment: Enrollment = field(repr=False)
    is_employed: bool
    today: date


@dataclass(frozen=True, slots=True)
class ProvisionChange:
    """A change of somebody provisioned.

    Attributes:
        provision: who.
        changes: of the subject, possibly none.
        employee_number: as the caller believes it to be, which it stays; None: not said.
        names: both new names; None leaves them.
        is_employed: None leaves it.
        expected: the subject's version that the caller believes to change; None: whichever it is.
        today: the day to judge dates by.
    """

    provision: ProvisionId
    changes: SubjectChanges
    employee_number: str | None = field(repr=False)
    names: ProvidedNames | None
    is_employed: bool | None
    expected: int | None
    today: date


class Provisioned(NamedTuple):
    """What a write answers: how it stands now, nothing of what it is about."""

    row: ProvisionRow
    version: int
    receipt: ReceiptView


class Seen(NamedTuple):
    """One provisioned subject: directory data and names opened, and what stands beside them."""

    row: ProvisionRow
    version: int
    directory: RevealedField
    names: RevealedField


class Found(NamedTuple):
    """A page of those that were wanted, and how many there are in all."""

    seen: tuple[Seen, ...]
    total: int
    receipt: ReceiptView


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a reading is after.

    Attributes:
        by: ``provision``, ``user_name``, ``outside_id``, ``employee_number`` or ``page``.
        term: the text; for a page its place.
        start, limit: the page; place from 0.
    """

    by: str
    term: str = field(repr=False)
    start: int = 0
    limit: int = MAX_PAGE


class Provision:
    """Keeps provisions, and the subjects behind them."""

    def __init__(self, kernel: Kernel, enroll: Enroll, update: Update) -> None:
        self._kernel = kernel
        self._enroll = enroll
        self._update = update

    def create(self, caller: Caller, provided: Provided) -> Provisioned:
        """Provision somebody; whoever is enrolled already is brought to what is said of them.

        Raises:
            AccessDenied: the caller is no enroller.
            Conflict: ``exists``: the name is taken, or an HR system provisions them already.
        """
        made: list[ProvisionRow] = []

        def store(work: Work, principal: Principal, subject: SubjectRow) -> EntryDraft:
            made[:] = [self._new(provided, subject)]
            work.provisions.insert(made[0])
            return self._told(principal, None, made[0])

        known = self._demand_free(caller, provided)
        if known is None:
            enrolled = self._enroll.enroll(caller, provided.enrollment, along=Along(VIA_SCIM, store))
        else:

            def along(work: Work, principal: Principal) -> AlongUpdate:
                return AlongUpdate(store(work, principal, known), ())

            ask = UpdateAsk(known.id, _as_changes(provided.enrollment), known.version, provided.today, VIA_SCIM)
            enrolled = self._update.update(caller, ask, along)
        return Provisioned(made[0], enrolled.version, enrolled.receipt)

    def change(self, caller: Caller, change: ProvisionChange) -> Provisioned:
        """Change somebody provisioned.

        Raises:
            AccessDenied: the caller is no enroller.
            NotFound: nobody is provisioned under this id.
            Conflict: ``changed``: another version than expected; ``exists``: the new name is taken; ``immutable``: the
                employee number is another one.
            InvalidInput: a new value breaks its category's rule.
        """
        state = None if change.is_employed is None else _state_of(is_employed=change.is_employed)
        return self._changed(caller, change, state)

    def remove(self, caller: Caller, provision: ProvisionId, expected: int | None, today: date) -> ReceiptView:
        """Write down that the HR system keeps somebody no longer; every record stays as protected as it was.

        Raises:
            AccessDenied: the caller is no enroller.
            NotFound: nobody is provisioned under this id.
            Conflict: ``changed``: another version than expected.
        """
        nothing = ProvisionChange(provision, SubjectChanges(), None, None, None, expected, today)
        return self._changed(caller, nothing, ProvisionState.REMOVED).receipt

    @rerun_once
    def find(self, caller: Caller, wanted: Wanted) -> Found:
        """Read directory data and names of those who are wanted; one entry that names them all.

        Raises:
            AccessDenied: the caller is no enroller.
            NotFound: wanted by id, and nobody is provisioned under it.
        """
        with self._kernel.database.write() as work:
            principal = self._demand_enroller(work, caller, "read provisioned")
            rows, total = self._rows(work, wanted)
            subjects = work.subjects.by_ids(row.subject for row in rows)
            (pending,) = self._kernel.log.append(work.ledger, [self._draft(principal, wanted, rows, subjects.values())])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if wanted.by == BY_ID and not rows:
            raise NotFound
        self._kernel.vault.prepare(row.names for row in rows)
        opened = self._kernel.vault.open
        seen = tuple(
            Seen(row, subject.version, opened(subject.directory, receipt), opened(row.names, receipt))
            for row in rows
            for subject in (subjects[row.subject],)
        )
        return Found(seen, total, view_of(receipt))

    def _draft(
        self, principal: Principal, wanted: Wanted, rows: Sequence[ProvisionRow], subjects: Iterable[SubjectRow]
    ) -> EntryDraft:
        term = f"{wanted.by} {wanted.term} {wanted.start} {wanted.limit}".encode()
        values = said_by(principal) | {
            "request": f"{wanted.by} {self._kernel.index.tag('search-term', term).hex()}",
            "result": f"hits {len(rows)}",
            "rules": self._kernel.policy.rules("role.enroller"),
            "detail": f"via {VIA_SCIM}",
        }
        lines = record_lines([*(row.directory for row in subjects), *(row.names for row in rows)])
        return EntryDraft(Kind.SEARCH, values, tuple(sorted({row.subject for row in rows})), lines)

    def _rows(self, work: Work, wanted: Wanted) -> tuple[list[ProvisionRow], int]:
        if wanted.by == "page":
            return list(work.provisions.page(wanted.start, wanted.limit)), work.provisions.count()
        found = [row for row in self._named(work, wanted) if row.state is not ProvisionState.REMOVED]
        return found[wanted.start : wanted.start + wanted.limit], len(found)

    def _named(self, work: Work, wanted: Wanted) -> Sequence[ProvisionRow]:
        if wanted.by == BY_ID:
            return work.provisions.by_ids([ProvisionId(wanted.term)])
        if wanted.by == USER_NAME:
            row = work.provisions.by_user_tag(self._tag(USER_NAME, wanted.term))
            return [] if row is None else [row]
        if wanted.by == OUTSIDE_ID:
            return work.provisions.by_outside_tag(self._tag(OUTSIDE_ID, wanted.term), MAX_PAGE)
        subjects = work.subjects.by_number_tags([self._kernel.number_tag(wanted.term)])
        return work.provisions.of_subjects(row.id for row in subjects.values())

    def _changed(self, caller: Caller, change: ProvisionChange, state: ProvisionState | None) -> Provisioned:
        before, version = self._before(caller, change)
        after: list[ProvisionRow] = []

        def along(work: Work, principal: Principal) -> AlongUpdate:
            # Any change of it makes a new version of the subject, so it is as it was read before.
            after[:] = [self._after(before, change.names, state)]
            work.provisions.update(after[0])
            return AlongUpdate(self._told(principal, before, after[0]), ())

        ask = UpdateAsk(before.subject, change.changes, version, change.today, VIA_SCIM)
        enrolled = self._update.update(caller, ask, along)
        return Provisioned(after[0], enrolled.version, enrolled.receipt)

    def _after(self, before: ProvisionRow, names: ProvidedNames | None, state: ProvisionState | None) -> ProvisionRow:
        row = replace(before, updated_at=self._kernel.now_ms())
        if names is not None:
            sealed = before.names
            place = Place(sealed.subject, sealed.person, sealed.record, _PROVISION, sealed.version + 1)
            person = self._kernel.vault.known_person(sealed.person, sealed.key)
            row = replace(
                row,
                names=self._kernel.vault.seal(person, place, _sealed(names)),
                user_tag=self._tag(USER_NAME, names.user_name),
                outside_tag=self._outside_tag(names),
            )
        if state is ProvisionState.REMOVED:
            row = replace(row, user_tag=None, outside_tag=None)
        return row if state is None else replace(row, state=state)

    def _new(self, provided: Provided, subject: SubjectRow) -> ProvisionRow:
        own, fresh, now_ms = subject.directory, ProvisionId(new_id()), self._kernel.now_ms()
        person = self._kernel.vault.known_person(own.person, own.key)
        place = Place(subject.id, own.person, RecordId(fresh), _PROVISION, 1)
        return ProvisionRow(
            id=fresh,
            user_tag=self._tag(USER_NAME, provided.names.user_name),
            outside_tag=self._outside_tag(provided.names),
            state=_state_of(is_employed=provided.is_employed),
            created_at=now_ms,
            updated_at=now_ms,
            names=self._kernel.vault.seal(person, place, _sealed(provided.names)),
        )

    def _told(self, principal: Principal, before: ProvisionRow | None, row: ProvisionRow) -> EntryDraft:
        values = said_by(principal) | {
            "result": "updated",
            "rules": self._kernel.policy.rules("role.enroller"),
            "detail": f"via {VIA_SCIM}; provision {row.id} {row.state}",
        }
        is_new = before is None or before.names.version != row.names.version
        return EntryDraft(Kind.UPDATE, values, (row.subject,), record_lines([row.names] if is_new else []))

    @rerun_once
    def _before(self, caller: Caller, change: ProvisionChange) -> tuple[ProvisionRow, int]:
        """Return how it stands, with the subject's version; a refusal is an entry."""
        with self._kernel.database.write() as work:
            principal = self._demand_enroller(work, caller, "update")
            row = next(iter(work.provisions.by_ids([change.provision])), None)
            if row is None or row.state is ProvisionState.REMOVED:
                self._refuse(work, principal, "not_found")
                raise NotFound
            subject = work.subjects.by_ids([row.subject])[row.subject]
            if change.employee_number is not None and not equal(
                self._kernel.number_tag(change.employee_number), subject.number_tag
            ):
                self._refuse(work, principal, "refused immutable", row.subject)
                raise Conflict("immutable")
            if change.expected not in (None, subject.version):
                self._refuse(work, principal, "refused changed", row.subject)
                raise Conflict("changed")
            if change.names is not None:
                holder = work.provisions.by_user_tag(self._tag(USER_NAME, change.names.user_name))
                if holder is not None and holder.id != row.id:
                    self._refuse(work, principal, "refused exists", row.subject)
                    raise Conflict("exists")
        return row, subject.version

    @rerun_once
    def _demand_free(self, caller: Caller, provided: Provided) -> SubjectRow | None:
        """Return the subject if they are enrolled already; refuse a name or a person that is provisioned."""
        with self._kernel.database.write() as work:
            principal = self._demand_enroller(work, caller, "enroll")
            tag = self._kernel.number_tag(provided.enrollment.employee_number)
            known = work.subjects.by_number_tags([tag]).get(tag)
            held = [] if known is None else work.provisions.of_subjects([known.id])
            is_held = any(row.state is not ProvisionState.REMOVED for row in held)
            if is_held or work.provisions.by_user_tag(self._tag(USER_NAME, provided.names.user_name)) is not None:
                self._refuse(work, principal, "refused exists")
                raise Conflict("exists")
        return known

    def _demand_enroller(self, work: Work, caller: Caller, action: str) -> Principal:
        principal = self._kernel.principal(work, caller)
        if not principal.roles & ENROLLERS:
            self._kernel.deny(work, principal, action)
        return principal

    def _refuse(self, work: Work, principal: Principal, result: str, subject: SubjectId | None = None) -> None:
        values = {"result": result, "detail": f"via {VIA_SCIM}"}
        subjects = () if subject is None else (subject,)
        if subject is not None:
            work.subjects.lock([subject])
        self._kernel.note_refusal(work, principal, EntryDraft(Kind.UPDATE, values, subjects))

    def _tag(self, what: str, text: str) -> bytes:
        # A name for an account is one name however it is written; an id of another system is exactly itself.
        same = unicodedata.normalize("NFKC", text).casefold() if what == USER_NAME else text
        return self._kernel.index.tag(f"provision-{what}", same.encode())

    def _outside_tag(self, names: ProvidedNames) -> bytes | None:
        return self._tag(OUTSIDE_ID, names.outside_id) if names.outside_id else None


def _state_of(*, is_employed: bool) -> ProvisionState:
    return ProvisionState.EMPLOYED if is_employed else ProvisionState.LEFT


def _sealed(names: ProvidedNames) -> dict[str, str]:
    return {USER_NAME: names.user_name, OUTSIDE_ID: names.outside_id}


def _as_changes(enrollment: Enrollment) -> SubjectChanges:
    """Say a whole document as what is to stand of somebody who is enrolled; what it lacks stays."""
    return SubjectChanges(
        given_name=enrollment.given_name or None,
        family_name=enrollment.family_name or None,
        department=enrollment.department,
        title=enrollment.title or None,
        supervisor=enrollment.supervisor or None,
        settled_family=enrollment.family,
        settled_records=enrollment.records,
    )
