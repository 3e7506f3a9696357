"""The section of a report about a dump: whom and what it covers, and what in it the registry never had."""

from __future__ import annotations

from collections.abc import Iterator

from registry.leaktrace import wording
from registry.leaktrace.coverage import DIRECTORY, Coverage, TableCoverage
from registry.reports.blocks import Block, Paragraph, Table, TableGroup
from registry.reports.plain import visible

_NOTE = (
    "Counted in rows in which somebody was found. A column that is filled there and agrees with nothing the registry "
    "has of these people points to another source, or to one more. That columns agree says nothing of who leaked them."
)


def coverage_blocks(coverage: Coverage | None) -> tuple[Block, ...]:
    """Return the blocks of the section; none where the text is no dump."""
    return () if coverage is None else tuple(_blocks(coverage))


def _blocks(coverage: Coverage) -> Iterator[Block]:
    yield Paragraph(f"Rows of {coverage.people} enrolled people were found.")
    if coverage.units:
        units = tuple((visible(one.unit), str(one.found), _share(one.found, one.enrolled)) for one in coverage.units)
        columns = ("Department", "Found", "Of those enrolled in it")
        yield Table("People found, by department", columns, (TableGroup("", units),), (40, 15, 25))
    if coverage.in_other_units:
        yield Paragraph(f"{coverage.in_other_units} of them are of departments with fewer than five people found.")
    kinds = tuple((visible(_words(kind)), _share(count, coverage.people)) for kind, count in coverage.kinds)
    yield Table("Values found, by kind", ("Kind of value", "People"), (TableGroup("", kinds),), (40, 40))
    groups = tuple(_group(number, table) for number, table in enumerate(coverage.tables, 1))
    columns = ("Column", "Rows filled", "What was found in it")
    yield Table("Columns of the tables in the text", columns, groups, (12, 14, 54))
    yield Paragraph(_NOTE)


def _group(number: int, table: TableCoverage) -> TableGroup:
    rows = tuple(
        (str(one.number), str(one.filled), _held(one.holds, is_outside=one.is_outside)) for one in table.columns
    )
    return TableGroup(f"Table {number}: {table.found_rows} of {table.rows} rows with somebody found", rows)


def _held(holds: tuple[tuple[str, int], ...], *, is_outside: bool) -> str:
    if not holds:
        return "nothing that the registry has of them: not from here" if is_outside else "nothing"
    return visible(", ".join(f"{_words(kind)} in {rows}" for kind, rows in holds))


def _share(part: int, whole: int) -> str:
    return "not known" if whole <= 0 else f"{part} of {max(part, whole)} ({part / max(part, whole):.2f})"


def _words(kind: str) -> str:
    return "name, number, department or title" if kind == DIRECTORY else wording.kind_words(kind)
