"""Erasing: a subject with the whole household, or one person of it, is taken out for good.

Two transactions. The first writes an entry and reads what they are found by; the second takes everything out and says
so, at once: data keys, sealed values, postings, names, what they asked for and where they are told, texts in which
they were found, and what the ledger says of them. What stays is a leaf for each entry, and an ``erase`` entry with ids
and counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, NoReturn

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.audit.removals import ERASED, spans_of, told
from registry.domain.errors import AuditUnavailable, Conflict, Contended, LedgerCorrupt
from registry.domain.ids import PersonId, PetitionId, SubjectId
from registry.domain.principals import Principal
from registry.services.break_glass import REVIEWS_WAITING
from registry.services.decoys import forget_decoy
from registry.services.dual_control import demand_approved, is_approved
from registry.services.erase_reading import Known, Opened, read_opened, say_opened
from registry.services.erase_scope import LEGAL_HOLD, ErasureAsk, Scope, scope_of
from registry.services.erase_trail import Trail, placed_holds, trail_of
from registry.services.holds_in_force import in_force
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.notices import ToSubject
from registry.services.ports import SubjectRow, Work
from registry.services.ports_erasure import ErasureRow
from registry.services.rerun import rerun_once
from registry.services.send_notices import letter_of
from registry.vault.cases import CaseVault
from registry.vault.erased_postings import wipe
from registry.vault.ties import digest_of, source_of

_EVERY_NOTICE = 10_000_000


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken out.

    Attributes:
        subject: whose id it was.
        counts: how many of what are gone.
        kept: how many of what stay.
        is_clean: whether nothing is left beside the tables of the database either, such as in a write-ahead log.
    """

    subject: SubjectId
    counts: Mapping[str, int]
    kept: Mapping[str, int]
    receipt: ReceiptView
    is_clean: bool


class _Found(NamedTuple):
    """All that is known of who is taken out; ``left``: the subject's row when it is one member who goes."""

    scope: Scope
    trail: Trail
    known: Known
    left: SubjectRow | None


class _Done(NamedTuple):
    """What the second transaction did."""

    counts: dict[str, int]
    kept: dict[str, int]
    pending: PendingReceipt
    persons: list[PersonId]


