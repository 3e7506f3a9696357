"""Principals: who may act, in which roles. Every grant is an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.ids import PrincipalId, SubjectId, new_id
from registry.domain.principals import Role
from registry.services.kernel import UNKNOWN_PRINCIPAL, Caller, Kernel, ReceiptView, view_of
from registry.services.ports import ACTIVE, ENDED, LOCKED, PrincipalRow, Work
from registry.services.rerun import rerun_once

ADMINS = frozenset({Role.SECURITY_ADMIN})


@dataclass(frozen=True, slots=True)
class Grant:
    """What a principal is to be.

    Attributes:
        issuer, sub: as its tokens name it.
        roles: all its roles from now on; none ends it.
        employee_number: its own, so that conflict rules and its own portal work; None keeps what is there.
        unit: organisational unit.
    """

    issuer: str
    sub: str
    roles: frozenset[Role]
    employee_number: str | None = field(default=None, repr=False)
    unit: str = ""


class Principals:
    """Creates and changes principals."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @rerun_once
    def grant(self, caller: Caller, grant: Grant) -> tuple[PrincipalId, ReceiptView]:
        """Create a principal or replace its roles.

        Raises:
            AccessDenied: the caller is no security administrator, or the grant is to themselves; an entry either way.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            # Administrators never read: nobody may give themselves a role that does.
            is_own = (grant.issuer, grant.sub) == (caller.claims.issuer, caller.claims.subject)
            if not principal.roles & ADMINS or is_own:
                self._kernel.deny(work, principal, "grant to themselves" if is_own else "grant")
            before = work.principals.lock(grant.issuer, grant.sub)
            row, draft = self._put(work, grant, before, said_by(principal))
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        return row.id, view_of(self._kernel.mint_one(pending))

    @rerun_once
    def ensure(self, grant: Grant, *, operator: str) -> PrincipalId:
        """Make sure, from the machine's own command line, that a principal has at least these roles.

        Args:
            grant: issuer, sub and the roles that must be there.
            operator: who is at the keyboard; named in the entry.
        """
        with self._kernel.database.read() as work:
            before = work.principals.by_name(grant.issuer, grant.sub)
        if before is not None and self._has(before, grant):
            return before.id
        with self._kernel.database.write() as work:
            before = work.principals.lock(grant.issuer, grant.sub)
            kept = frozenset() if before is None else before.roles
            said = {"principal": f"{UNKNOWN_PRINCIPAL} {operator}"}
            row, draft = self._put(work, replace(grant, roles=grant.roles | kept), before, said)
            self._kernel.log.append(work.ledger, [draft])
            work.commit()
        return row.id

    def _put(
        self, work: Work, grant: Grant, before: PrincipalRow | None, said: dict[str, str]
    ) -> tuple[PrincipalRow, EntryDraft]:
        # ``before`` is the caller's one locked reading: a second one could find a row that came in between, whose
        # roles would then be overwritten by what was decided without it. So it is an insert, which loses and reruns.
        row = self._row(grant, before)
        if before is None:
            work.principals.insert(row, self._kernel.now_ms())
        else:
            work.principals.update(row)
        roles = " ".join(sorted(row.roles))
        values = said | {
            "request": f"{grant.issuer}#{grant.sub}",
            "result": row.state,
            "detail": f"{row.id} roles {roles}",
        }
        return row, EntryDraft(Kind.GRANT, values, self._about(work, grant))

    def _about(self, work: Work, grant: Grant) -> tuple[SubjectId, ...]:
        """Whose own view an account is given: they find it in their accounting."""
        if grant.employee_number is None:
            return ()
        found = work.subjects.by_number_tags([self._kernel.number_tag(grant.employee_number)])
        return tuple(subject.id for subject in found.values())

    def is_enrolled(self, employee_number: str) -> bool:
        """Tell the operator whether somebody enrolled has a number; for a caller at the machine's own command line."""
        tag = self._kernel.number_tag(employee_number)
        with self._kernel.database.read() as work:
            return bool(work.subjects.by_number_tags([tag]))

    def _has(self, row: PrincipalRow, grant: Grant) -> bool:
        tag = None if grant.employee_number is None else self._kernel.number_tag(grant.employee_number)
        own = None if row.employee is None else self._kernel.links.open(row.id, row.employee)
        return grant.roles <= row.roles and row.state == ACTIVE and tag in (None, own)

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
        tag = None if grant.employee_number is None else self._kernel.number_tag(grant.employee_number)
        state = ACTIVE if grant.roles else ENDED
        if before is None:
            identifier = PrincipalId(new_id())
            own = None if tag is None else self._kernel.links.seal(identifier, tag)
            return PrincipalRow(identifier, grant.issuer, grant.sub, grant.roles, own, grant.unit, state)
        kept = before.employee if tag is None else self._kernel.links.seal(before.id, tag)
        # Nobody gets a locked principal in again by granting it the same roles: that takes a review (unlock.py).
        state = LOCKED if before.state == LOCKED and state == ACTIVE else state
        return replace(before, roles=grant.roles, employee=kept, unit=grant.unit or before.unit, state=state)
