"""Answers to what subjects asked for: never for oneself under any account, nor for anybody close.

A dispute is answered neither by whom the disputed entry names nor by anybody close to them. A proposed value is opened
by accepting alone, and becomes the record's next version in the transaction that settles the correction; no answer
shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import orjson

from registry.audit.entries import EntryDraft, said_by
from registry.domain.enrollment import SubjectChanges, VersionDraft
from registry.domain.errors import Conflict, InvalidInput, NotFound
from registry.domain.ids import PetitionId, RecordId
from registry.domain.principals import Principal
from registry.policy.decide import CONFLICT_OF_INTEREST
from registry.services.copies import account_of
from registry.services.facts_relations import is_close
from registry.services.kernel import Caller, Denied, Kernel, ReceiptView, view_of
from registry.services.notices import Notice, ToPrincipal, queue
from registry.services.petitions import (
    ACCEPTED,
    CORRECTION,
    DISPUTE,
    OPEN,
    Petition,
    PetitionFiles,
    Sort,
    Written,
    part_line,
    written_parts,
)
from registry.services.ports import ACTIVE, Work
from registry.services.ports_petitions import PetitionRow
from registry.services.read_audit import ReadAudit
from registry.services.rerun import rerun_once
from registry.services.seal_people import VIA_CORRECTION
from registry.services.update import Along, Update, UpdateAsk
from registry.vault.petitions import NOTE, VALUE, About


class Reply(NamedTuple):
    """An answer: the finding, and a note for the subject."""

    finding: str
    note: str

    def __repr__(self) -> str:
        """Show the finding."""
        return f"Reply({self.finding})"


class PetitionAnswers:
    """Lists, opens and answers other people's petitions."""

    def __init__(self, kernel: Kernel, files: PetitionFiles, audit: ReadAudit, update: Update) -> None:
        self._kernel = kernel
        self._files = files
        self._audit = audit
        self._update = update

    def listing(self, caller: Caller, sort: Sort) -> Sequence[Petition]:
        """List everybody's petitions for those who answer them.

        Raises:
            AccessDenied: the caller does not answer this sort.
        """
        self._kernel.note_read(caller, sort.answerers, f"{sort.word} list")
        return self._files.listing(sort, None)

    @rerun_once
    def reveal(self, caller: Caller, sort: Sort, petition: PetitionId) -> Written:
        """Open a petition for somebody who answers this sort; an entry of its own.

        Raises:
            AccessDenied: the caller does not answer this sort, or not this one.
            NotFound: there is none.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            row, _ = self._answerable(work, principal, sort, petition)
            pending = self._files.opening(work, principal, row, written_parts(row))
        return self._files.written(row, self._kernel.mint_one(pending))

    @rerun_once
    def answer(self, caller: Caller, sort: Sort, petition: PetitionId, reply: Reply) -> ReceiptView:
        """Answer a petition once and for all.

        Raises:
            AccessDenied: the caller does not answer this sort, or not this one.
            NotFound: there is none.
            Conflict: ``answered``.
        """
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            draft, told = self._settled(work, principal, (sort, petition), reply)
            (pending,) = self._kernel.log.append(work.ledger, [draft])
            queue(work, self._kernel, told)
            work.commit()
        return view_of(self._kernel.mint_one(pending))

    def accept(self, caller: Caller, petition: PetitionId, note: str) -> ReceiptView:
        """Accept a correction. A proposed value becomes the record's new version in the transaction that settles it.

        Raises:
            AccessDenied: the caller is no enroller, or does not answer this one.
            NotFound: there is no such correction.
            Conflict: ``answered``, or ``changed``: the record is not what it was when the correction was asked for.
        """
        reply = Reply(ACCEPTED, note)
        proposed = self._proposed(caller, petition)
        if proposed is None:
            return self.answer(caller, CORRECTION, petition, reply)
        about, value = proposed
        changes = SubjectChanges(versions=(VersionDraft(RecordId(about.what), value, "/versions/0"),))
        ask = UpdateAsk(about.subject, changes, None, self._kernel.clock.now().date(), VIA_CORRECTION)

        def along(work: Work, principal: Principal) -> Along:
            self._demand_unchanged(work, principal, about)
            return self._settled(work, principal, (CORRECTION, petition), reply)

        try:
            return self._update.update(caller, ask, along).receipt
        except (InvalidInput, NotFound):
            raise Conflict("changed") from None

    @rerun_once
    def _proposed(self, caller: Caller, petition: PetitionId) -> tuple[About, dict[str, object]] | None:
        """Open the value that a correction proposes; None without one."""
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            row, about = self._answerable(work, principal, CORRECTION, petition)
            if row.state != OPEN:
                self._files.refuse(work, principal, CORRECTION, "answered")
            if VALUE not in row.petition.parts:
                return None
            self._demand_unchanged(work, principal, about)
            pending = self._files.opening(work, principal, row, [VALUE])
        receipt = self._kernel.mint_one(pending)
        return about, orjson.loads(self._files.vault.open(row.petition, VALUE, receipt))

    def _settled(self, work: Work, principal: Principal, named: tuple[Sort, PetitionId], reply: Reply) -> Along:
        """Settle a petition; its subject is held from here on, so that one answer comes first."""
        sort, petition = named
        _, about = self._answerable(work, principal, sort, petition)
        work.subjects.lock([about.subject])
        row = work.petitions.get(petition)
        if row is None or row.state != OPEN:
            self._files.refuse(work, principal, sort, "answered")
        sealed = self._files.vault.add(row.petition, NOTE, reply.note)
        work.petitions.answer(replace(row, state=reply.finding, answered_by=principal.id, petition=sealed))
        values = said_by(principal) | {"request": f"{petition} {about.what}", "result": reply.finding}
        draft = EntryDraft(sort.kind, values, (about.subject,), (part_line(sealed, NOTE),))
        return Along(draft, [Notice(sort.notice, ToPrincipal(row.principal), None, draft.event)])

    def _demand_unchanged(self, work: Work, principal: Principal, about: About) -> None:
        record = RecordId(about.what)
        row = work.records.by_ids([record]).get(record)
        if row is None or row.state != ACTIVE or row.field.version != about.version:
            self._files.refuse(work, principal, CORRECTION, "changed")

    def _answerable(
        self, work: Work, principal: Principal, sort: Sort, petition: PetitionId
    ) -> tuple[PetitionRow, About]:
        """Return a petition that this principal may answer; else refuse."""
        if not principal.roles & sort.answerers:
            self._kernel.deny(work, principal, sort.word)
        row = work.petitions.get(petition)
        if row is None or row.kind != sort.word:
            self._files.refuse(work, principal, sort, "not_found")
        about = self._files.vault.about(row.petition)
        if row.principal == principal.id or self._is_concerned(work, principal, row, about):
            denied = Denied(CONFLICT_OF_INTEREST, "petition.own", f"{sort.word} {petition}")
            self._kernel.deny_about(work, principal, (about.subject,), denied)
        return row, about

    def _is_concerned(self, work: Work, principal: Principal, row: PetitionRow, about: About) -> bool:
        subject = work.subjects.by_ids([about.subject])[about.subject]
        if is_close(self._kernel, work, principal, [subject]):
            return True
        if row.kind != DISPUTE.word:
            return False
        (entry,) = work.entries.entries([int(about.what)])
        account = account_of(self._audit.read(entry))
        named = None if account is None else work.principals.by_ids([account]).get(account)
        if named is None:
            return False
        if self._kernel.is_same_person(principal, named):
            return True
        tag = None if named.employee is None else self._kernel.links.open(named.id, named.employee)
        enrolled = None if tag is None else work.subjects.by_number_tags([tag]).get(tag)
        return enrolled is not None and is_close(self._kernel, work, principal, [enrolled])
