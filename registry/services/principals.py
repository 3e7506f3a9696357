"""Principals: who may act, in which roles. Every grant is an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.errors import AccessDenied
from registry.domain.ids import PrincipalId, new_id
from registry.domain.principals import Role
from registry.policy.decide import NOT_PERMITTED
from registry.services.kernel import Caller, Kernel, ReceiptView, denial, view_of
from registry.services.ports import ACTIVE, ENDED, PrincipalRow

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
    employee_number: str | None = None
    unit: str = ""


class Principals:
    """Creates and changes principals."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def grant(self, caller: Caller, grant: Grant) -> tuple[PrincipalId, ReceiptView]:
        """Create a principal or replace its roles.

        Raises:
            AccessDenied: the caller is no security administrator; the refusal is an entry.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            is_allowed = bool(principal.roles & ADMINS)
            if is_allowed:
                before = work.principals.by_name(grant.issuer, grant.sub)
                row = self._row(grant, before)
                if before is None:
                    work.principals.insert(row, self._kernel.now_ms())
                else:
                    work.principals.update(row)
                roles = " ".join(sorted(row.roles))
                values = said_by(principal) | {
                    "request": f"{grant.issuer}#{grant.sub}",
                    "result": row.state,
                    "detail": f"{row.id} roles {roles}",
                }
                draft = EntryDraft(Kind.GRANT, values)
            else:
                draft = denial(principal, "grant", rules=("role.security_admin",))
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if not is_allowed:
            raise AccessDenied(NOT_PERMITTED, receipt.index)
        return row.id, view_of(receipt)

    def listing(self) -> Sequence[PrincipalRow]:
        """Return every principal."""
        with self._kernel.database.read() as work:
            return work.principals.listing()

    def _row(self, grant: Grant, before: PrincipalRow | None) -> PrincipalRow:
        tag = None if grant.employee_number is None else self._kernel.number_tag(grant.employee_number)
        state = ACTIVE if grant.roles else ENDED
        if before is None:
            identifier = PrincipalId(new_id())
            return PrincipalRow(identifier, grant.issuer, grant.sub, grant.roles, tag, grant.unit, state)
        kept = before.employee_tag if tag is None else tag
        return replace(
            before, roles=grant.roles, employee_tag=kept, unit=grant.unit or before.unit, state=state
        )
