"""Rows of a table inside a text: one, and many of one width."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

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

    def spans(self) -> Iterator[Cell]:
        """Yield the range of each row."""
        numbers = self._numbers
        for at in range(0, len(numbers), self._stride):
            yield numbers[at], numbers[at + 1]

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
        start, end, *rest = self._numbers[at : at + self._stride]
        return Row(start, end, tuple(zip(rest[::2], rest[1::2], strict=True)), self._labels)
