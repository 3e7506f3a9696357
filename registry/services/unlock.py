"""Letting somebody go on who was stopped: a limit raised until a time; a lock or a brake lifted after a review.

Another person does it, and nobody for themselves under a second account.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.clock import iso, unix_ms
from registry.domain.errors import Conflict, NotFound
from registry.domain.ids import PrincipalId
from registry.domain.principals import Principal, Role
from registry.domain.purposes import PurposeCode
from registry.services.brakes import counted_row
from registry.services.enumeration import BrakeOfOne, braked_among
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import ACTIVE, LOCKED, PrincipalRow, UnlockRow, Work
from registry.services.principals import ADMINS
from registry.services.rerun import rerun_once

MOST_SUBJECTS = 1_000_000
LONGEST_UNLOCK = timedelta(days=31)
UNLOCKERS = frozenset({Role.SECURITY_ADMIN, Role.APPROVER})
_LIMIT, _LOCK, _BRAKE = "raise a limit", "lift a lock", "lift a brake"


@dataclass(frozen=True, slots=True)
class RaisedLimit:
    """A limit for one purpose until a time: so many different subjects a day."""

    purpose: PurposeCode
    most: int
    until: datetime
    reason: str = field(repr=False)


class Unlock:
    """Raises limits and lifts locks."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @rerun_once
    def raise_limit(self, caller: Caller, target: PrincipalId, raised: RaisedLimit) -> ReceiptView:
        """Raise a principal's limit until a time; an earlier one for the same purpose is replaced.

        Raises:
            AccessDenied: the caller is neither approver nor security administrator, or it is their own.
            NotFound: there is no such principal.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            row = self._target(work, principal, target, UNLOCKERS, _LIMIT)
            until_ms = unix_ms(raised.until)
            work.brakes.put_unlock(UnlockRow(row.id, raised.purpose, raised.most, until_ms, principal.id))
            told = f"{row.id} limit {raised.most} until {iso(raised.until)}"
            values = said_by(principal) | {
                "purpose": raised.purpose,
                "note": raised.reason,
                "request": _LIMIT,
                "result": "raised",
                "detail": told,
            }
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.UNLOCK, values)])
            work.commit()
        return view_of(self._kernel.mint_one(pending))

    @rerun_once
    def lift_lock(self, caller: Caller, target: PrincipalId, reason: str) -> ReceiptView:
        """Let a locked principal in again, with the roles it had.

        Raises:
            AccessDenied: the caller is no security administrator, or it is their own.
            NotFound: there is no such principal.
            Conflict: ``not_locked``.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            row = self._target(work, principal, target, ADMINS, _LOCK)
            is_locked = row.state == LOCKED
            freed = replace(row, state=ACTIVE) if is_locked else row
            if is_locked:
                work.principals.update(freed)
            values = said_by(principal) | {"note": reason, "request": _LOCK}
            # What the row is from now on, for whoever compares rows with entries.
            done = {"result": freed.state, "detail": f"{row.id} roles {' '.join(sorted(row.roles))}"}
            values |= done if is_locked else {"result": "not_locked", "detail": row.id}
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.UNLOCK, values)])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if not is_locked:
            raise Conflict("not_locked")
        return view_of(receipt)

    @rerun_once
    def lift_brake(self, caller: Caller, target: PrincipalId, reason: str) -> ReceiptView:
        """Let a principal that tried values out be given findings and answers again, from now on; what it tries counts
        anew.

        Raises:
            AccessDenied: the caller is no security administrator, or it is their own.
            NotFound: there is no such principal.
            Conflict: ``not_braked``.
        """  # noqa: D205 - one thought
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            row = self._target(work, principal, target, ADMINS, _BRAKE)
            brake = BrakeOfOne(self._kernel, work, counted_row(self._kernel, row), self._kernel.now_ms())
            is_braked = brake.is_braked
            if is_braked:
                brake.lift()
            told = {"note": reason, "request": _BRAKE, "detail": row.id}
            values = said_by(principal) | told | {"result": "lifted" if is_braked else "not_braked"}
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.UNLOCK, values)])
            work.commit()
        receipt = self._kernel.mint_one(pending)
        if not is_braked:
            raise Conflict("not_braked")
        return view_of(receipt)

    def braked(self, caller: Caller) -> tuple[PrincipalRow, ...]:
        """Return the accounts that are given no findings because they tried values out; reading is an entry.

        Raises:
            AccessDenied: the caller is no security administrator.
        """
        self._kernel.note_read(caller, ADMINS, "braked accounts")
        with self._kernel.database.read() as work:
            rows = work.principals.listing()
            braked = braked_among(self._kernel, work, [counted_row(self._kernel, row) for row in rows])
        return tuple(row for row in rows if row.id in braked)

    def _target(
        self, work: Work, principal: Principal, target: PrincipalId, roles: frozenset[Role], what: str
    ) -> PrincipalRow:
        if not principal.roles & roles:
            self._kernel.deny(work, principal, what)
        named = work.principals.by_ids([target]).get(target)
        row = None if named is None else work.principals.lock(named.issuer, named.sub)
        if row is None:
            draft = EntryDraft(Kind.UNLOCK, {"request": what, "result": "not_found"})
            self._kernel.note_refusal(work, principal, draft)
            raise NotFound
        if self._kernel.is_same_person(principal, row):
            self._kernel.deny(work, principal, f"{what} for themselves")
        return row
