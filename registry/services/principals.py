"""Principals: who may act, in which roles. Joiners, movers and leavers; every grant is an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.crypto.tags import equal
from registry.domain.approvals import Action
from registry.domain.duties import conflicting, conflicting_across, needs_number
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput, NotFound
from registry.domain.ids import PrincipalId, SubjectId, new_id
from registry.domain.principals import Principal, Role
from registry.services.dual_control import Act, demand_approved
from registry.services.kernel import UNKNOWN_PRINCIPAL, Caller, Kernel, ReceiptView, view_of
from registry.services.ports import ACTIVE, ENDED, LOCKED, PrincipalRow, Work
from registry.services.rerun import rerun_once

ADMINS = frozenset({Role.SECURITY_ADMIN})
CONFLICTING_ROLES = "conflicting_roles"
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a principal is to be.

    Attributes:
        issuer, sub: as its tokens name it.
        roles: all its roles from now on; none ends it.
        employee_number: its own, so that conflict rules and its own portal work; None keeps what is there.
        unit: organisational unit; empty keeps what is there.
        supervisor: employee number of its supervisor; None keeps what is there.
    """

    issuer: str
    sub: str
    roles: frozenset[Role]
    employee_number: str | None = field(default=None, repr=False)
    unit: str = ""
    supervisor: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Move:
    """What changes for a principal that is there.

    Attributes:
        roles: all its roles from now on; None keeps them.
        unit: None keeps it.
        supervisor: employee number; empty takes it away, None keeps it.
    """

    roles: frozenset[Role] | None = None
    unit: str | None = None
    supervisor: str | None = field(default=None, repr=False)


LEAVE = Move(roles=frozenset())


@dataclass(frozen=True, slots=True)
class Granted:
    """A principal as it is after a change."""

    row: PrincipalRow
    receipt: ReceiptView


