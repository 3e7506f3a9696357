"""The text of one XML part of an office document: paragraphs, table rows, then everything that is seen nowhere.

A paragraph with tracked changes is read as it is now and as it was before: the two mixed would hide a value.
"""

from __future__ import annotations

import re

from registry.documents.model import Canvas, Place
from registry.documents.xml_part import Attribute, XmlPart

_PARAGRAPHS = frozenset({"p", "si", "is", "text"})
_TEXTS = frozenset({"t", "text"})
_REMOVED = frozenset({"del", "moveFrom"})
_ADDED = frozenset({"ins", "moveTo"})
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
_SYMBOL = re.compile(r"[Ff]0([0-9A-Fa-f]{2})|([0-9A-Fa-f]{4})")
# Numbers and codes of layout.
_DULL_TEXTS = frozenset({"posOffset", "pctWidth", "pctHeight", "pctPosHOffset", "pctPosVOffset", "fldData", "align"})
_DULL_ATTRIBUTES = re.compile(
    r"rsid\w*|style|schemaLocation|Requires|Ignorable|xmlns\w*|coord\w*|path|points|gfxdata|Type|ContentType|PartName|"
    r"Extension|sqref|spans"
)
_SHORTEST = 5
# Parts whose names of attributes are anybody's: all of them are read.
_FOREIGN = ((("part", "custom data"),), (("part", "other"),))
_NUMBER = re.compile(r"[+-]?[0-9.,]+%?")
_LONG_NUMBER = re.compile(r"[0-9]{9,19}(?:\.0)?")
_CODE = re.compile(
    r"\{?[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}?|[0-9A-Fa-f]{8}|https?://(?:schemas|purl|www\.w3)\.\S*"
    r"|urn:schemas\S*|[A-Za-z]+|rId[0-9]{1,9}|[A-Z]{1,3}[0-9]{1,7}(?::[A-Z]{1,3}[0-9]{1,7})?|_x0000_[a-z][0-9]{1,9}"
)


