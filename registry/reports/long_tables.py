"""Tables of thousands of rows: a page shows some of them, says so, and says where all of them are.

A dump of a few hundred people fills a hundred sheets that nobody reads, and takes seconds to set. What sets a copy
apart is never among the rows that are left out, while there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from registry.leaktrace.report_shapes import TraceReport
from registry.reports.blocks import Block, Paragraph, Table, TableGroup

MOST_ROWS = 200
MOST_NAMES, MOST_RUNS = 40, 8  # of accounts, and of labels that follow one another, in one cell
APART_FIRST = "those of accounts that this report sets apart, then the first"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LongTable(Generic[T]):
    """A table before its rows are written out: of very many, only those that are shown are.

    Attributes:
        caption, columns, shares: as in ``Table``.
        groups: headings, and what their rows are about.
        row: writes one.
    """

    caption: str
    columns: tuple[str, ...]
    shares: tuple[int, ...]
    groups: Sequence[tuple[str, Sequence[T]]]
    row: Callable[[T], tuple[str, ...]]


def shown(
    table: LongTable[T], order: str = "the first", by: Callable[[str, T, int], int] | None = None
) -> tuple[Block, ...]:
    """Return a table with at most ``MOST_ROWS`` rows, then behind a sentence that says how many there are.

    Args:
        table: whole.
        order: which rows are shown, in words.
        by: of a group's heading, what a row is about, and the row's number; rows with the smallest are shown, of equals
            the first. Those shown keep their order.
    """
    rows = [(heading, item) for heading, items in table.groups for item in items]
    numbers: Sequence[int] = range(len(rows))
    if by is not None and len(rows) > MOST_ROWS:
        numbers = sorted(numbers, key=lambda number: by(*rows[number], number))
    groups: dict[str, list[tuple[str, ...]]] = {}
    for number in sorted(numbers[:MOST_ROWS]):
        heading, item = rows[number]
        groups.setdefault(heading, []).append(table.row(item))
    laid = tuple(TableGroup(heading, tuple(written)) for heading, written in groups.items())
    done = Table(table.caption, table.columns, laid, table.shares)
    if len(rows) <= MOST_ROWS:
        return (done,)
    told = (
        f"The table that follows shows {MOST_ROWS} of {len(rows):,} rows: {order}. The report's JSON form, which every "
        "evidence bundle holds as report.json, has all of them."
    )
    return Paragraph(told), done


def set_apart(report: TraceReport) -> frozenset[str]:
    """Return the labels of accounts of whose copies the report says more than that they were served."""
    told: list[str] = []
    if report.marks is not None:
        told += [one.label for one in report.marks.copies if one.evidence.tier != "none"]
        told += [label for pair in report.marks.pairs for label in pair.labels]
        told += [label for canary in report.marks.canaries for label in canary.accounts]
    if report.codes is not None:
        told += [label for _, _, label in report.codes.matches]
    return frozenset(told)


def listed(names: Iterable[str]) -> str:
    """Return names in one cell: the first of very many, and how many more there are."""
    all_names = list(names)
    more = len(all_names) - MOST_NAMES
    rest = [f"and {more:,} more"] if more > 0 else []
    return ", ".join([*all_names[:MOST_NAMES], *rest])