class Erase:
    """Takes people out."""

    def __init__(self, kernel: Kernel, cases: CaseVault) -> None:
        self._kernel = kernel
        self._cases = cases

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
        receipt = view_of(self._kernel.mint_one(done.pending))
        for person in done.persons:
            self._kernel.vault.forget(person)
        return Erased(ask.subject, done.counts, done.kept, receipt, self._scrubbed())

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
            found = _Found(scope, trail, known, None if scope.is_whole else self._without(scope))
            counts = self._forget(work, found)
            # From here on nobody writes an entry: neither of a hold nor of anybody new under the same terms.
            work.ledger.lock_head()
            if in_force(self._kernel, work).keeps(scope.subject.id):
                raise Contended  # confirmed since it was looked at: refused when this is run again
            wiped = wipe(work.postings, known.places)
            counts |= {"postings": wiped.removed + wiped.tombstones, "openings": self._remove(work, found)}
            kept = {"leaves": trail.count, "shared": trail.shared, "tombstones": wiped.tombstones}
            kept["unfound"] = known.unfound
            pending = self._say(work, principal, ask, (found, counts, kept))
            work.commit()
        return _Done(counts, kept, pending, scope.person_ids)

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

    def _forget(self, work: Work, found: _Found) -> dict[str, int]:
        """Take the rows out, those that refer to others first."""
        scope, trail, known, left = found
        petitions = _petitions_of(scope, trail)
        named = [*scope.record_ids, *petitions, *([scope.subject.id] if scope.is_whole else [])]
        counts = {
            "persons": len(scope.persons),
            "records": len(scope.records),
            "traces": work.erasures.forget_traces(sorted(known.traces)),
            "petitions": work.erasures.forget_petitions(petitions),
            "outcomes": work.erasures.forget_outcomes(named),
        }
        if scope.is_whole:
            label = self._kernel.contact_label(scope.subject.id)
            counts["provisions"] = work.erasures.forget_provisions(scope.subject.id)
            counts["contacts"] = work.erasures.forget_contact(label)
            counts["notices"] = self._forget_notices(work, found)
            forget_decoy(self._kernel, work, scope.subject.id)
        work.erasures.forget_records(scope.record_ids)
        work.erasures.forget_persons(scope.person_ids)
        if left is None:
            work.erasures.forget_places(self._places(work, scope.subject.id))
            work.erasures.forget_subject(scope.subject.id)
        else:
            work.subjects.update(left, self._kernel.now_ms())
        return counts

    def _forget_notices(self, work: Work, found: _Found) -> int:
        subject, gone = found.scope.subject.id, set(found.trail.gone)
        going = []
        for row in work.outbox.listing(_EVERY_NOTICE):
            letter = letter_of(self._kernel, row)
            is_theirs = letter is not None and (letter.to == str(ToSubject(subject)) or letter.about == subject)
            if is_theirs or row.index in gone:
                going.append(row.id)
        if going:
            work.outbox.remove(going)
        return len(going)

    def _places(self, work: Work, subject: SubjectId) -> Iterator[bytes]:
        """Yield the labels under which a subject's entries are found."""
        chains = self._kernel.log.chains
        for counter, index in enumerate(list(chains.indexes(work.entries, subject)), start=1):
            label, _ = chains.posting(subject, counter, index)
            yield label

    def _remove(self, work: Work, found: _Found) -> int:
        """Remove what entries say of a whole subject, and with what words holds on them were asked for."""
        if not found.scope.is_whole:
            return 0
        gone = found.trail.gone
        gone += placed_holds(self._kernel, work, found.scope.subject.id)
        if work.erasures.remove_openings(gone, self._kernel.now_ms()) != len(gone):
            raise LedgerCorrupt("an opening is not there that was read a moment ago")
        return len(gone)

    def _say(
        self,
        work: Work,
        principal: Principal,
        ask: ErasureAsk,
        done: tuple[_Found, Mapping[str, int], Mapping[str, int]],
    ) -> PendingReceipt:
        (scope, trail, _, left), counts, kept = done
        stays = [f"{what} {number}" for what, number in kept.items()]
        about: tuple[SubjectId, ...] = ()
        if left is None:
            request, detail = f"subject {scope.subject.id}", told(openings=spans_of(trail.gone), kept=stays)
        else:
            request, about = f"member {scope.person_ids[0]}", (left.id,)
            ties = [] if left.ties is None else [digest_of(left.ties)]
            petitions = _petitions_of(scope, trail)
            detail = told(records=scope.record_ids, petitions=petitions, ties=ties, kept=stays)
        values = said_by(principal) | {
            "case": ask.basis,
            "note": ask.reason,
            "request": request,
            "result": f"{ERASED} {' '.join(f'{what} {number}' for what, number in counts.items())}",
            "rules": self._kernel.policy.rules("role.enroller"),
            "detail": detail,
        }
        (pending,) = self._kernel.log.append(work.ledger, [EntryDraft(Kind.ERASE, values, about)])
        work.erasures.note(ErasureRow(pending.index, self._kernel.now_ms()))
        return pending

    def _without(self, scope: Scope) -> SubjectRow:
        """Return the subject's row without what ties it to others through a member who is gone."""
        row = scope.subject
        gone = {source_of(one) for one in (*scope.person_ids, *scope.record_ids)}
        ties = row.ties
        if ties is not None:
            left = [tie for tie in self._kernel.ties.open(row.id, ties) if tie.source not in gone]
            ties = self._kernel.ties.seal(row.id, left)
        # Any other content than the last whole document: an import of that document is a change again.
        content_tag = self._kernel.index.tag("enrollment-changed", row.content_tag)
        return replace(row, content_tag=content_tag, version=row.version + 1, ties=ties)

    def _scrubbed(self) -> bool:
        try:
            return self._kernel.database.scrub()
        except AuditUnavailable:
            return False  # it is done and said; what is left beside the tables goes with the next checkpoint


def _petitions_of(scope: Scope, trail: Trail) -> list[PetitionId]:
    records = set(scope.record_ids)
    return [one for one, what in trail.petitions.items() if scope.is_whole or what in records]
