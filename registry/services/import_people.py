"""Enrolling many people from a file: batches of one transaction each, and an outcome for every line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.crypto.tags import equal
from registry.domain.enrollment import Enrollment
from registry.domain.ids import SubjectId
from registry.services.enroll import ENROLLERS, VIA_IMPORT, Batch, Sealer
from registry.services.household import Changes, HouseholdStore
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import SubjectRow, Work
from registry.services.replace_document import DocumentReplacer
from registry.services.rerun import rerun_once

BATCH_LINES = 200


class Outcome(StrEnum):
    """What became of one line."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    EXISTS = "exists"


class Existing(StrEnum):
    """What to do with a person who is enrolled already with other content."""

    REJECT = "reject"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """Outcome of one enrollment, with the subject's id."""

    outcome: Outcome
    subject: SubjectId


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a batch, and the receipt of its last entry; an empty batch has neither."""

    outcomes: tuple[LineOutcome, ...] = ()
    receipt: ReceiptView | None = None


class ImportPeople:
    """Imports batches of enrollments."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._sealer = Sealer(kernel)
        self._households = HouseholdStore(kernel, self._sealer)
        self._replacer = DocumentReplacer(kernel, self._sealer, self._households)

    def run(self, caller: Caller, people: Sequence[Enrollment], existing: Existing) -> Imported:
        """Import one batch in one transaction.

        The same employee number twice in a batch is handled as if the second came later.

        Raises:
            AccessDenied: the caller is no enroller; the refusal is an entry.
        """
        parts = [self._run(caller, part, existing) for part in _without_repeats(people)]
        outcomes = tuple(outcome for part, _ in parts for outcome in part)
        return Imported(outcomes, view_of(self._kernel.mint_one(parts[-1][1])) if parts else None)

    @rerun_once
    def _run(
        self, caller: Caller, people: Sequence[Enrollment], existing: Existing
    ) -> tuple[list[LineOutcome], PendingReceipt]:
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ENROLLERS:
                self._kernel.deny(work, principal, "import")
            batch = Batch(principal, VIA_IMPORT, self._kernel.now_ms())
            tags = [self._kernel.number_tag(person.employee_number) for person in people]
            known = dict(work.subjects.by_number_tags(tags))
            if existing is Existing.UPDATE:
                known |= self._held(work, known, zip(tags, people, strict=True))
            outcomes: list[LineOutcome] = []
            replaced: list[tuple[SubjectRow, Enrollment]] = []
            for person, tag in zip(people, tags, strict=True):
                row = known.get(tag)
                if row is None:
                    outcomes.append(LineOutcome(Outcome.CREATED, self._sealer.gather(batch, person, tag).id))
                elif equal(row.content_tag, self._sealer.content_tag(person)):
                    outcomes.append(LineOutcome(Outcome.UNCHANGED, row.id))
                elif existing is Existing.UPDATE:
                    replaced.append((row, person))
                    outcomes.append(LineOutcome(Outcome.UPDATED, row.id))
                else:
                    outcomes.append(LineOutcome(Outcome.EXISTS, row.id))
            left_alone = [line.outcome for line in outcomes if line.outcome in (Outcome.EXISTS, Outcome.UNCHANGED)]
            if left_alone:
                batch.drafts.append(_left_alone(batch, left_alone))
            pendings = self._write(work, batch, replaced)
            work.commit()
        return outcomes, pendings[-1]

    def _write(
        self, work: Work, batch: Batch, replaced: Sequence[tuple[SubjectRow, Enrollment]]
    ) -> tuple[PendingReceipt, ...]:
        drafts = list(batch.drafts)
        households = self._households.read(work, [row for row, _ in replaced])
        all_changes: list[Changes] = []
        subjects: list[SubjectRow] = []
        for row, person in replaced:
            changes, after, draft = self._replacer.plan(
                Batch(batch.principal, batch.via, batch.now_ms), households[row.id], person
            )
            all_changes.append(changes)
            subjects.append(after)
            drafts.append(draft)
        batch.drafts = drafts
        # New subjects first: an employee number may have to wait for another import, and that before the head is held.
        pendings = self._sealer.write(work, batch)
        self._households.write(work, all_changes, subjects, batch.now_ms)
        return pendings

    def _held(
        self, work: Work, known: Mapping[bytes, SubjectRow], wanted: Iterable[tuple[bytes, Enrollment]]
    ) -> dict[bytes, SubjectRow]:
        """Hold the subjects that differ from their documents, and return them as they are now."""
        differing = [
            known[tag].id
            for tag, person in wanted
            if tag in known and not equal(known[tag].content_tag, self._sealer.content_tag(person))
        ]
        return {row.number_tag: row for row in work.subjects.lock(differing).values()}


def _without_repeats(people: Sequence[Enrollment]) -> list[list[Enrollment]]:
    parts: list[list[Enrollment]] = [[]]
    seen: set[str] = set()
    for person in people:
        if person.employee_number in seen:
            parts.append([])
            seen = set()
        seen.add(person.employee_number)
        parts[-1].append(person)
    return [part for part in parts if part]


def _left_alone(batch: Batch, outcomes: Sequence[Outcome]) -> EntryDraft:
    # Unchanged ones as well: the answer tells that a whole document is exactly what is stored.
    exists, unchanged = outcomes.count(Outcome.EXISTS), outcomes.count(Outcome.UNCHANGED)
    result = f"refused exists {exists} unchanged {unchanged}"
    values = said_by(batch.principal) | {"result": result, "detail": f"via {batch.via}"}
    return EntryDraft(Kind.ENROLL, values)
