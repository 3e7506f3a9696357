"""Units that an HR system keeps as groups. Whoever's department is the unit's name is in it, and stands nowhere else.

So there is one truth, a person is in one unit, and whoever joins or leaves is changed by the service that changes
people: with its entries, and with the rules of who may not look at whom. A table of members would show a thief of the
database who works with whom.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import UNIT_WRITTEN, Kind
from registry.domain.enrollment import FieldProblem, SubjectChanges
from registry.domain.errors import Conflict, InvalidInput, NotFound
from registry.domain.ids import ProvisionId, SubjectId, UnitId, new_id
from registry.domain.principals import Principal
from registry.services.enroll import ENROLLERS
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import ACTIVE, SubjectRow, Work
from registry.services.ports_provisions import ProvisionState
from registry.services.ports_units import UnitRow
from registry.services.provision import MAX_PAGE, Wanted
from registry.services.rerun import rerun_once
from registry.services.seal_people import VIA_SCIM
from registry.services.update import Along, Update, UpdateAsk
from registry.services.values import department_term
from registry.vault.blind_index import Posting
from registry.vault.unit_names import UnitNames

BY_UNIT = "unit"
NAME = "name"
OUTSIDE_ID = "outside_id"
# Postings of a department that are read, former members' too; a larger unit is not listed.
MAX_POSTINGS = 20_000
# People whom one change moves: they are held, with the ledger's head, until all have been.
MAX_MOVES = 100
NO_UNIT = ""
_MEMBERS = "/members"
_VERSION_DIGITS = 16


@dataclass(frozen=True, slots=True)
class UnitName:
    """What the HR system calls a unit: a name, which is its people's department, and its own id or an empty text."""

    name: str = field(repr=False)
    outside_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MemberChange:
    """Who is to be in a unit.

    Attributes:
        only: everybody who is to be in it; None: whoever is.
        joining, leaving: who else is to be in it, and who is not.
    """

    only: frozenset[ProvisionId] | None = None
    joining: frozenset[ProvisionId] = frozenset()
    leaving: frozenset[ProvisionId] = frozenset()

    def of(self, present: frozenset[ProvisionId]) -> frozenset[ProvisionId]:
        """Return who is in it afterwards."""
        return ((present if self.only is None else self.only) | self.joining) - self.leaving


@dataclass(frozen=True, slots=True)
class UnitChange:
    """A change of a unit.

    Attributes:
        unit: which.
        name, outside_id: new ones; None leaves them, an empty outside id takes it away.
        members: who is to be in it.
        expected: the version that the caller believes to change; None: whichever it is.
        today: the day to judge dates by.
    """

    unit: UnitId
    name: str | None = field(repr=False)
    outside_id: str | None = field(repr=False)
    members: MemberChange
    expected: str | None
    today: date


class UnitSeen(NamedTuple):
    """One unit as it stands.

    Attributes:
        row, names: the row, and its names.
        members: ids of those in it; None where they were not asked for.
        version: of names and members together; empty where members were not asked for.
    """

    row: UnitRow
    names: UnitName
    members: tuple[ProvisionId, ...] | None
    version: str


class UnitsFound(NamedTuple):
    """A page of those that were wanted, and how many there are in all."""

    seen: tuple[UnitSeen, ...]
    total: int
    receipt: ReceiptView


class _Standing(NamedTuple):
    """What a change starts from: the unit, and who is in it, by the ids that the HR system has for them."""

    row: UnitRow
    names: UnitName
    members: dict[ProvisionId, SubjectRow]


class _Told(NamedTuple):
    """A write of a unit: which, what its entry says was done, and what stores it or says why it cannot."""

    unit: UnitId
    what: str
    store: Callable[[Work], str]


