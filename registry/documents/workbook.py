"""Workbooks. A cell is changed as a whole: what it shows, without the value, as a text of its own.

So formulas, values remembered beside them, numbers and shared strings all go the same way; a shared string that no
other cell shows any more is emptied.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from registry.documents.model import MARK, Canvas, Cut, Document, Place, Span, replaced
from registry.documents.number_formats import NumberFormats
from registry.documents.office import OfficeDocument, Opener
from registry.documents.office_parts import place_of, without
from registry.documents.package import Package
from registry.documents.sheet import Cell, SheetReader, column_letters
from registry.documents.xml_part import XmlPart

_STRINGS = "xl/sharedStrings.xml"
_STYLES = "xl/styles.xml"
_WORKBOOK = "xl/workbook.xml"
_SHEET = re.compile(r"xl/(?:work|dialog|macro)sheets/\w+\.xml")
_CALC_CHAIN = "xl/calcChain.xml"
_PIVOT = re.compile(r"xl/pivotCache/\w+\.xml")
_TYPED = re.compile(rf'<([nd])(\s[^<>]*?\bv="[^"]*{re.escape(MARK)}[^"]*"[^<>]*)(?:/>|>\s*</\1>)')
_1904 = re.compile(r'\bdate1904\s*=\s*"(?:1|true)"')
_INDEX = re.compile(r"[0-9]{1,9}")
_CHARACTER = re.compile(r"_x(?![Dd][89A-Fa-f])([0-9A-Fa-f]{4})_")
_BREAKS = str.maketrans("\r\n\t", "   ")
# Cuts of cells carry this and the cell's number in place of a part's number.
_CELLS = 1 << 32


class Workbook(OfficeDocument):
    """A workbook as spreadsheets keep it."""

    def __init__(self, package: Package, open_nested: Opener) -> None:
        self._cells: list[tuple[int, Cell, str]] = []  # number of its part, cell, what it shows
        self._strings = _SharedStrings(package)
        styles = package.xml(_STYLES) if _STYLES in package.names else None
        book = package.read(_WORKBOOK).decode("utf-8", "replace") if _WORKBOOK in package.names else ""
        self._formats = NumberFormats(styles, counts_from_1904=_1904.search(book) is not None)
        super().__init__(package, open_nested)

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name sheet and cell; elsewhere the part."""
        places = super().places(spans)
        for index, span in enumerate(spans):
            cut = next(self.canvas.cuts([span]), None)
            if cut is not None and cut.part >= _CELLS:
                part, cell, _ = self._cells[cut.part - _CELLS]
                name = f"{column_letters(cell.column)}{cell.row}"
                places[index] = (*place_of(self.parts[part][0]), ("cell", name))
        return places

    def read_part(self, name: str, xml: XmlPart) -> tuple[Canvas, Canvas]:
        """Read one part; a sheet row by row."""
        if name == _STRINGS:
            # Read as cells; what no cell shows is read at the end.
            self.parts.append((name, xml))
            return Canvas(), self._strings.unused(len(self.parts) - 1, self._shown_strings())
        if not _SHEET.fullmatch(name):
            return super().read_part(name, xml)
        number, place = len(self.parts), place_of(name)
        self.parts.append((name, xml))
        reader = SheetReader(xml, number, place)
        xml.visit(reader)
        main = Canvas()
        main.at(place)
        self._add_rows(main, number, reader.cells)
        reader.rest.main.gap("\n")
        reader.rest.main.join(reader.rest.aside)
        reader.rest.main.join(reader.formulas)
        return main, reader.rest.main

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Rewrite the cells and parts that hold some of it."""
        by_part: dict[int, list[Cut]] = {}
        by_cell: dict[int, list[Cut]] = {}
        for cut in self.canvas.cuts(spans):
            if cut.part >= _CELLS:
                by_cell.setdefault(cut.part - _CELLS, []).append(cut)
            else:
                by_part.setdefault(cut.part, []).append(cut)
        changed: dict[str, bytes | None] = {}
        for number in {*by_part, *(self._cells[index][0] for index in by_cell)}:
            name, part = self.parts[number]
            cuts = by_part.get(number, [])
            if isinstance(part, XmlPart) and _SHEET.fullmatch(name):
                changed[name] = self._changed_sheet(number, part, cuts, by_cell)
            else:
                changed[name] = self.changed_part(number, part, cuts)
        self._empty_strings(by_cell, by_part, changed)
        gone = self._gone | ({_CALC_CHAIN} & set(self.package.names))
        without(self.package, gone, changed)
        return self.package.written(changed)

    def changed_part(self, number: int, part: XmlPart | Document, cuts: Sequence[Cut]) -> bytes:
        """Return one part without some stretches; a number or date that a pivot cache remembers becomes a text."""
        content = super().changed_part(number, part, cuts)
        if isinstance(part, XmlPart) and _PIVOT.fullmatch(self.parts[number][0]):
            content = part.encode(_TYPED.sub(r"<s\2/>", XmlPart(content, self.package.budget).raw))
        return content

    def _shown_strings(self) -> Counter[int]:
        return Counter(_index(cell) for _, cell, _ in self._cells if cell.kind == "s")

    def _add_rows(self, canvas: Canvas, number: int, cells: Iterable[Cell]) -> None:
        """Write a sheet's cells line by line, each below those of its column."""
        rows: dict[int, list[Cell]] = {}
        for cell in cells:
            rows.setdefault(cell.row, []).append(cell)
        columns = {
            column: place for place, column in enumerate(sorted({cell.column for row in rows.values() for cell in row}))
        }
        for row in sorted(rows):
            at = 0
            for cell in sorted(rows[row], key=lambda one: one.column):
                shown = self._shown(cell)
                canvas.gap("\t" * (columns[cell.column] - at))
                at = columns[cell.column]
                self._cells.append((number, cell, shown))
                canvas.plain(shown.translate(_BREAKS), _CELLS + len(self._cells) - 1, 0)
            canvas.gap("\n")

    def _shown(self, cell: Cell) -> str:
        if cell.kind == "s":
            return _plain(self._strings.text_of(_index(cell)))
        if cell.kind == "n":
            return self._formats.shown(cell.value, cell.style)
        return "" if cell.kind in {"b", "e"} else _plain(cell.value)

    def _changed_sheet(self, number: int, xml: XmlPart, cuts: Iterable[Cut], by_cell: dict[int, list[Cut]]) -> bytes:
        edits = [(cut.start, cut.end, MARK if cut.is_first else "") for cut in cuts]
        own = [(index, cell) for index, (part, cell, _) in enumerate(self._cells) if part == number]
        edits += [
            (cell.start, cell.end, self._written(xml, index, by_cell[index])) for index, cell in own if index in by_cell
        ]
        # A formula that says a value, or whose master goes: the cells keep what they show.
        stained = [(start, end) for start, end, _ in edits]
        touched = _touched(stained, [cell.formula for _, cell in own if cell.formula[1]])
        groups = {cell.group for _, cell in own if cell.group >= 0 and cell.formula in touched}
        for index, cell in own:
            if index not in by_cell and cell.formula[1] and (cell.formula in touched or cell.group in groups):
                edits.append((*cell.formula, ""))
        return xml.encode(replaced(xml.raw, [(start, end, words) for start, end, words in _widest(edits)]))

    def _written(self, xml: XmlPart, index: int, cuts: Iterable[Cut]) -> str:
        _, cell, shown = self._cells[index]
        text = replaced(shown, [(cut.start, cut.end, MARK if cut.is_first else "") for cut in cuts]) or MARK
        style = xml.attribute(cell.start, "s")
        told = f' s="{escape(style)}"' if style else ""
        reference = f"{column_letters(cell.column)}{cell.row}"
        return f'<c r="{reference}"{told} t="inlineStr"><is><t xml:space="preserve">{escape(_coded(text))}</t></is></c>'

    def _empty_strings(
        self, by_cell: dict[int, list[Cut]], by_part: dict[int, list[Cut]], changed: dict[str, bytes | None]
    ) -> None:
        """Empty the shared strings that only rewritten cells showed."""
        left = self._shown_strings()
        gone = Counter(_index(self._cells[index][1]) for index in by_cell if self._cells[index][1].kind == "s")
        numbers = [number for number, (name, _) in enumerate(self.parts) if name == _STRINGS]
        if not gone or not numbers:
            return
        _, part = self.parts[numbers[0]]
        if isinstance(part, XmlPart):
            cuts = by_part.get(numbers[0], [])
            edits = [(cut.start, cut.end, MARK if cut.is_first else "") for cut in cuts]
            edits += [(*self._strings.spans[index], "<si><t/></si>") for index in gone if gone[index] == left[index]]
            changed[_STRINGS] = part.encode(replaced(part.raw, edits))


