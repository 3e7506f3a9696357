"""Text of OpenDocument files (odt, ods, odp): paragraphs, rows of tables, notes. Source: OASIS OpenDocument 1.3."""

from __future__ import annotations

import re

from registry.documents.archive import ReadOnly
from registry.documents.images import ENDS
from registry.documents.limits import TOO_MUCH
from registry.documents.model import Canvas, Place, Unread
from registry.documents.office import Opener
from registry.documents.package import Package
from registry.documents.xml_part import XmlPart
from registry.domain.errors import UnreadableDocument

_PARAGRAPHS = frozenset({"p", "h"})
_CELLS = frozenset({"table-cell", "covered-table-cell"})
_BREAKS = {"s": " ", "tab": "\t", "line-break": "\n"}
_ASIDES = frozenset({"annotation", "note"})
# Values as programs keep them, which a cell may show in a shorter form; links.
_TELLING = frozenset({"value", "date-value", "string-value", "formula", "href", "title", "name"})
_SHORTEST = 5
_HARMLESS = re.compile(r"mimetype|manifest\.rdf|Configurations2/.*|META-INF/manifest\.xml|Thumbnails/.*|Fonts/.*")


def read_open_document(content: bytes, package: Package, open_nested: Opener) -> ReadOnly:
    """Read an OpenDocument file.

    Raises:
        UnreadableDocument: ``encrypted``, ``broken_xml`` or a limit.
    """
    canvas, unread = Canvas(), list[Unread]()
    first = [name for name in ("content.xml", "styles.xml", "meta.xml") if name in package.names]
    if "META-INF/manifest.xml" in package.names and b"encryption-data" in package.read("META-INF/manifest.xml"):
        raise UnreadableDocument("encrypted")
    for number, name in enumerate((*first, *(one for one in package.names if one not in first)), 1):
        place: Place = (("part", number),)
        canvas.at(place)
        if name.lower().endswith(".xml") and not _HARMLESS.fullmatch(name):
            visitor = _Text(package.xml(name), number)
            visitor.read()
            canvas.join(visitor.main)
            canvas.gap("\n")
            canvas.join(visitor.aside)
        elif not _HARMLESS.fullmatch(name):
            end = name[name.rindex(".") :].lower() if "." in name else ""
            unread += _nested(package.read(name), end, canvas, (place, number, open_nested))
        canvas.gap("\n")
    canvas.gap("".join(f"{comment}\n" for comment in package.comments))
    return ReadOnly(canvas, unread, content)


def _nested(inside: bytes, end: str, canvas: Canvas, where: tuple[Place, int, Opener]) -> list[Unread]:
    place, number, open_nested = where
    try:
        document = open_nested(inside, end)
    except UnreadableDocument as refused:
        if refused.code in TOO_MUCH:
            raise
        return [Unread("image" if end in ENDS else "embedded_object", place, may_hide=True)]
    canvas.plain(document.text, number, 0)
    return [Unread(one.what, (*place, *one.place), one.may_hide) for one in document.unread]


class _Text:
    """Visits one part; what stands beside a paragraph (notes, values, links) is kept apart from it."""

    def __init__(self, xml: XmlPart, number: int) -> None:
        self.main, self.aside = Canvas(), Canvas()
        self._xml, self._number = xml, number
        self._paragraphs = self._asides = self._cells = 0

    def read(self) -> None:
        """Read the part."""
        self._xml.visit(self)

    def start(self, name: str, at: int) -> None:
        """See ``Visitor``."""
        if name in _PARAGRAPHS:
            self._paragraphs += 1
        elif name in _ASIDES:
            self._asides += 1
        elif name == "table-row":
            self._cells = 0
        elif name in _CELLS:
            if self._cells:
                self.main.gap("\t")
            self._cells += 1
        elif name in _BREAKS:
            self._target().gap(_BREAKS[name])
        for attribute in self._xml.attributes(at):
            if attribute.name in _TELLING and attribute.end - attribute.start >= _SHORTEST:
                self._xml.add_value(self.aside, self._number, attribute)
                self.aside.gap("\n")

    def end(self, name: str, at: int) -> None:  # noqa: ARG002 - the visitor's form
        """See ``Visitor``."""
        if name in _PARAGRAPHS:
            self._paragraphs -= 1
            # A paragraph ends a line, but inside of a cell, whose row is a line.
            self._target().gap(" " if self._cells else "\n")
        elif name in _ASIDES:
            self._asides -= 1
        elif name == "table-row":
            self._cells = 0
            self.main.gap("\n")
        elif not self._paragraphs and not self.aside.ends_line:
            self.aside.gap("\n")

    def data(self, text: str, start: int, end: int) -> None:
        """See ``Visitor``."""
        target = self._target() if self._paragraphs else self.aside
        if not text.strip() and not self._paragraphs:
            return
        if end - start == len(text):
            target.plain(text, self._number, start)
        else:
            target.whole(text, self._number, start, end)

    def note(self, start: int, end: int) -> None:
        """See ``Visitor``."""
        self.aside.plain(self._xml.raw[start:end], self._number, start)
        self.aside.gap("\n")

    def _target(self) -> Canvas:
        return self.aside if self._asides else self.main