class Units:
    """Keeps units, and moves people between them."""

    def __init__(self, kernel: Kernel, update: Update, names: UnitNames) -> None:
        self._kernel = kernel
        self._update = update
        self._names = names

    def create(self, caller: Caller, names: UnitName, joining: frozenset[ProvisionId], today: date) -> ReceiptView:
        """Make a unit. Whoever's department it is already is in it.

        Args:
            caller: an enroller.
            names: what it is called.
            joining: who joins it, and so leaves the unit that they are in.
            today: the day to judge dates by.

        Returns:
            The receipt; the unit is found by its name.

        Raises:
            AccessDenied: the caller is no enroller.
            Conflict: ``exists``: there is a unit of that name.
            InvalidInput: somebody is not provisioned, or too many are moved.
        """
        now_ms, fresh = self._kernel.now_ms(), UnitId(new_id())
        row = UnitRow(fresh, None, None, 1, now_ms, now_ms, b"")
        standing = self._before_new(caller, names)
        moves = self._moves(caller, (standing, names.name), MemberChange(joining=joining), today)

        def store(work: Work) -> str:
            if work.units.by_name_tag(self._name_tag(names.name)) is not None:
                return "exists"
            work.units.insert(self._named(row, names))
            return ""

        return self._done(caller, moves, _Told(fresh, "made", store))

    def change(self, caller: Caller, change: UnitChange) -> ReceiptView:
        """Change a unit.

        Raises:
            AccessDenied: the caller is no enroller.
            NotFound: there is no such unit.
            Conflict: ``changed``: another version than expected; ``exists``: there is a unit of the new name.
            InvalidInput: somebody is not provisioned, or too many are moved.
        """
        before = self._before(caller, change.unit, change.expected)
        outside = before.names.outside_id if change.outside_id is None else change.outside_id
        names = UnitName(before.names.name if change.name is None else change.name, outside)
        self._demand_free(caller, before, names)
        moves = self._moves(caller, (before, names.name), change.members, change.today)
        after = replace(before.row, version=before.row.version + 1, updated_at=self._kernel.now_ms())

        def store(work: Work) -> str:
            return "" if work.units.replace(self._named(after, names)) else "changed"

        return self._done(caller, moves, _Told(change.unit, "changed", store))

    def remove(self, caller: Caller, unit: UnitId, expected: str | None) -> ReceiptView:
        """Keep a unit no longer. Nobody's department changes by it: that is theirs, and conflicts go by it.

        Raises:
            AccessDenied, NotFound, Conflict: as of ``change``.
        """
        before = self._before(caller, unit, expected)
        version = before.row.version + 1
        gone = self._names.seal(unit, version, {NAME: "", OUTSIDE_ID: ""})
        after = UnitRow(unit, None, None, version, before.row.created_at, self._kernel.now_ms(), gone)

        def store(work: Work) -> str:
            return "" if work.units.replace(after) else "changed"

        return self._done(caller, (), _Told(unit, "removed", store))

    @rerun_once
    def find(self, caller: Caller, wanted: Wanted, *, shows_members: bool) -> UnitsFound:
        """Read units; one entry, which says how many people they have but names none: their ids alone are shown.

        Args:
            caller: an enroller.
            wanted: by ``unit``, ``name``, ``outside_id`` or ``page``.
            shows_members: whether who is in them is read too.

        Raises:
            AccessDenied: the caller is no enroller.
            NotFound: wanted by id, and there is no such unit.
            InvalidInput: ``too_many`` members to list.
        """
        with self._kernel.database.write() as work:
            principal = self._demand_enroller(work, caller, "read units")
            rows, total = self._rows(work, wanted)
            seen = tuple(self._seen(work, row, shows_members=shows_members) for row in rows)
            term = f"{BY_UNIT} {wanted.by} {wanted.term} {wanted.start} {wanted.limit}".encode()
            values = said_by(principal) | {
                "request": f"{BY_UNIT} {self._kernel.index.tag('search-term', term).hex()}",
                "result": f"hits {len(rows)}",
                "rules": self._kernel.policy.rules("role.enroller"),
                "detail": f"via {VIA_SCIM}; members {sum(len(one.members or ()) for one in seen)}",
            }
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.SEARCH, values)])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if wanted.by == BY_UNIT and not rows:
            raise NotFound
        return UnitsFound(seen, total, view_of(receipt))

    def _seen(self, work: Work, row: UnitRow, *, shows_members: bool) -> UnitSeen:
        names = self._opened(row)
        if not shows_members:
            return UnitSeen(row, names, None, "")
        members = tuple(sorted(self._members(work, names.name)))
        return UnitSeen(row, names, members, _version(row, members))

    def _rows(self, work: Work, wanted: Wanted) -> tuple[Sequence[UnitRow], int]:
        if wanted.by == "page":
            return work.units.page(wanted.start, wanted.limit), work.units.count()
        found: list[UnitRow | None] = []
        if wanted.by == BY_UNIT:
            found = [work.units.by_id(UnitId(wanted.term))]
        elif wanted.by == NAME:
            found = [work.units.by_name_tag(self._name_tag(wanted.term))]
        else:
            found = list(work.units.by_outside_tag(self._outside_tag(wanted.term) or b"", MAX_PAGE))
        rows = [row for row in found if row is not None]
        return rows[wanted.start : wanted.start + wanted.limit], len(rows)

    def _members(self, work: Work, name: str) -> dict[ProvisionId, SubjectRow]:
        """Return who is in a unit and provisioned, whoever enrolled them.

        Raises:
            InvalidInput: ``too_many``.
        """
        term = department_term(name)
        found = self._kernel.index.look_up(work.postings, (term,), cap=MAX_POSTINGS).get(term, ())
        if len(found) == MAX_POSTINGS:
            raise InvalidInput([FieldProblem(_MEMBERS, "too_many")])
        postings = frozenset(found)
        rows = work.subjects.by_ids({SubjectId(posting.target) for posting in postings})
        # A posting of an earlier version speaks of a unit that somebody has left.
        current = {
            row.id: row
            for row in rows.values()
            if row.state == ACTIVE and Posting(row.id, row.directory.version) in postings
        }
        kept = (row for row in work.provisions.of_subjects(current) if row.state is not ProvisionState.REMOVED)
        return {row.id: current[row.subject] for row in kept}

    @rerun_once
    def _before_new(self, caller: Caller, names: UnitName) -> _Standing:
        """Return how a unit stands that is yet to be made; a refusal is an entry."""
        with self._kernel.database.write() as work:
            principal = self._demand_enroller(work, caller, "provision")
            if work.units.by_name_tag(self._name_tag(names.name)) is not None:
                self._refuse(work, principal, "refused exists")
                raise Conflict("exists")
            row = UnitRow(UnitId(""), None, None, 0, 0, 0, b"")
            return _Standing(row, names, self._members(work, names.name))

    @rerun_once
    def _before(self, caller: Caller, unit: UnitId, expected: str | None) -> _Standing:
        """Return how a unit stands; a refusal is an entry."""
        with self._kernel.database.write() as work:
            principal = self._demand_enroller(work, caller, "provision")
            row = work.units.by_id(unit)
            if row is None:
                self._refuse(work, principal, "not_found")
                raise NotFound
            names = self._opened(row)
            members = self._members(work, names.name)
            if expected not in (None, _version(row, members)):
                self._refuse(work, principal, "refused changed")
                raise Conflict("changed")
            return _Standing(row, names, members)

    @rerun_once
    def _demand_free(self, caller: Caller, before: _Standing, names: UnitName) -> None:
        if self._name_tag(names.name) == before.row.name_tag:
            return
        with self._kernel.database.write() as work:
            principal = self._demand_enroller(work, caller, "provision")
            if work.units.by_name_tag(self._name_tag(names.name)) is not None:
                self._refuse(work, principal, "refused exists")
                raise Conflict("exists")

    @rerun_once
    def _moves(
        self, caller: Caller, unit: tuple[_Standing, str], members: MemberChange, today: date
    ) -> tuple[UpdateAsk, ...]:
        """Return whose department becomes what, for people as they are now; a refusal is an entry."""
        before, name = unit
        present = frozenset(before.members)
        after = members.of(present)
        with self._kernel.database.write() as work:
            principal = self._demand_enroller(work, caller, "provision")
            found = work.provisions.by_ids(sorted(after - present))
            joining = {row.id: row.subject for row in found if row.state is not ProvisionState.REMOVED}
            rows = work.subjects.by_ids(joining.values())
            people = {each: rows[subject] for each, subject in joining.items()} | before.members
            if not after <= people.keys():
                self._refuse(work, principal, "refused invalid")
                raise InvalidInput([FieldProblem(_MEMBERS, "unknown_member")])
            is_renamed = self._name_tag(name) != self._name_tag(before.names.name)
            moves = dict.fromkeys(sorted(after if is_renamed else after - present), name)
            moves |= dict.fromkeys(sorted(present - after), NO_UNIT)
            if len(moves) > MAX_MOVES:
                self._refuse(work, principal, "refused invalid")
                raise InvalidInput([FieldProblem(_MEMBERS, "too_many")])
        return tuple(
            # Whoever changes in between is not taken out of a unit that they have just joined.
            UpdateAsk(people[each].id, SubjectChanges(department=to), people[each].version, today, VIA_SCIM)
            for each, to in moves.items()
        )

    @rerun_once
    def _done(self, caller: Caller, moves: Sequence[UpdateAsk], told: _Told) -> ReceiptView:
        if moves:

            def along(work: Work, principal: Principal) -> Along:
                return Along(self._stored(work, principal, told, moves), ())

            return self._update.update_all(caller, moves, along)[0].receipt
        with self._kernel.database.write() as work:
            principal = self._demand_enroller(work, caller, "provision")
            (pending,) = self._kernel.log.append(work.ledger, [self._stored(work, principal, told, ())])
            work.commit()
        return view_of(self._kernel.mint_one(pending))

    def _stored(self, work: Work, principal: Principal, told: _Told, moves: Sequence[UpdateAsk]) -> EntryDraft:
        """Store a unit and return its entry; people's own entries say who joined and left."""
        if code := told.store(work):
            self._refuse(work, principal, f"refused {code}")
            raise Conflict(code)
        left = sum(ask.changes.department == NO_UNIT for ask in moves)
        values = said_by(principal) | {
            "result": f"{UNIT_WRITTEN}{told.what}",
            "rules": self._kernel.policy.rules("role.enroller"),
            "detail": f"via {VIA_SCIM}; unit {told.unit}; joined {len(moves) - left}; left {left}",
        }
        return EntryDraft(Kind.UPDATE, values)

    def _demand_enroller(self, work: Work, caller: Caller, action: str) -> Principal:
        principal = self._kernel.principal(work, caller)
        if not principal.roles & ENROLLERS:
            self._kernel.deny(work, principal, action)
        return principal

    def _refuse(self, work: Work, principal: Principal, result: str) -> None:
        values = {"result": result, "detail": f"via {VIA_SCIM}; unit"}
        self._kernel.note_refusal(work, principal, EntryDraft(Kind.UPDATE, values))

    def _named(self, row: UnitRow, names: UnitName) -> UnitRow:
        sealed = self._names.seal(row.id, row.version, {NAME: names.name, OUTSIDE_ID: names.outside_id})
        return replace(
            row,
            name_tag=self._name_tag(names.name),
            outside_tag=self._outside_tag(names.outside_id),
            names=sealed,
        )

    def _opened(self, row: UnitRow) -> UnitName:
        names = self._names.open(row.id, row.version, row.names)
        return UnitName(names[NAME], names[OUTSIDE_ID])

    def _name_tag(self, name: str) -> bytes:
        # Written the way departments are told apart by: one department is one unit.
        return self._kernel.index.tag("unit-name", department_term(name).text.encode())

    def _outside_tag(self, outside_id: str) -> bytes | None:
        return self._kernel.index.tag("unit-outside-id", outside_id.encode()) if outside_id else None


def _version(row: UnitRow, members: Iterable[ProvisionId]) -> str:
    told = " ".join([str(row.version), *sorted(members)])
    return hashlib.sha256(told.encode()).hexdigest()[:_VERSION_DIGITS]
