"""Rows of a table inside a text: one, and many of one width."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

MIN_ROWS = 4

Cell = tuple[int, int]


class Row(NamedTuple):
    """One row. A tuple and not a dataclass: each row of a dump is made several times.

    Attributes:
        start, end: raw offsets of the row.
        cells: raw offsets of each cell's content, quotes and padding left out.
        labels: small-letter column names, one a cell; () when unknown.
    """

    start: int
    end: int
    cells: tuple[Cell, ...]
    labels: tuple[str, ...] = ()


class RowTable(Sequence[Row]):
    """Rows of one width, kept as numbers: four bytes an offset, where a row of eight cells takes a thousand."""

    __slots__ = ("_labels", "_numbers", "_stride")

    def __init__(self, width: int, labels: tuple[str, ...] = ()) -> None:
        """Begin an empty table.

        Args:
            width: cells of each row.
            labels: as of ``Row``.
        """
        self._labels = labels
        self._stride = 2 + 2 * width
        self._numbers = array("I")

    def append(self, start: int, end: int, cells: Sequence[Cell]) -> None:
        """Add a row."""
        self._numbers.extend((start, end))
        for cell in cells:
            self._numbers.extend(cell)

    def begin_later(self, number: int, start: int) -> None:
        """Let the first cell of a row begin at another place."""
        self._numbers[number * self._stride + 2] = start

    def head_off(self, labels: tuple[str, ...]) -> None:
        """Leave the first row out, whose cells are the names of the columns."""
        del self._numbers[: self._stride]
        self._labels = labels

    @property
    def width(self) -> int:
        """Cells of each row."""
        return self._stride // 2 - 1

    def spans(self) -> Iterator[Cell]:
        """Yield the range of each row."""
        return self.column(-1)

    def column(self, place: int) -> Iterator[Cell]:
        """Yield the ranges of the cells of one column, row by row; nothing is made that is not asked for."""
        at, numbers = 2 + 2 * place, self._numbers
        return zip(numbers[at :: self._stride], numbers[at + 1 :: self._stride], strict=True)

    def __len__(self) -> int:
        return len(self._numbers) // self._stride

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self._row(number) for number in range(*place.indices(len(self)))]
        number = range(len(self))[place]
        return self._row(number)

    def __iter__(self) -> Iterator[Row]:
        return map(self._row, range(len(self)))

    def _row(self, number: int) -> Row:
        at = number * self._stride
        numbers = self._numbers[at : at + self._stride].tolist()
        return Row(numbers[0], numbers[1], tuple(zip(numbers[2::2], numbers[3::2], strict=True)), self._labels)


def spans_of(rows: Sequence[Row]) -> Iterator[Cell]:
    """Yield the range of each of some rows."""
    return rows.spans() if isinstance(rows, RowTable) else ((row.start, row.end) for row in rows)
