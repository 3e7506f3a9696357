"""One sheet of a workbook: its cells with their places, formulas, and everything around them."""

from __future__ import annotations

import re
from typing import NamedTuple

from registry.documents.limits import MAX_CELLS
from registry.documents.model import Canvas, Place
from registry.documents.office_text import OfficeText
from registry.documents.xml_part import XmlPart
from registry.domain.errors import UnreadableDocument

_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_INDEX = re.compile(r"[0-9]{1,9}")


class Cell(NamedTuple):
    """One cell as it stands in the sheet.

    Attributes:
        reference: such as ``B7``.
        row, column: from 1.
        start, end: range of its element.
        kind: ``t`` of the element: ``s`` for a shared string, ``n`` for a number ...
        style: number of its style.
        value: text of its value, or of its own string.
        formula: range of the formula's element; (0, 0) without one.
        group: number of the shared formula that it belongs to; -1 for none.
    """

    reference: str
    row: int
    column: int
    start: int
    end: int
    kind: str
    style: int
    value: str
    formula: tuple[int, int]
    group: int


class SheetReader:
    """Visits a sheet: cells are gathered, all else is read as in any part."""

    def __init__(self, xml: XmlPart, number: int, place: Place) -> None:
        self.cells: list[Cell] = []
        self.rest = OfficeText(xml, number, place)
        self.formulas = Canvas()
        self.formulas.at((*place, ("formula", 1)))
        self._xml, self._number = xml, number
        self._is_inside = False
        self._row = self._column = 0
        self._open: _OpenCell | None = None
        self._name = ""

    def start(self, name: str, at: int) -> None:
        """See ``Visitor``."""
        self._name = name
        if name == "sheetData":
            self._is_inside = True
        elif not self._is_inside:
            self.rest.start(name, at)
        elif name == "row":
            given = self._xml.attribute(at, "r")
            self._row = int(given) if given is not None and _INDEX.fullmatch(given) else self._row + 1
            self._column = 0
        elif name == "c":
            self._open = self._opened(at)
        elif name == "f" and self._open is not None:
            self._open.formula_start = at
            group = self._xml.attribute(at, "si")
            self._open.group = int(group) if group is not None and _INDEX.fullmatch(group) else -1

    def end(self, name: str, at: int) -> None:
        """See ``Visitor``."""
        self._name = ""
        if name == "sheetData":
            self._is_inside = False
        elif not self._is_inside:
            self.rest.end(name, at)
        elif name == "f" and self._open is not None:
            self._open.formula_end = at
            self.formulas.gap("\n")
        elif name == "c" and self._open is not None:
            self.cells.append(self._open.closed(at))
            self._open = None
            if len(self.cells) > MAX_CELLS:
                raise UnreadableDocument("too_large")

    def data(self, text: str, start: int, end: int) -> None:
        """See ``Visitor``."""
        if not self._is_inside:
            self.rest.data(text, start, end)
        elif self._open is None:
            return
        elif self._name == "f":
            if end - start == len(text):
                self.formulas.plain(text, self._number, start)
            else:
                self.formulas.whole(text, self._number, start, end)
        elif self._name in {"v", "t"}:
            self._open.value.append(text)

    def note(self, start: int, end: int) -> None:
        """See ``Visitor``."""
        self.rest.note(start, end)

    def _opened(self, at: int) -> _OpenCell:
        named = {
            attribute.name: self._xml.raw[attribute.start : attribute.end] for attribute in self._xml.attributes(at)
        }
        match = _REFERENCE.fullmatch(named.get("r", ""))
        self._column = self._column + 1 if match is None else column_number(match.group(1))
        row = self._row if match is None else int(match.group(2))
        style = named.get("s", "0")
        return _OpenCell(
            (named.get("r", ""), row, self._column, at),
            named.get("t", "n"),
            int(style) if _INDEX.fullmatch(style) else 0,
        )


class _OpenCell:
    """A cell whose end has not come yet."""

    def __init__(self, known: tuple[str, int, int, int], kind: str, style: int) -> None:
        self._known = known
        self._kind, self._style = kind, style
        self.value: list[str] = []
        self.formula_start = self.formula_end = 0
        self.group = -1

    def closed(self, end: int) -> Cell:
        formula = (self.formula_start, self.formula_end)
        return Cell(*self._known, end, self._kind, self._style, "".join(self.value), formula, self.group)


def column_number(letters: str) -> int:
    """Return the number of a column, A being 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Return the letters of a column."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
