"""A change of policies, or of settings that restrain people, is an entry: by the first process that starts with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import OF_POLICIES, Kind
from registry.domain.approvals import Action
from registry.domain.errors import MisconfiguredHome
from registry.services.controls import (
    AGREED,
    CONTROLS,
    Changed,
    Controls,
    compared,
    controls_said,
    entry_before,
    is_under_dual_control,
)
from registry.services.dual_control import Act, demand_approved
from registry.services.entry_reading import ReadEntry
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import Work
from registry.services.ports_policy import PolicyRow
from registry.services.principals import ADMINS, at_keyboard
from registry.services.read_audit import ReadAudit
from registry.services.rerun import rerun_once

# Of policies, as ``registry policy check`` prints it; or of settings, as a start that was refused names it.
VERSION_FORM = "(?:cedar|sha256):[0-9a-f]{64}"
MOST_LISTED = 50
_NOTHING = "nothing"
_BEFORE = re.compile(r"^before (\S+) entry (\d+)$")


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One change: when, by whom, and the versions; ``before`` is empty where nothing was known."""

    index: int
    unix_ms: int
    operator: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ControlChange:
    """One change of settings: when, by whom, and each setting that differs; the oldest lists every setting."""

    index: int
    unix_ms: int
    operator: str
    changed: tuple[Changed, ...]


