"""Opening what was drawn for copies: the key of a record version for a defence, or the copies that a bundle opens.

Either is an entry on the chains of the people whose values were read, so that no later trace counts what somebody could
have written by what was opened. Opening a key is an act of two people where an agency has said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.domain.approvals import Action
from registry.domain.errors import Conflict
from registry.domain.ids import EntryIndex, SubjectId, TraceId
from registry.domain.principals import Principal
from registry.services.copies import Histories
from registry.services.dual_control import Act, demand_approved
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.match import INVESTIGATORS
from registry.services.opened_draws import COPIES, KEYS, OpenedDraws, Version
from registry.services.ports import Work
from registry.services.rerun import rerun_once
from registry.transparency.fields import RecordLine
from registry.transparency.leaf import COMMITMENT_BYTES


@dataclass(frozen=True, slots=True)
class Read:
    """What a trace read the writing of."""

    trace: TraceId
    subjects: tuple[SubjectId, ...]
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class OpenedKeys:
    """What was opened to a defence: so many record versions."""

    versions: int
    receipt: ReceiptView = field(repr=False)


class OpenDraws:
    """Opens draws."""

    def __init__(self, kernel: Kernel, histories: Histories) -> None:
        self._kernel = kernel
        self._histories = histories

    def known(self, subjects: Iterable[SubjectId]) -> Sequence[OpenedDraws]:
        """Return what was opened of these people's copies until now, in the order of the ledger."""
        with self._kernel.database.reader() as reader:
            found = {one.entry: one for subject in subjects for one in self._histories.opened(reader, subject)}
        return [found[entry] for entry in sorted(found)]

    @rerun_once
    def keys(self, caller: Caller, read: Read, reason: str) -> OpenedKeys:
        """Open the keys of the record versions that a trace read; their copies are drawn anew from now on.

        Raises:
            AccessDenied: the caller is no investigator; the refusal is an entry.
            Conflict: ``exists``: this trace has had them opened.
            ApprovalNeeded: this is under dual control, and nobody has approved it.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & INVESTIGATORS:
                self._kernel.deny(work, principal, "open draws")
            # Held before the ledger is read: nobody is served, and nothing opened, in between.
            work.subjects.lock(read.subjects)
            if any(one.is_of_keys and one.trace == read.trace for one in self.known(read.subjects)):
                values = {"request": read.trace, "result": "refused exists", "note": reason}
                self._kernel.note_refusal(work, principal, EntryDraft(Kind.DRAWS, values))
                raise Conflict("exists")
            told = f"what was drawn for all copies of the values of trace {read.trace}: {reason}"
            demand_approved(self._kernel, work, principal, Act(Action.DRAWS, (read.trace,), told, read.subjects))
            work.records.draw_anew(read.versions)
            pending = self._append(work, principal, read, KEYS, reason)
            work.commit()
        return OpenedKeys(len(read.versions), view_of(self._kernel.mint_one(pending)))

    @rerun_once
    def copies(self, caller: Caller, read: Read, copies: Sequence[int]) -> EntryIndex:
        """Write that a bundle opens the draws of these copies; returns the entry's index."""
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            work.subjects.lock(read.subjects)
            pending = self._append(work, principal, read, " ".join((COPIES, *map(str, copies))), "")
            work.commit()
        return EntryIndex(self._kernel.mint_one(pending).index)

    def _append(self, work: Work, principal: Principal, read: Read, result: str, reason: str) -> PendingReceipt:
        fields = sorted(work.records.sealed_versions(read.versions), key=lambda one: (one.record, one.version))
        lines = tuple(
            RecordLine(one.record, one.category, one.version, one.digest, bytes(COMMITMENT_BYTES)) for one in fields
        )
        values = said_by(principal) | {"request": read.trace, "result": result, "note": reason}
        (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.DRAWS, values, read.subjects, lines)])
        return pending