class _SharedStrings:
    """Texts that cells show by number."""

    def __init__(self, package: Package) -> None:
        self._xml = package.xml(_STRINGS) if _STRINGS in package.names else None
        self._texts: list[str] = []
        self._words: list[str] = []
        self._begun, self._is_text = 0, False
        self.spans: list[Span] = []
        self.notes: list[Span] = []
        if self._xml is not None:
            self._xml.visit(self)

    def text_of(self, index: int) -> str:
        """Return one text; a number that none has is shown as nothing."""
        return self._texts[index] if 0 <= index < len(self._texts) else ""

    def unused(self, number: int, shown: Counter[int]) -> Canvas:
        """Return the texts that no cell shows: left behind by cells that were emptied."""
        canvas = Canvas()
        canvas.at(place_of(_STRINGS))
        for start, end in self.notes:
            canvas.plain("" if self._xml is None else self._xml.raw[start:end], number, start)
            canvas.gap("\n")
        unused = {index for index in range(len(self._texts)) if index not in shown}
        if self._xml is not None and unused:
            self._xml.visit(_Unused(canvas, number, unused))
        return canvas

    def start(self, name: str, at: int) -> None:
        if name == "si":
            self._begun, self._words = at, []
        self._is_text = name == "t"

    def end(self, name: str, at: int) -> None:
        self._is_text = False
        if name == "si" and self._xml is not None:
            self._texts.append("".join(self._words))
            self.spans.append((self._begun, at))

    def data(self, text: str, start: int, end: int) -> None:  # noqa: ARG002 - the visitor's form
        if self._is_text:
            self._words.append(text)

    def note(self, start: int, end: int) -> None:
        self.notes.append((start, end))