class PolicyChanges:
    """Notes which policies and which settings of control are in force."""

    def __init__(self, kernel: Kernel, audit: ReadAudit, controls: Controls) -> None:
        self._kernel = kernel
        self._controls = controls
        self._audit = audit

    def in_force(self) -> PolicyRow | None:
        """Return what the registry knows to be in force; None when nothing is known."""
        with self._kernel.database.read() as work:
            return work.policies.in_force()

    def controls_in_force(self) -> PolicyRow | None:
        """Return which settings of control the registry knows to be in force; None when nothing is known."""
        with self._kernel.database.read() as work:
            return work.policies.controls()

    def note(self, *, operator: str) -> int | None:
        """Write an entry when this process decides by other policies than were in force; returns its index.

        Args:
            operator: as whom the process runs.

        Raises:
            AuditUnavailable: the ledger takes no entry; nobody may decide by policies that it does not know of.
            MisconfiguredHome: policies are under dual control, and nobody agreed to these.
        """
        known = self.in_force()
        return None if known is not None and known.version == self._kernel.policy.version else self._note(operator)

    def controls_noted(self) -> bool:
        """Whether the ledger knows the settings by which this process restrains people."""
        known = self.controls_in_force()
        return known is not None and known.version == self._controls.version

    def note_controls(self, *, operator: str) -> int | None:
        """Write an entry when this process restrains people otherwise than was in force; returns its index.

        Args and errors are those of ``note``.
        """
        return None if self.controls_noted() else self._note_controls(operator)

    @rerun_once
    def _note_controls(self, operator: str) -> int | None:
        with self._kernel.database.write() as work:
            work.ledger.lock_head()
            known, version = work.policies.controls(), self._controls.version
            if known is not None and known.version == version:
                return None
            if known is not None:
                self._demand_agreed(work, version)
            before = f"{known.version} entry {known.entry}" if known is not None else _NOTHING
            values = {
                "request": CONTROLS,
                "result": version,
                "rules": self._kernel.policy.version,
                "detail": f"before {before}; {self._controls.text}",
            }
            draft = EntryDraft(Kind.POLICY, said_by(at_keyboard(operator)) | values)
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.policies.put_controls(PolicyRow(version, pending.index))
            work.commit()
        return self._kernel.mint_one(pending).index

    @rerun_once
    def _note(self, operator: str) -> int | None:
        version = self._kernel.policy.version
        with self._kernel.database.write() as work:
            # Of several processes that start at once one holds the head; the others then find its row.
            work.ledger.lock_head()
            known = work.policies.in_force()
            if known is not None and known.version == version:
                return None
            if known is not None:
                self._demand_agreed(work, version)
            before = f"{known.version} entry {known.entry}" if known is not None else _NOTHING
            values = {"request": "policies", "result": version, "rules": version, "detail": f"before {before}"}
            (pending,) = self._kernel.log.append(
                work.ledger, [EntryDraft(Kind.POLICY, said_by(at_keyboard(operator)) | values)]
            )
            work.policies.put(PolicyRow(version, pending.index))
            work.commit()
        return self._kernel.mint_one(pending).index

    @rerun_once
    def agree(self, caller: Caller, version: str, reason: str) -> ReceiptView:
        """Let policies or settings come into force with the next start: those of this version, and no others.

        Raises:
            AccessDenied: the caller is no security administrator.
            ApprovalNeeded: nobody else has approved exactly this version; it is requested now.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ADMINS:
                self._kernel.deny(work, principal, AGREED)
            demand_approved(self._kernel, work, principal, Act(Action.POLICY, (version,), version, note=reason))
            work.ledger.lock_head()
            values = {"request": AGREED, "result": version, "rules": self._kernel.policy.version, "note": reason}
            draft = EntryDraft(Kind.POLICY, said_by(principal) | values)
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            work.policies.put_agreed(PolicyRow(version, pending.index))
            work.commit()
        return view_of(self._kernel.mint_one(pending))

    def _demand_agreed(self, work: Work, version: str) -> None:
        """Refuse what nobody agreed to, where the settings that the ledger knows of put that under dual control.

        Those of config.toml do not count: who may change them would free themselves.
        """
        controls, agreed = work.policies.controls(), work.policies.agreed()
        if controls is None or (agreed is not None and agreed.version == version):
            return
        with self._kernel.database.reader() as reader:
            entries = [self._audit.read(row) for row in reader.entries([controls.entry])]
        said = controls_said((entries[0].values if entries else None) or {})
        if said and not is_under_dual_control(said, Action.POLICY):
            return
        raise MisconfiguredHome(
            f"{version} is not in force, and nobody agreed to it: start with the files and settings of before; a "
            "security administrator names this version (POST /v1/policies), another person approves it, and it is "
            "named once more"
        )

    def listing(self) -> Sequence[PolicyChange]:
        """Return the newest changes, newest first; each entry names the one before it."""
        known, found = self.in_force(), list[PolicyChange]()
        at = None if known is None else known.entry
        with self._kernel.database.reader() as reader:
            while at is not None and len(found) < MOST_LISTED:
                entries = [self._audit.read(row) for row in reader.entries([at])]
                if not entries or entries[0].kind not in OF_POLICIES:
                    break
                said = entries[0].values or {}
                told = _BEFORE.match(said.get("detail", ""))
                who = said.get("principal", "").partition(" ")[2]
                before = "" if told is None else told[1]
                found.append(PolicyChange(at, entries[0].unix_ms, who, before, said.get("rules", "")))
                at = None if told is None else int(told[2])
        return found

    def controls_listing(self) -> Sequence[ControlChange]:
        """Return the newest changes of settings, newest first, each compared with the one before it."""
        with self._kernel.database.read() as work:
            known = work.policies.controls()
        at = None if known is None else known.entry
        stated = list[tuple[ReadEntry, str]]()
        with self._kernel.database.reader() as reader:
            while at is not None and len(stated) <= MOST_LISTED:
                entries = [self._audit.read(row) for row in reader.entries([at])]
                said = (entries[0].values if entries else None) or {}
                if not entries or entries[0].kind not in OF_POLICIES or not controls_said(said):
                    break
                stated.append((entries[0], controls_said(said)))
                at = entry_before(said)
        earlier = [text for _, text in stated[1:]] + [""]
        return [_change(entry, before, text) for (entry, text), before in zip(stated, earlier, strict=True)][
            :MOST_LISTED
        ]


def _change(entry: ReadEntry, before: str, after: str) -> ControlChange:
    who = (entry.values or {}).get("principal", "").partition(" ")[2]
    return ControlChange(entry.index, entry.unix_ms, who, compared(before, after))
