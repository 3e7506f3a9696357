"""Importing a whole file: its rows in batches, and a tally of what became of every line.

What a batch committed stays, whatever comes after it. Sending the same file again is how an import goes on: lines that
are stored already are found unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from registry.domain.enrollment import Enrollment
from registry.domain.errors import InvalidInput
from registry.services.import_people import BATCH_LINES, Existing, Imported, ImportPeople, Outcome
from registry.services.kernel import Caller, ReceiptView
from registry.text.csv_rows import RowResult, read_row

MAX_ERRORS_KEPT = 1_000_000


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
    """

    people: ImportPeople
    caller: Caller
    existing: Existing
    today: date
    told: Callable[[Tally], None] = lambda _: None

    def run(self, rows: Iterator[RowResult], tally: Tally) -> None:
        """Import all rows, one transaction a batch.

        Args:
            rows: as they are read; no more than a batch of them is held.
            tally: filled while it goes on, so that an error leaves it saying what was done.

        Raises:
            AccessDenied: the caller is no enroller, or is none any more.
            AuditUnavailable: the ledger takes no entries; the batches before this one stay.
        """
        while batch := list(islice(rows, BATCH_LINES)):
            lines, people = self._read(batch, tally)
            tally.add(lines, self.people.run(self.caller, people, self.existing))
            tally.lines += len(batch)
            self.told(tally)

    def _read(self, batch: Sequence[RowResult], tally: Tally) -> tuple[list[int], list[Enrollment]]:
        lines: list[int] = []
        people: list[Enrollment] = []
        for row in batch:
            try:
                person = read_row(row, today=self.today)
            except InvalidInput as refusal:
                tally.reject(row.line, [(problem.pointer, problem.code) for problem in refusal.problems])
            else:
                lines.append(row.line)
                people.append(person)
        return lines, people