class OfficeText:
    """Visits one part and writes its text on two canvases: what is seen, and what is not."""

    def __init__(self, xml: XmlPart, number: int, place: Place) -> None:
        """Take the part.

        Args:
            xml: the part.
            number: its number in cuts.
            place: where it stands in the document.
        """
        self.main = Canvas()
        self.aside = Canvas()
        self._xml, self._number, self._place = xml, number, place
        self._names: list[str] = []
        self._paragraphs: list[_Paragraph] = []
        self._counted = 0
        self._tables = 0
        self._cells: list[int] = []
        self._removed = self._added = 0
        self.main.at(place)
        self.aside.at(place)

    def start(self, name: str, at: int) -> None:
        """See ``Visitor``."""
        parent = self._names[-1] if self._names else ""
        self._names.append(name)
        if name in _PARAGRAPHS:
            self._counted += 1
            self._paragraphs.append(_Paragraph())
        elif name == "tbl":
            self._tables += 1
        elif name == "tr" and self._tables:
            self._cells.append(0)
        elif name == "tc" and self._cells:
            if self._cells[-1]:
                self.main.gap("\t" if self._tables == 1 else " ")
            self._cells[-1] += 1
        elif name in _REMOVED:
            self._removed += 1
        elif name in _ADDED:
            self._added += 1
        elif name in _BREAKS and parent in {"r", "p", "del", "ins"} and self._paragraphs:
            self._paragraphs[-1].gap(_BREAKS[name])
        elif name == "sym" and self._paragraphs:
            self._symbol(self._paragraphs[-1], at)
        self._attributes(at)

    def end(self, name: str, at: int) -> None:  # noqa: ARG002 - the visitor's form
        """See ``Visitor``."""
        self._names.pop()
        if name in _PARAGRAPHS and self._paragraphs:
            self._finish(self._paragraphs.pop())
        elif name == "tbl":
            self._tables -= 1
        elif name == "tr" and self._cells:
            self._cells.pop()
            self.main.gap("\n" if self._tables == 1 else " ")
        elif name in _REMOVED:
            self._removed -= 1
        elif name in _ADDED:
            self._added -= 1
        elif not self.aside.ends_line:
            self.aside.gap("\n")

    def data(self, text: str, start: int, end: int) -> None:
        """See ``Visitor``."""
        name = self._names[-1] if self._names else ""
        if not self._paragraphs or name not in _TEXTS | {"delText", "instrText", "delInstrText"}:
            if name not in _DULL_TEXTS and (text.strip() or not self.aside.ends_line):
                self._write(self.aside, text, start, end)
            return
        paragraph = self._paragraphs[-1]
        if name in {"instrText", "delInstrText"}:
            self._write(paragraph.code, text, start, end)
            return
        is_removed = self._removed > 0 or name == "delText"
        if not is_removed:
            self._write(paragraph.now, text, start, end)
        if is_removed or not self._added:
            self._write(paragraph.before, text, start, end)
        paragraph.is_changed = paragraph.is_changed or is_removed or self._added > 0

    def note(self, start: int, end: int) -> None:
        """See ``Visitor``."""
        self.aside.at(self._place)
        self.aside.plain(self._xml.raw[start:end], self._number, start)
        self.aside.gap("\n")

    def _write(self, canvas: Canvas, text: str, start: int, end: int) -> None:
        if end - start == len(text):
            canvas.plain(text, self._number, start)
        else:
            canvas.whole(text, self._number, start, end)

    def _finish(self, paragraph: _Paragraph) -> None:
        place = (*self._place, ("paragraph", self._counted))
        outer = self._paragraphs[-1].boxes if self._paragraphs else self.main
        outer.at(place)
        outer.join(paragraph.now)
        # A paragraph ends a line, but inside of a cell, whose row is a line.
        outer.gap(" " if self._cells and outer is self.main else "\n")
        for extra in (paragraph.before if paragraph.is_changed else None, paragraph.code, paragraph.boxes):
            if extra is not None and len(extra):
                target = self.main if extra is paragraph.boxes and not self._cells else self.aside
                target.at(place)
                target.join(extra)
                target.gap("\n")

    def _symbol(self, paragraph: _Paragraph, at: int) -> None:
        """Read one character that is written by its number; those of symbol fonts begin at F000."""
        code = _SYMBOL.fullmatch(self._xml.attribute(at, "char") or "")
        if code is None:
            paragraph.gap(" ")
            return
        for canvas in (paragraph.now, paragraph.before):
            canvas.whole(chr(int(code[1] or code[2], 16)), self._number, at, self._xml.tag_end(at))

    def _attributes(self, at: int) -> None:
        raw = self._xml.raw
        is_custom = self._place in _FOREIGN
        for attribute in self._xml.attributes(at):
            if is_custom or tells(attribute, raw[attribute.start : attribute.end]):
                self.aside.at((*self._place, ("paragraph", self._counted)) if self._paragraphs else self._place)
                self._xml.add_value(self.aside, self._number, attribute)
                self.aside.gap("\n")


class _Paragraph:
    """One paragraph while it is read: as it is, as it was, its field codes, and the boxes anchored in it."""

    def __init__(self) -> None:
        self.now, self.before, self.code, self.boxes = Canvas(), Canvas(), Canvas(), Canvas()
        self.is_changed = False

    def gap(self, text: str) -> None:
        self.now.gap(text)
        self.before.gap(text)


def tells(attribute: Attribute, value: str) -> bool:
    """Tell whether an attribute may say something to somebody: no measure, no code, no single word."""
    if attribute.name == "v":  # of a pivot cache: a cell's value, in parts
        return _NUMBER.fullmatch(value) is None or _LONG_NUMBER.fullmatch(value) is not None
    if len(value) < _SHORTEST or _DULL_ATTRIBUTES.fullmatch(attribute.name):
        return False
    if _NUMBER.fullmatch(value):
        return _LONG_NUMBER.fullmatch(value) is not None
    return _CODE.fullmatch(value) is None
