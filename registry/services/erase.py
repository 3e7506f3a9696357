"""Erasing: a subject with the whole household, or one person of it, is taken out for good.

Two transactions. The first writes an entry and reads what they are found by; the second takes everything out and says
so, at once: data keys, sealed values, postings, names, what they asked for and where they are told, texts in which
they were found, and what the ledger says of them. What stays is a leaf for each entry, and an ``erase`` entry with ids
and counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.domain.errors import AuditUnavailable, Conflict, Contended, KeyUnavailable
from registry.domain.ids import PersonId, SubjectId
from registry.domain.principals import Principal
from registry.keys.erased import ErasedList
from registry.services.break_glass import REVIEWS_WAITING
from registry.services.decoys import alarm_of_erased
from registry.services.dual_control import demand_approved, is_approved
from registry.services.erase_reading import Known, Opened, read_opened, say_opened
from registry.services.erase_scope import LEGAL_HOLD, ErasureAsk, Scope, named_in, scope_of
from registry.services.erase_trail import Trail, trail_of
from registry.services.holds_in_force import in_force
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.notices import alarm_notices, queue
from registry.services.ports import Work
from registry.services.rerun import rerun_once
from registry.services.taking_out import Gone, TakingOut
from registry.vault.cases import CaseVault


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken out.

    Attributes:
        subject: whose id it was.
        counts: how many of what are gone.
        kept: how many of what stay.
        is_clean: whether nothing is left to do: they are on the list beside the keys, and nothing of them is beside the
            tables of the database either, such as in a write-ahead log.
    """

    subject: SubjectId
    counts: Mapping[str, int]
    kept: Mapping[str, int]
    receipt: ReceiptView
    is_clean: bool


class _Done(NamedTuple):
    """What the second transaction did; ``named``: whom it took out, persons and a whole subject."""

    gone: Gone
    pending: PendingReceipt
    persons: list[PersonId]
    named: list[str]


class Erase:
    """Takes people out."""

    def __init__(self, kernel: Kernel, cases: CaseVault, erased: ErasedList) -> None:
        self._kernel = kernel
        self._cases = cases
        self._erased = erased
        self._out = TakingOut(kernel)

    def erase(self, caller: Caller, ask: ErasureAsk) -> Erased:
        """Take out a subject with the whole household, or one person of it.

        Raises:
            AccessDenied: the caller is no enroller, or it is themselves or somebody close.
            NotFound: no such subject.
            InvalidInput: no such member of the household.
            ApprovalNeeded: erasures are under dual control, and nobody has approved this one; nothing was opened.
            Conflict: ``legal_hold``: somebody asked for it to be kept; ``changed``: it changed meanwhile;
                ``reviews_waiting``: an emergency about them is not reviewed.
            AuditUnavailable: ``not_granted``: this account of the database may not erase; nothing was changed.
        """
        looked = self._look(caller, ask)
        known = None if looked is None else read_opened(self._kernel, self._cases, *looked)
        done = self._take_out(caller, ask, known)
        is_listed = self._listed(done.named)  # after the commit: before it they are there
        receipt = view_of(self._kernel.mint_one(done.pending))
        for person in done.persons:
            self._kernel.vault.forget(person)
        is_clean = self._scrubbed() and is_listed
        return Erased(ask.subject, done.gone.counts, done.gone.kept, receipt, is_clean)

    @rerun_once
    def _look(self, caller: Caller, ask: ErasureAsk) -> tuple[Scope, Opened] | None:
        """Say what is opened; nothing while nobody has approved it."""
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            scope = scope_of(self._kernel, work, principal, ask)
            if not is_approved(self._kernel, work, principal, ask.act()):
                return None
            trail = trail_of(self._kernel, work, scope.subject.id)
            opened = say_opened(self._kernel, work, principal, scope, trail)
            work.commit()
        return scope, opened

    @rerun_once
    def _take_out(self, caller: Caller, ask: ErasureAsk, known: Known | None) -> _Done:
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            scope = scope_of(self._kernel, work, principal, ask)
            trail = trail_of(self._kernel, work, scope.subject.id)
            self._demand_free(work, principal, (scope, trail), known)
            demand_approved(self._kernel, work, principal, ask.act())
            if known is None or (scope.subject.version, frozenset(trail.traces)) != (known.version, known.seen):
                self._refuse(work, principal, scope, "changed")
            found = self._out.found(scope, trail, known)
            alarms = alarm_of_erased(self._kernel, work, principal, scope.subject.id) if scope.is_whole else ()
            counts = self._out.forget(work, found)
            # From here on nobody writes an entry: neither of a hold nor of anybody new under the same terms.
            work.ledger.lock_head()
            if in_force(self._kernel, work).keeps(scope.subject.id):
                raise Contended  # confirmed since it was looked at: refused when this is run again
            gone = self._out.clear(work, found, counts)
            said = {"case": ask.basis, "note": ask.reason, "rules": self._kernel.policy.rules("role.enroller")}
            if alarms:  # before the entry whose receipt is answered: behind it, its size would tell what they were
                self._kernel.log.append(work.ledger, alarms)
                queue(work, self._kernel, alarm_notices(alarms))
            pending = self._out.say(work, said_by(principal) | said, found, gone)
            work.commit()
        return _Done(gone, pending, scope.person_ids, named_in(scope))

    def _demand_free(self, work: Work, principal: Principal, found: tuple[Scope, Trail], known: Known | None) -> None:
        """Refuse where a text that would go with it found somebody who is kept, or where somebody is to judge first."""
        scope, trail = found
        going = set(trail.traces) if known is None or scope.is_whole else known.traces
        others = {subject for trace in going for subject in trail.traces[trace]} - {scope.subject.id}
        held = in_force(self._kernel, work)
        if any(held.keeps(other) for other in others):
            self._refuse(work, principal, scope, LEGAL_HOLD)
        emergencies = [work.break_glass.get(one) for one in trail.emergencies] if scope.is_whole else []
        if any(row is not None and not row.finding for row in emergencies):
            self._refuse(work, principal, scope, REVIEWS_WAITING)

    def _refuse(self, work: Work, principal: Principal, scope: Scope, why: str) -> NoReturn:
        values = {"request": f"subject {scope.subject.id}", "result": f"refused {why}"}
        self._kernel.note_refusal(work, principal, EntryDraft(Kind.ERASE, values))
        raise Conflict(why)

    def _listed(self, named: Sequence[str]) -> bool:
        try:
            self._erased.add(named)
        except KeyUnavailable:
            return False  # it is done and said; the entry tells whom to list: the next start does, or fsck
        return True

    def _scrubbed(self) -> bool:
        try:
            return self._kernel.database.scrub()
        except AuditUnavailable:
            return False  # it is done and said; what is left beside the tables goes with the next checkpoint
