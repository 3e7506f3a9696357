"""Taking tokens back before they expire: one by its name, or all of an account that were issued until a moment.

Every transaction that asks who acts looks here too, so no process takes a token for longer than a batch, however long
it is remembered as verified.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput, NotFound
from registry.domain.ids import PrincipalId
from registry.domain.principals import Principal
from registry.services.kernel import Caller, Kernel, ReceiptView, account_label, token_label, view_of
from registry.services.ports import PrincipalRow, Work
from registry.services.ports_revocations import RevocationRow
from registry.services.principals import ADMINS
from registry.services.rerun import rerun_once

# No issuer's tokens may live longer (identity/issuers.py), and clocks may differ by minutes.
KEPT_MS = (86_400 + 600) * 1000
# All at once. Whoever has more tokens to take back takes them back by account.
MOST = 100_000
# What entries say that took something back, and of one token.
REVOKED = "revoked"
ONE_TOKEN = "token"  # noqa: S105  # a word of entries
ALWAYS = 2**53


@dataclass(frozen=True, slots=True)
class TokenName:
    """How a token is named: its issuer and its ``jti``."""

    issuer: str
    token_id: str = field(repr=False)


class Revoke:
    """Takes tokens back."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @rerun_once
    def token(self, caller: Caller, name: TokenName) -> ReceiptView:
        """Take one token back, whoever has it, known here or not.

        Raises:
            AccessDenied: the caller is no security administrator; an entry.
            InvalidInput: ``too_many`` are taken back already; no issuer has such a name; an entry.
        """
        with self._kernel.database.write() as work:
            principal = self._demand_admin(work, caller)
            values = {"request": f"{name.issuer}#{name.token_id}", "result": REVOKED, "detail": ONE_TOKEN}
            if "#" in name.issuer:  # OpenID Connect Discovery, section 3; entries tell the two names apart by it
                self._refuse(work, principal, values, FieldProblem("/issuer", "invalid"))
            row = self._widest(work, token_label(self._kernel, name.issuer, name.token_id), ALWAYS)
            return self._put(work, principal, row, values)

    @rerun_once
    def account(self, caller: Caller, identifier: PrincipalId) -> ReceiptView:
        """Take back all tokens of an account that were issued up to this second. Its roles stay; it signs in anew.

        Raises:
            AccessDenied: the caller is no security administrator; an entry.
            NotFound: there is no such account; an entry.
            InvalidInput: ``too_many`` are taken back already; an entry.
        """
        with self._kernel.database.write() as work:
            principal = self._demand_admin(work, caller)
            account = work.principals.lock_by_id(identifier)
            if account is None:
                values = {"result": "not_found", "detail": "revoke"}
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.GRANT, values))
                raise NotFound
            row = self._widest(work, account_label(self._kernel, account.id), self._kernel.now_ms() // 1000)
            return self._put(work, principal, row, _of(account, row.before))

    def _widest(self, work: Work, label: bytes, before: int) -> RevocationRow:
        """Return the row to write: never less than is taken back already, should another machine's clock be ahead."""
        until, known = self._kernel.now_ms() + KEPT_MS, work.revocations.among([label]).get(label)
        if known is None:
            return RevocationRow(label, before, until)
        return RevocationRow(label, max(before, known.before), max(until, known.until))

    def _put(self, work: Work, principal: Principal, row: RevocationRow, values: dict[str, str]) -> ReceiptView:
        now_ms = self._kernel.now_ms()
        if work.revocations.count_from(now_ms) >= MOST and not work.revocations.among([row.label]):
            self._refuse(work, principal, values, FieldProblem("", "too_many"))
        work.revocations.put(row)
        # Afterwards: the database lets go of what ended before its newest row was made, and of nothing else.
        work.revocations.forget_before(now_ms)
        (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.GRANT, said_by(principal) | values)])
        work.commit()
        return view_of(self._kernel.mint_one(pending))

    def _refuse(self, work: Work, principal: Principal, values: dict[str, str], problem: FieldProblem) -> NoReturn:
        refused = values | {"result": f"refused {problem.code}"}
        self._kernel.note_refusal(work, principal, EntryDraft(Kind.GRANT, refused))
        raise InvalidInput([problem])

    def _demand_admin(self, work: Work, caller: Caller) -> Principal:
        principal = self._kernel.principal(work, caller)
        if not principal.roles & ADMINS:
            self._kernel.deny(work, principal, "revoke")
        return principal


def _of(account: PrincipalRow, before: int) -> dict[str, str]:
    told = f"tokens of {account.id} issued until {before}"
    return {"request": f"{account.issuer}#{account.sub}", "result": REVOKED, "detail": told}
