"""Importing a whole file: its rows in batches, and a tally of what became of every line.

What a batch committed stays, whatever comes after it. Sending the same file again is how an import goes on: lines that
are stored already are found unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from registry.domain.enrollment import Enrollment
from registry.services.import_people import Candidate, Existing, Imported, ImportPeople, Outcome
from registry.services.kernel import Caller, ReceiptView
from registry.services.seal_lines import Hands, LineSealer, SealedLine, SealOrder
from registry.text.csv_rows import UnreadRow, read_row

MAX_ERRORS_KEPT = 1_000_000
BATCH_LINES = 200
BATCH_BYTES = 4 << 20  # of a file with very long lines


@dataclass(frozen=True, slots=True)
class LineError:
    """One problem of one line: where and what, never the value."""

    line: int
    pointer: str
    code: str


@dataclass(slots=True)
class Tally:
    """What became of the lines so far.

    Attributes:
        most_errors: more are counted, and not kept.
        lines: lines that were dealt with; blank ones do not count.
        rejected: lines, not problems: one line may have several.
        receipt: of the newest entry that speaks of these lines; None when no line came to the ledger.
    """

    most_errors: int = MAX_ERRORS_KEPT
    lines: int = 0
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    rejected: int = 0
    errors: list[LineError] = field(default_factory=list)
    errors_left_out: int = 0
    receipt: ReceiptView | None = None

    def reject(self, line: int, problems: Sequence[tuple[str, str]]) -> None:
        """Note that a line was rejected, with pointer and code of each problem."""
        self.rejected += 1
        room = max(0, self.most_errors - len(self.errors))
        self.errors += [LineError(line, pointer, code) for pointer, code in problems[:room]]
        self.errors_left_out += len(problems[room:])

    def add(self, lines: Sequence[int], imported: Imported) -> None:
        """Note what became of the lines of one batch."""
        for line, outcome in zip(lines, imported.outcomes, strict=True):
            self.counts[outcome.outcome] += 1
            if outcome.outcome is Outcome.EXISTS:
                self.reject(line, [("/employee_number", "exists")])
            elif outcome.outcome is Outcome.CONFLICT:
                self.reject(line, [("", "conflict_of_interest")])
            elif outcome.outcome is Outcome.UNMARKS:
                self.reject(line, [("", "approval_required")])
        self.receipt = imported.receipt or self.receipt

    def document(self) -> dict[str, object]:
        """Return the figures and the problems as every answer shows them."""
        return {
            "lines": self.lines,
            "created": self.counts[Outcome.CREATED],
            "updated": self.counts[Outcome.UPDATED],
            "unchanged": self.counts[Outcome.UNCHANGED],
            "rejected": self.rejected,
            "errors": self.problems(),
        }

    def problems(self) -> list[dict[str, object]]:
        """Return the problems that were kept, in the order of the file."""
        ordered = sorted(self.errors, key=lambda error: error.line)
        return [{"line": error.line, "pointer": error.pointer, "code": error.code} for error in ordered]


@dataclass(frozen=True, slots=True)
class ImportRun:
    """Who imports, and how.

    Attributes:
        today: the day to judge dates by, the same for every line.
        told: called after every batch.
        hands: who seals; None for this thread.
        batch_lines: lines a transaction.
    """

    people: ImportPeople
    caller: Caller
    existing: Existing
    today: date
    told: Callable[[Tally], None] = lambda _: None
    hands: Hands | None = None
    batch_lines: int = BATCH_LINES

    def run(self, rows: Iterator[UnreadRow], tally: Tally) -> None:
        """Import all rows, one transaction a batch.

        Args:
            rows: as they are read; no more than a few batches of them are held.
            tally: filled while it goes on, so that an error leaves it saying what was done.

        Raises:
            AccessDenied: the caller is no enroller, or is none any more.
            AuditUnavailable: the ledger takes no entries; the batches before this one stay.
        """
        hands = self.hands or LineSealer(self.people.sealer).one_by_one
        ahead = _Ahead(self)
        for batch, order, lines in hands(batches(rows, self.batch_lines), ahead.order):
            for line, problems in lines.bad:
                tally.reject(line, problems)
            candidates = [self._candidate(batch, order, line) for line in lines.people]
            imported = self.people.run(self.caller, candidates, self.existing)
            tally.add([batch[line.place].line for line in lines.people], imported)
            tally.lines += len(batch)
            ahead.learn(imported)
            self.told(tally)

    def _candidate(self, batch: Sequence[UnreadRow], order: SealOrder, line: SealedLine) -> Candidate:
        ready = None
        if order.principal is not None and line.subject is not None and line.ready is not None:
            ready = (order.principal, line.subject, line.ready)
        document = partial(_document, batch[line.place], self.today)
        return Candidate(line.number_tag, line.content_tag, document, ready)


def _document(row: UnreadRow, today: date) -> Enrollment:
    return read_row(row.read(), today=today)


class _Ahead:
    """Decides whether people are made ready before it is known that they are new.

    A file that is sent again is mostly people who are enrolled already: once a batch was such, only tags are made,
    until one is not.
    """

    def __init__(self, run: ImportRun) -> None:
        self._run = run
        self._principal = run.people.principal(run.caller)
        self._is_worth = True

    def order(self) -> SealOrder:
        """Return what is to be done with the next batch."""
        principal = self._principal if self._is_worth else None
        return SealOrder(self._run.today, self._run.people.now_ms(), self._run.people.policy, principal)

    def learn(self, imported: Imported) -> None:
        """Take note of what became of a batch."""
        if imported.outcomes:
            created = sum(line.outcome is Outcome.CREATED for line in imported.outcomes)
            self._is_worth = 2 * created >= len(imported.outcomes)


def batches(rows: Iterator[UnreadRow], lines: int) -> Iterator[list[UnreadRow]]:
    """Gather rows into batches, bounded in lines and in bytes."""
    batch: list[UnreadRow] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += row.size
        if len(batch) >= lines or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
