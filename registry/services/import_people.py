"""Enrolling many people from a file: batches of one transaction each, and an outcome for every line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.audit.receipt import PendingReceipt
from registry.crypto.tags import equal
from registry.domain.approvals import Action
from registry.domain.enrollment import Enrollment
from registry.domain.ids import SubjectId
from registry.domain.principals import Principal
from registry.services.enroll import ENROLLERS
from registry.services.facts_relations import is_close
from registry.services.household import Changes, HouseholdStore, may_unmark, opened_content
from registry.services.kernel import Caller, Kernel, ReceiptView, view_of
from registry.services.ports import SubjectRow, Work
from registry.services.replace_document import DocumentReplacer
from registry.services.rerun import rerun_once
from registry.services.seal_people import VIA_IMPORT, Batch, Ready, Sealer, tools_of, write_people


class Outcome(StrEnum):
    """What became of one line."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    EXISTS = "exists"
    CONFLICT = "conflict"  # left alone: it is of who imports, or of somebody close to them
    UNMARKS = "unmarks"  # left alone: it would take marks off, and that takes a second person


_LEFT_ALONE = frozenset({Outcome.UNCHANGED, Outcome.EXISTS, Outcome.CONFLICT, Outcome.UNMARKS})


class Existing(StrEnum):
    """What to do with a person who is enrolled already with other content."""

    REJECT = "reject"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody to enroll.

    Attributes:
        number_tag, content_tag: of the employee number, and of the whole document.
        document: reads the document, when it is needed: people made ready beforehand, and unchanged ones, need none.
        ready: the person as made ready for somebody who enters; None when that was not done.
    """

    number_tag: bytes
    content_tag: bytes
    document: Callable[[], Enrollment] = field(repr=False)
    ready: tuple[Principal, SubjectId, Ready] | None = None


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


@dataclass(slots=True)
class _Plan:
    """What one transaction is going to write."""

    principal: Principal
    now_ms: int
    outcomes: list[LineOutcome] = field(default_factory=list)
    new: list[Ready] = field(default_factory=list)
    replaced: list[tuple[int, SubjectRow, Enrollment]] = field(default_factory=list)  # and the place of the outcome


class ImportPeople:
    """Imports batches of enrollments."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.sealer = Sealer(tools_of(kernel))
        self._households = HouseholdStore(kernel, self.sealer)
        self._replacer = DocumentReplacer(kernel, self.sealer, self._households)

    def principal(self, caller: Caller) -> Principal:
        """Return who the caller is now, to make people ready for; every batch looks again."""
        with self._kernel.database.read() as work:
            return self._kernel.principal(work, caller)

    @property
    def policy(self) -> str:
        """The version of the policies in force."""
        return self._kernel.policy.version

    def now_ms(self) -> int:
        """Return the time in milliseconds."""
        return self._kernel.now_ms()

    def run(self, caller: Caller, people: Sequence[Candidate], existing: Existing) -> Imported:
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
        self, caller: Caller, people: Sequence[Candidate], existing: Existing
    ) -> tuple[list[LineOutcome], PendingReceipt]:
        self._prepare(people, existing)
        with self._kernel.database.write() as work:
            principal = self._kernel.principal(work, caller)
            if not principal.roles & ENROLLERS:
                self._kernel.deny(work, principal, "import")
            known = _known(work, people)
            if existing is Existing.UPDATE:
                known |= self._held(work, known, people)
            plan = _Plan(principal, self._kernel.now_ms())
            for person in people:
                self._decide(plan, known.get(person.number_tag), person, existing)
            pendings = self._write(work, plan)
            work.commit()
        return plan.outcomes, pendings[-1]

    def _decide(self, plan: _Plan, row: SubjectRow | None, person: Candidate, existing: Existing) -> None:
        if row is None:
            subject, ready = self._new(plan, person)
            plan.new.append(ready)
            plan.outcomes.append(LineOutcome(Outcome.CREATED, subject))
        elif equal(row.content_tag, person.content_tag):
            plan.outcomes.append(LineOutcome(Outcome.UNCHANGED, row.id))
        elif existing is Existing.UPDATE:
            plan.replaced.append((len(plan.outcomes), row, person.document()))
            plan.outcomes.append(LineOutcome(Outcome.UPDATED, row.id))
        else:
            plan.outcomes.append(LineOutcome(Outcome.EXISTS, row.id))

    def _new(self, plan: _Plan, person: Candidate) -> tuple[SubjectId, Ready]:
        # Entries say who acted: somebody whose rights or unit changed in between is not who it was made ready for.
        if person.ready is not None and person.ready[0] == plan.principal:
            return person.ready[1:]
        batch = Batch(plan.principal, VIA_IMPORT, plan.now_ms, self.policy)
        row = self.sealer.gather(batch, person.document(), (person.number_tag, person.content_tag))
        return row.id, self.sealer.ready(batch)

    def _write(self, work: Work, plan: _Plan) -> tuple[PendingReceipt, ...]:
        households = self._households.read(work, [row for _, row, _ in plan.replaced])
        drafts: list[EntryDraft] = []
        all_changes: list[Changes] = []
        subjects: list[SubjectRow] = []
        for place, row, person in plan.replaced:
            if is_close(self._kernel, work, plan.principal, [row]):
                plan.outcomes[place] = LineOutcome(Outcome.CONFLICT, row.id)
                continue
            batch = Batch(plan.principal, VIA_IMPORT, plan.now_ms, self.policy)
            changes, after, draft = self._replacer.plan(batch, households[row.id], person)
            if Action.UNMARK in self._kernel.rules.dual_control and may_unmark(households[row.id], changes):
                plan.outcomes[place] = LineOutcome(Outcome.UNMARKS, row.id)
                continue
            all_changes.append(changes)
            subjects.append(after)
            drafts.append(draft)
        left_alone = [line.outcome for line in plan.outcomes if line.outcome in _LEFT_ALONE]
        if left_alone:
            drafts.insert(0, _left_alone(plan.principal, left_alone))
        # New subjects first: an employee number may have to wait for another import, and that before the head is held.
        pendings = write_people(self._kernel, work, plan.new, drafts)
        self._households.write(work, all_changes, subjects, plan.now_ms)
        return pendings

    def _prepare(self, people: Sequence[Candidate], existing: Existing) -> None:
        """Have all keys made and opened that the transaction will want, so that it waits for no key service."""
        if existing is Existing.REJECT and all(person.ready is not None for person in people):
            return
        with self._kernel.database.read() as work:
            known = _known(work, people)
            new = [person for person in people if person.number_tag not in known and person.ready is None]
            changed = self._differing(known, people) if existing is Existing.UPDATE else []
            households = self._households.read(work, [known[each.number_tag] for each in changed])
        # A changed household may have grown.
        self.sealer.stock(each.document() for each in (*new, *changed))
        self._households.prepare(households.values())

    def _held(
        self, work: Work, known: Mapping[bytes, SubjectRow], wanted: Sequence[Candidate]
    ) -> dict[bytes, SubjectRow]:
        """Hold the subjects that differ from their documents, and return them as they are now."""
        differing = [known[person.number_tag].id for person in self._differing(known, wanted)]
        return {row.number_tag: opened_content(work, row) for row in work.subjects.lock(differing).values()}

    def _differing(self, known: Mapping[bytes, SubjectRow], people: Sequence[Candidate]) -> list[Candidate]:
        return [
            person
            for person in people
            if person.number_tag in known and not equal(known[person.number_tag].content_tag, person.content_tag)
        ]