class Principals:
    """Creates and changes principals."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @rerun_once
    def grant(self, caller: Caller, grant: Grant) -> tuple[PrincipalId, ReceiptView]:
        """Create a principal or replace its roles.

        Raises:
            AccessDenied: the caller is no security administrator, or the grant is to themselves; an entry either way.
            InvalidInput: ``conflicting_roles``: neither an account nor a person may hold these together; ``missing``:
                an approver has an employee number; an entry.
            ApprovalNeeded: accounts are under dual control, and nobody has approved this.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ADMINS:
                self._kernel.deny(work, principal, "grant")
            before = work.principals.lock(grant.issuer, grant.sub)
            row = self._row(grant, before)
            self._demand_other(work, principal, (before, row), "grant to themselves")
            self._demand_duties(work, principal, row)
            self._demand_second(work, principal, row, before)
            draft = self._put(work, row, before, said_by(principal))
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        return row.id, view_of(self._kernel.mint_one(pending))

    @rerun_once
    def move(self, caller: Caller, identifier: PrincipalId, move: Move) -> Granted:
        """Change unit, supervisor or roles of a principal; ``LEAVE`` takes every role away, at once and everywhere.

        Raises:
            AccessDenied: the caller is no security administrator, or changes themselves; an entry either way.
            NotFound: no such principal; an entry.
            InvalidInput: ``conflicting_roles``: nobody may hold these together; an entry.
            ApprovalNeeded: accounts are under dual control, and nobody has approved this. Taking roles away needs no
                approval: it has to work at once.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ADMINS:
                self._kernel.deny(work, principal, "move")
            before = work.principals.lock_by_id(identifier)
            if before is None:
                values = {"result": "not_found", "detail": "move"}
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.GRANT, values))
                raise NotFound
            self._demand_other(work, principal, (before,), "move themselves")
            row = self._moved(before, move)
            self._demand_duties(work, principal, row)
            self._demand_second(work, principal, row, before)
            (pending,) = self._kernel.log.append(work.ledger, [self._put(work, row, before, said_by(principal))])
            work.commit()
        return Granted(row, view_of(self._kernel.mint_one(pending)))

    @rerun_once
    def ensure(self, grant: Grant, *, operator: str) -> PrincipalId:
        """Make sure, from the machine's own command line, that a principal has at least these roles.

        Args:
            grant: issuer, sub and the roles that must be there.
            operator: who is at the keyboard; named in the entry.

        Raises:
            InvalidInput: ``conflicting_roles``: nobody may hold these and its present ones together; an entry.
        """
        with self._kernel.database.read() as work:
            before = work.principals.by_name(grant.issuer, grant.sub)
        if before is not None and self._has(before, grant):
            return before.id
        with self._kernel.database.write() as work:
            before = work.principals.lock(grant.issuer, grant.sub)
            kept = frozenset() if before is None else before.roles
            row = self._row(replace(grant, roles=grant.roles | kept), before)
            self._demand_duties(work, at_keyboard(operator), row)
            draft = self._put(work, row, before, said_by(at_keyboard(operator)))
            self._kernel.log.append(work.ledger, [draft])
            work.commit()
        return row.id

    @rerun_once
    def change(self, identifier: PrincipalId, move: Move, *, operator: str) -> PrincipalRow:
        """Change a principal from the machine's own command line; as ``move``.

        Raises:
            NotFound: no such principal.
            InvalidInput: ``conflicting_roles``; an entry.
        """
        with self._kernel.database.write() as work:
            before = work.principals.lock_by_id(identifier)
            if before is None:
                raise NotFound
            row = self._moved(before, move)
            self._demand_duties(work, at_keyboard(operator), row)
            draft = self._put(work, row, before, said_by(at_keyboard(operator)))
            self._kernel.log.append(work.ledger, [draft])
            work.commit()
        return row

    def _demand_duties(self, work: Work, principal: Principal, row: PrincipalRow) -> None:
        """Refuse what nobody may hold together, under one account or through several of one person."""
        pairs, where = conflicting(row.issuer, row.roles), ""
        if not pairs and row.person_tag is not None:
            work.principals.hold_person(row.person_tag)
            others = [(one.issuer, one.roles) for one in self._others(work, row)]
            pairs, where = conflicting_across(row.issuer, row.roles, others), " through another account"
        if pairs:
            told = ", ".join(f"{one} with {other}" for one, other in pairs)
            self._refuse(work, principal, row, (FieldProblem("/roles", CONFLICTING_ROLES), told + where))
        if needs_number(row.issuer, row.roles) and row.employee is None:
            self._refuse(work, principal, row, (FieldProblem("/employee_number", MISSING), "approver"))

    def _others(self, work: Work, row: PrincipalRow) -> list[PrincipalRow]:
        """Return the other accounts of an account's person.

        By the sealed numbers, which the rows have that were written before accounts were joined to a person.
        """
        own = self._person(row)
        return [one for one in work.principals.listing() if one.id != row.id and equal(self._person(one), own)]

    def _person(self, row: PrincipalRow) -> bytes:
        if row.employee is None:
            return b""
        tag = self._kernel.links.open(row.id, row.employee)
        return self._kernel.index.tag("account-person", tag)

    def _refuse(self, work: Work, principal: Principal, row: PrincipalRow, why: tuple[FieldProblem, str]) -> NoReturn:
        problem, told = why
        values = {"request": f"{row.issuer}#{row.sub}", "result": f"refused {problem.code}", "detail": told}
        self._kernel.note_refusal(work, principal, EntryDraft(Kind.GRANT, values))
        raise InvalidInput([problem])

    def _demand_second(self, work: Work, principal: Principal, row: PrincipalRow, before: PrincipalRow | None) -> None:
        """Have another person approve what makes an account more, or changes what conflict rules know of it."""
        new, old = self._facts(row), ("", "", "") if before is None else self._facts(before)
        gained = row.roles if before is None else row.roles - before.roles
        changed = [
            name for name, one, other in zip(("unit", "employee", "supervisor"), new, old, strict=True) if one != other
        ]
        if not gained and not changed:
            return
        roles = " ".join(sorted(row.roles))
        told = f"{row.issuer}#{row.sub}: roles {roles or 'none'}"
        told += f"; new {' '.join(sorted(gained))}" if gained else ""
        told += f"; changes {' '.join(changed)}" if changed else ""
        persons = tuple(one for one in ("" if before is None else row.id, new[1]) if one)
        act = Act(Action.PRINCIPALS, (row.issuer, row.sub, roles, *new), told, (), persons)
        demand_approved(self._kernel, work, principal, act)

    def _facts(self, row: PrincipalRow) -> tuple[str, str, str]:
        """Return unit, own number and supervisor's number as they are compared: the numbers as keyed tags."""
        links = self._kernel.links
        employee = "" if row.employee is None else links.open(row.id, row.employee).hex()
        supervisor = "" if row.supervisor is None else links.open_supervisor(row.id, row.supervisor).hex()
        return row.unit, employee, supervisor

    def _put(self, work: Work, row: PrincipalRow, before: PrincipalRow | None, said: dict[str, str]) -> EntryDraft:
        # ``before`` is the caller's one locked reading: a second one could find a row that came in between, whose
        # roles would then be overwritten by what was decided without it. So it is an insert, which loses and reruns.
        if before is None:
            work.principals.insert(row)
        else:
            work.principals.update(row)
        roles = " ".join(sorted(row.roles))
        values = said | {
            "request": f"{row.issuer}#{row.sub}",
            "result": row.state,
            "detail": f"{row.id} roles {roles}; {_what_changed(row, before)}",
        }
        return EntryDraft(Kind.GRANT, values, self._about(work, row, before))

    def _about(self, work: Work, row: PrincipalRow, before: PrincipalRow | None) -> tuple[SubjectId, ...]:
        """Whose own view an account is given: they find it in their accounting."""
        if row.employee is None or (before is not None and row.employee == before.employee):
            return ()
        found = work.subjects.by_number_tags([self._kernel.links.open(row.id, row.employee)])
        return tuple(subject.id for subject in found.values())

    def _demand_other(self, work: Work, principal: Principal, rows: Sequence[PrincipalRow | None], action: str) -> None:
        """Administrators never read: nobody may give themselves a role that does, under whatever account."""
        if any(row is not None and self._kernel.is_same_person(principal, row) for row in rows):
            self._kernel.deny(work, principal, action)

    def is_enrolled(self, employee_number: str) -> bool:
        """Tell the operator whether somebody enrolled has a number; for a caller at the machine's own command line."""
        tag = self._kernel.number_tag(employee_number)
        with self._kernel.database.read() as work:
            return bool(work.subjects.by_number_tags([tag]))

    def _has(self, row: PrincipalRow, grant: Grant) -> bool:
        tag = None if grant.employee_number is None else self._kernel.number_tag(grant.employee_number)
        own = None if row.employee is None else self._kernel.links.open(row.id, row.employee)
        is_same = grant.supervisor is None and grant.unit in ("", row.unit)
        return grant.roles <= row.roles and row.state == ACTIVE and tag in (None, own) and is_same

    def read(self, caller: Caller) -> Sequence[PrincipalRow]:
        """Return every principal to a security administrator; reading is an entry.

        Raises:
            AccessDenied: the caller is none; the refusal is an entry.
        """
        self._kernel.note_read(caller, ADMINS, "principals")
        return self.listing()

    def listing(self) -> Sequence[PrincipalRow]:
        """Return every principal."""
        with self._kernel.database.read() as work:
            return work.principals.listing()

    def _row(self, grant: Grant, before: PrincipalRow | None) -> PrincipalRow:
        base = before
        if base is None:
            base = PrincipalRow(
                *(PrincipalId(new_id()), grant.issuer, grant.sub, frozenset(), None, "", ENDED),
                created_at=self._kernel.now_ms(),
            )
        if grant.employee_number is not None:
            tag = self._kernel.number_tag(grant.employee_number)
            base = replace(base, employee=self._kernel.links.seal(base.id, tag))
            base = replace(base, person_tag=self._person(base))
        return self._moved(base, Move(grant.roles, grant.unit or None, grant.supervisor))

    def _moved(self, before: PrincipalRow, move: Move) -> PrincipalRow:
        row = before
        if move.roles is not None:
            # Nobody gets a locked principal in again by granting it the same roles: that takes a review (unlock.py).
            still = LOCKED if row.state == LOCKED else ACTIVE
            row = replace(row, roles=move.roles, state=still if move.roles else ENDED)
        if move.unit is not None:
            row = replace(row, unit=move.unit)
        if move.supervisor is not None:
            tag = self._kernel.number_tag(move.supervisor)
            sealed = self._kernel.links.seal_supervisor(row.id, tag) if move.supervisor else None
            row = replace(row, supervisor=sealed)
        if row.employee is not None and row.person_tag is None:
            row = replace(row, person_tag=self._person(row))
        return row


def at_keyboard(operator: str) -> Principal:
    """Return how an entry names who is at the machine's own command line."""
    return Principal(UNKNOWN_PRINCIPAL, operator, frozenset())


def _what_changed(row: PrincipalRow, before: PrincipalRow | None) -> str:
    """Say in an entry what a grant changed, without the unit's, the supervisor's or the employee's own words."""
    if before is None or (before.state != ACTIVE and row.state == ACTIVE):
        return "joins"
    if before.state == ACTIVE and row.state != ACTIVE:
        return "leaves"
    names = ("roles", "unit", "employee", "supervisor")
    return "changes " + " ".join(name for name in names if getattr(row, name) != getattr(before, name))
