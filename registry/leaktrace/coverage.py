"""What part of the registry a dump covers, and which of its columns hold nothing that the registry has.

Counts alone: of rows, of people by department, of cells by what was found in them. Nothing is told of what the registry
holds beyond that. A column that is filled beside people who were found, and agrees with nothing known of them, points
to another source, or to one more.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from registry.domain.ids import SubjectId
from registry.leaktrace.dossier import Dossier, Matching
from registry.leaktrace.reading import Reading
from registry.text.words import Words

# Of fewer people a count says something of each of them.
LEAST_PEOPLE = 5
MOST_UNITS = 50
# What a column holds that is no record: names, employee number, department, title.
DIRECTORY = "directory"

_Shape = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnCoverage:
    """One column of a table, counted over the rows of people who were found.

    Attributes:
        number: from 1; its name is not told, since it may be a value.
        filled: rows in which it holds something.
        holds: what of those people was found in it: kind of value or ``directory``, and in how many rows.
    """

    number: int
    filled: int
    holds: tuple[tuple[str, int], ...]

    @property
    def is_outside(self) -> bool:
        """Whether nothing in it is anything that the registry has of these people."""
        return self.filled >= LEAST_PEOPLE and not self.holds


@dataclass(frozen=True, slots=True)
class TableCoverage:
    """All tables of one shape. ``found_rows``: those with a finding."""

    rows: int
    found_rows: int
    columns: tuple[ColumnCoverage, ...]


@dataclass(frozen=True, slots=True)
class UnitCoverage:
    """One department: how many of its people were found, and how many are enrolled in it; 0 where it is not known."""

    unit: str
    found: int
    enrolled: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a dump covers.

    Attributes:
        people: how many were found in rows.
        units: departments with at least ``LEAST_PEOPLE`` of them, those with the most first.
        in_other_units: people of departments that are not listed.
        kinds: for each kind of value, of how many of the people it was found.
        tables: by shape.
    """

    people: int
    units: tuple[UnitCoverage, ...]
    in_other_units: int
    kinds: tuple[tuple[str, int], ...]
    tables: tuple[TableCoverage, ...]


@dataclass(slots=True)
class _Column:
    filled: int = 0
    holds: Counter[str] = field(default_factory=Counter)


class Tally:
    """Counts the rows of a text's parts, one after another."""

    def __init__(self) -> None:
        self._rows: Counter[_Shape] = Counter()
        self._found_rows: Counter[_Shape] = Counter()
        self._columns: dict[tuple[_Shape, int], _Column] = {}
        self._people: dict[SubjectId, str] = {}
        self._kinds: dict[str, set[SubjectId]] = {}

    def add(self, reading: Reading, matching: Matching, dossiers: Sequence[Dossier]) -> None:
        """Count one part."""
        cells = _found_cells(reading, matching)
        known = {dossier.subject: dossier for dossier in dossiers}
        for number, words in enumerate(reading.passages):
            if words.scope == 0 or words.folded is not reading.folded:
                continue
            shape = reading.labels[number]
            self._rows[shape] += 1
            found = cells.get(number)
            if found:
                self._found_rows[shape] += 1
                self._add_row(shape, words, found, known)

    def units(self) -> Counter[str]:
        """Return how many of the people who were found are of each department."""
        return Counter(self._people.values())

    def coverage(self, enrolled: Mapping[str, int]) -> Coverage | None:
        """Return what was counted; None of a text that is no dump, or of too few people.

        Args:
            enrolled: how many are enrolled in each department.
        """
        if len(self._people) < LEAST_PEOPLE:
            return None
        listed = [(unit, count) for unit, count in self.units().most_common(MOST_UNITS) if count >= LEAST_PEOPLE]
        return Coverage(
            people=len(self._people),
            units=tuple(UnitCoverage(unit, count, enrolled.get(unit, 0)) for unit, count in listed),
            in_other_units=len(self._people) - sum(count for _, count in listed),
            kinds=tuple((kind, len(people)) for kind, people in sorted(self._kinds.items())),
            tables=tuple(map(self._table, sorted(self._found_rows, key=lambda one: (-self._found_rows[one], one)))),
        )

    def _add_row(
        self,
        shape: _Shape,
        words: Words,
        found: Mapping[int, set[tuple[SubjectId, str]]],
        known: Mapping[SubjectId, Dossier],
    ) -> None:
        people: set[SubjectId] = set()
        for group in found.values():
            for subject, kind in group:
                people.add(subject)
                self._kinds.setdefault(kind, set()).add(subject)
        directory: set[str] = set()
        for one in people & known.keys():
            self._people[one] = known[one].department
            directory |= known[one].directory()
        for cell, text in _cells_of(words):
            column = self._columns.get((shape, cell))
            if column is None:
                column = self._columns[shape, cell] = _Column()
            column.filled += 1
            here = found.get(cell)
            if here:
                for kind in {kind for _, kind in here}:
                    column.holds[kind] += 1
            elif text in directory:
                column.holds[DIRECTORY] += 1

    def _table(self, shape: _Shape) -> TableCoverage:
        columns = tuple(
            ColumnCoverage(cell + 1, column.filled, tuple(sorted(column.holds.items())))
            for (of, cell), column in sorted(self._columns.items())
            if of == shape
        )
        return TableCoverage(self._rows[shape], self._found_rows[shape], columns)


def _found_cells(reading: Reading, matching: Matching) -> dict[int, dict[int, set[tuple[SubjectId, str]]]]:
    """Return whose values of which kind stand in which cell, by passage."""
    rows = [
        (words.starts[0], number)
        for number, words in enumerate(reading.passages)
        if words.scope and words.texts and words.folded is reading.folded
    ]
    starts = [start for start, _ in rows]
    found: dict[int, dict[int, set[tuple[SubjectId, str]]]] = {}
    for finding in matching.findings:
        for begin, end in finding.spans:
            first, last = reading.folded.folded_start(begin), reading.folded.folded_start(end)
            at = bisect_right(starts, first) - 1
            if at < 0:
                continue
            number = rows[at][1]
            for cell in _cells_between(reading.passages[number], first, last):
                found.setdefault(number, {}).setdefault(cell, set()).add((finding.subject, finding.kind))
    return found


def _cells_between(words: Words, first: int, last: int) -> set[int]:
    return set(words.cells[bisect_right(words.ends, first) : bisect_left(words.starts, last)])


def _cells_of(words: Words) -> Iterable[tuple[int, str]]:
    cells: dict[int, str] = {}
    for cell, text in zip(words.cells, words.texts, strict=True):
        cells[cell] = cells.get(cell, "") + text
    return cells.items()