def _known(work: Work, people: Sequence[Candidate]) -> dict[bytes, SubjectRow]:
    """Return those who are enrolled already by the tags of their numbers, the tags of their documents opened."""
    rows = work.subjects.by_number_tags([person.number_tag for person in people])
    return {tag: opened_content(work, row) for tag, row in rows.items()}


def _without_repeats(people: Sequence[Candidate]) -> list[list[Candidate]]:
    parts: list[list[Candidate]] = [[]]
    seen: set[bytes] = set()
    for person in people:
        if person.number_tag in seen:
            parts.append([])
            seen = set()
        seen.add(person.number_tag)
        parts[-1].append(person)
    return [part for part in parts if part]


def _left_alone(principal: Principal, outcomes: Sequence[Outcome]) -> EntryDraft:
    # Unchanged ones as well: the answer tells that a whole document is exactly what is stored.
    exists, unchanged = outcomes.count(Outcome.EXISTS), outcomes.count(Outcome.UNCHANGED)
    result = f"refused exists {exists} unchanged {unchanged}"
    if unmarks := outcomes.count(Outcome.UNMARKS):
        result += f" unmarks {unmarks}"
    if conflicts := outcomes.count(Outcome.CONFLICT):
        result += f" conflict {conflicts}"
    values = said_by(principal) | {"result": result, "detail": f"via {VIA_IMPORT}"}
    return EntryDraft(Kind.ENROLL, values)