class _Unused:
    """Writes some of the shared strings, one a line."""

    def __init__(self, canvas: Canvas, number: int, wanted: set[int]) -> None:
        self.canvas, self._number, self._wanted = canvas, number, wanted
        self._index, self._is_text = -1, False

    def start(self, name: str, at: int) -> None:  # noqa: ARG002 - the visitor's form
        self._index += name == "si"
        self._is_text = name == "t" and self._index in self._wanted

    def end(self, name: str, at: int) -> None:  # noqa: ARG002 - the visitor's form
        self._is_text = False
        if name == "si" and self._index in self._wanted:
            self.canvas.gap("\n")

    def data(self, text: str, start: int, end: int) -> None:
        if self._is_text and end - start == len(text):
            self.canvas.plain(text, self._number, start)
        elif self._is_text:
            self.canvas.whole(text, self._number, start, end)

    def note(self, start: int, end: int) -> None:
        pass  # read with the texts that cells show


def _plain(text: str) -> str:
    """Undo how workbooks write characters by their numbers. Source: ECMA-376, part 1, 22.4.2.4."""
    return _CHARACTER.sub(lambda code: chr(int(code[1], 16)), text)


def _coded(text: str) -> str:
    """Write a text so that nothing in it is taken for such a number."""
    return _CHARACTER.sub(lambda code: f"_x005F{code[0]}", text)


def _index(cell: Cell) -> int:
    return int(cell.value) if _INDEX.fullmatch(cell.value) else -1


def _touched(edits: Iterable[Span], formulas: Iterable[Span]) -> set[Span]:
    """Return the formulas that some edit overlaps."""
    marked = [(start, 0, end) for start, end in edits] + [(start, 1, end) for start, end in formulas]
    found: set[Span] = set()
    last_edit = 0
    waiting: list[Span] = []
    for start, is_formula, end in sorted(marked):
        if is_formula:
            if last_edit > start:
                found.add((start, end))
            waiting = [(start, end)]
        else:
            last_edit = max(last_edit, end)
            found |= {one for one in waiting if one[1] > start}
    return found


def _widest(edits: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Leave out edits inside of others."""
    kept: list[tuple[int, int, str]] = []
    for edit in sorted(edits, key=lambda one: (one[0], -one[1])):
        if not kept or edit[1] > kept[-1][1]:
            kept.append(edit)
    return kept
