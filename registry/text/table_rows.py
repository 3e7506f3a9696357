"""One row of a table inside a text."""

from __future__ import annotations

from dataclasses import dataclass

MIN_ROWS = 4

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        start, end: raw offsets of the row.
        cells: raw offsets of each cell's content, quotes and padding left out.
        labels: small-letter column names, one a cell; () when unknown.
    """

    start: int
    end: int
    cells: tuple[Cell, ...]
    labels: tuple[str, ...] = ()
