"""Changes of keys under dual control: asked for over HTTP, approved by another person, made at the machine, once.

Who sits at the machine is no account of the registry. So what was approved is for the change and not for who makes it,
and the entry that uses it up names who was at the keyboard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.approvals import Action, State
from registry.domain.errors import Conflict, KeyUnavailable
from registry.domain.principals import Claims, Principal
from registry.keys.ports import LEDGER_PURPOSE, PROVIDER_PURPOSES
from registry.policy.decide import APPROVAL_REQUIRED
from registry.services.controls import controls_said, is_under_dual_control
from registry.services.dual_control import Act, ask_for, found_for, used_draft
from registry.services.facts_approvals import counted_of, standing
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import RequestRow, Work
from registry.services.principals import ADMINS, at_keyboard
from registry.services.read_audit import ReadAudit
from registry.services.rerun import rerun_once

REWRAP = "rewrap"
REKEY = "rekey-index"
REBUILD = "rebuild-index"
MARKS, REDRAW = "rotate marks", "rotate marks --redraw"
APPROVED = "approved"
_SWITCHED = "looked up in"
_REPLACED = "compromise "
_ROTATED = "|".join((*PROVIDER_PURPOSES, LEDGER_PURPOSE))
_OF_ONE_KEY = f"shred [0-9A-Za-z._:-]{{1,80}}|{_REPLACED}[0-9a-f]{{8}}"
CHANGE_FORM = f"rotate (?:{_ROTATED})|{MARKS}|{REDRAW}|{REWRAP}|{REKEY}|{REBUILD}|{_OF_ONE_KEY}"
_CHANGE = re.compile(CHANGE_FORM)


def rotation(purpose: str) -> str:
    """Return how the exchange of a purpose's key is asked for."""
    return f"rotate {purpose}"


def destruction(key_id: str) -> str:
    """Return how the destruction of an earlier key is asked for."""
    return f"shred {key_id}"


def replacement(key_id: str) -> str:
    """Return how it is asked for that the ledger goes on without a key of its, which was compromised."""
    return f"{_REPLACED}{key_id}"


def command_of(change: str) -> str:
    """Return the command that makes a change at the machine, without its further options."""
    return f"registry {'audit' if change.startswith(_REPLACED) else 'keys'} {change}"


def switched(generation: int, postings: int) -> str:
    """Return what the entry says with which another generation of the blind index is looked up in."""
    return f"generation {generation} {_SWITCHED}; postings {postings}"


def is_switch(values: Mapping[str, str]) -> bool:
    """Tell whether an entry about keys says that another generation of the blind index is looked up in."""
    return values["request"] in (REKEY, REBUILD) and _SWITCHED in values["result"]


def is_change(text: str) -> bool:
    """Tell whether a text names a change of keys."""
    return _CHANGE.fullmatch(text) is not None


class KeyChanges:
    """Asks for changes of keys, and uses up what was approved."""

    def __init__(self, kernel: Kernel, audit: ReadAudit) -> None:
        self._kernel = kernel
        self._audit = audit

    @rerun_once
    def ask(self, caller: Caller, change: str, reason: str) -> ReceiptView:
        """Ask for a change of keys, which is then made at the machine; without dual control it is an entry alone.

        Raises:
            ApprovalNeeded: it is requested now or was before, and waits.
            AccessDenied: the caller is no security administrator.
            Conflict: ``approved``: another person has approved it already; it is to be done at the machine.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ADMINS:
                self._kernel.deny(work, principal, Action.KEYS)
            if self._is_controlled(work):
                self._demand_unapproved(work, principal, change)
                ask_for(self._kernel, work, principal, replace(_act(change), note=reason))
            values = said_by(principal) | {"request": change, "result": "asked", "note": reason}
            (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.KEYS, values)])
            work.commit()
        return view_of(self._kernel.mint_one(pending))

    def _demand_unapproved(self, work: Work, principal: Principal, change: str) -> None:
        if self._usable(work, change) is not None:
            values = {"request": change, "result": f"refused {APPROVED}"}
            self._kernel.note_refusal(work, principal, EntryDraft(Kind.KEYS, values))
            raise Conflict(APPROVED)

    @rerun_once
    def demand(self, change: str, *, operator: str) -> None:
        """Check that a change may be made now, before anything of it is begun; uses nothing up.

        Raises:
            KeyUnavailable: ``approval_required``: nobody has approved it; an entry.
        """
        with self._kernel.database.write() as work:
            if self._is_controlled(work) and self._usable(work, change) is None:
                values = said_by(at_keyboard(operator)) | {
                    "request": change,
                    "result": f"refused {APPROVAL_REQUIRED}",
                }
                self._kernel.log.append(work.ledger, [EntryDraft(Kind.KEYS, values)])
                work.commit()
                raise KeyUnavailable(
                    f"{change} takes two persons: a security administrator asks for it (POST /v1/keys), another person "
                    "approves it, and it is done within the hours that an approval stands",
                    APPROVAL_REQUIRED,
                )

    def use(self, work: Work, change: str, *, operator: str) -> None:
        """Use up the approval of a change, in the transaction that begins it and before its entry.

        Raises:
            KeyUnavailable: ``approval_required``: it was used or ran out meanwhile; nothing is kept.
        """
        if not self._is_controlled(work):
            return
        row = self._usable(work, change)
        if row is None:
            raise KeyUnavailable(f"what was approved of {change} is used up", APPROVAL_REQUIRED)
        self._use(work, row, change, operator)

    @rerun_once
    def finish(self, change: str, *, operator: str) -> None:
        """Use up the approval of a change that may be begun several times, now that it came to its end."""
        with self._kernel.database.write() as work:
            row = found_for(self._kernel, work, _act(change))
            if row is not None and row.state == State.APPROVED:
                self._use(work, row, change, operator)
            work.commit()

    def _use(self, work: Work, row: RequestRow, change: str, operator: str) -> None:
        work.requests.settle(replace(row, state=State.USED))
        self._kernel.log.append(work.ledger, [used_draft(at_keyboard(operator), _act(change), row)])

    def _is_controlled(self, work: Work) -> bool:
        """Tell whether keys are under dual control, as the ledger says; who may write the settings frees nobody."""
        known = work.policies.controls()
        if known is None:
            return Action.KEYS in self._kernel.rules.dual_control
        with self._kernel.database.reader() as reader:
            entries = [self._audit.read(row) for row in reader.entries([known.entry])]
        said = controls_said((entries[0].values if entries else None) or {})
        return is_under_dual_control(said, Action.KEYS) if said else Action.KEYS in self._kernel.rules.dual_control

    def _usable(self, work: Work, change: str) -> RequestRow | None:
        """Return the request of a change that may be used now: approved in time, by people whose word counts still."""
        row = found_for(self._kernel, work, _act(change))
        if row is None or row.state != State.APPROVED or row.until <= self._kernel.now_ms():
            return None
        asker = work.principals.by_ids([row.principal])[row.principal]
        principal = self._kernel.principal_from(asker, Caller(Claims(asker.issuer, asker.sub, None, "", "", 0)))
        said = standing(self._kernel, work, principal, row.id)
        return row if principal.roles & ADMINS and counted_of(said).approvals >= row.needs else None


def _act(change: str) -> Act:
    return Act(Action.KEYS, (change,), change)
