"""Word documents, and what all office documents have in common: parts of XML in a zip archive."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from registry.documents.limits import TOO_MUCH
from registry.documents.model import MARK, Canvas, Cut, Document, Place, Span, Unread, replaced
from registry.documents.office_parts import CONTENT_TYPES, in_reading_order, place_of, sort_of, stale, without
from registry.documents.office_text import OfficeText
from registry.documents.package import Package
from registry.documents.xml_part import XmlPart
from registry.domain.errors import UnreadableDocument

_ELEMENT = re.compile(r"<([A-Za-z0-9]+:)?sym\b")
Opener = Callable[[bytes, str], Document]


def mark_of(raw: str, cut: Cut) -> str:
    """Return what stands in the place of a cut: in that of a whole element a text of the same kind."""
    if not cut.is_first:
        return ""
    element = _ELEMENT.match(raw, cut.start, cut.end)
    return MARK if element is None else f"<{element[1] or ''}t>{MARK}</{element[1] or ''}t>"


class OfficeDocument:
    """A document whose parts are read one after another; each part is changed for itself."""

    def __init__(self, package: Package, open_nested: Opener) -> None:
        """Read all parts.

        Args:
            package: the archive.
            open_nested: opens a document inside of this one, given its name's end (``.xlsx``).
        """
        self.package = package
        self.parts: list[tuple[str, XmlPart | Document]] = []
        self._open_nested = open_nested
        self._unread: list[Unread] = []
        self._gone = stale(package.names)
        self.canvas = Canvas()
        self._read()
        self.text = self.canvas.text()

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What was not read."""
        return tuple(self._unread)

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name part and paragraph."""
        return self.canvas.places(spans)

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Replace text in each part; objects that cannot be read are taken out."""
        by_part: dict[int, list[Cut]] = {}
        for cut in self.canvas.cuts(spans):
            by_part.setdefault(cut.part, []).append(cut)
        changed: dict[str, bytes | None] = {}
        for number, cuts in by_part.items():
            name, part = self.parts[number]
            changed[name] = self.changed_part(number, part, cuts)
        without(self.package, self._gone, changed)
        return self.package.written(changed)

    def changed_part(self, number: int, part: XmlPart | Document, cuts: Sequence[Cut]) -> bytes:  # noqa: ARG002 - for workbooks
        """Return one part without some stretches of it."""
        if not isinstance(part, XmlPart):
            return part.redacted([(cut.start, cut.end) for cut in cuts])
        return part.encode(replaced(part.raw, [(cut.start, cut.end, mark_of(part.raw, cut)) for cut in cuts]))

    def _read(self) -> None:
        asides = Canvas()
        for name in in_reading_order(self.package.names):
            sort = sort_of(name)
            if name == CONTENT_TYPES or sort == "harmless" or name in self._gone:
                continue
            if sort == "xml":
                main, aside = self.read_part(name, self.package.xml(name))
                self.canvas.join(main)
                asides.join(aside)
            elif sort in {"nested", "image"}:
                self._nest(name, sort)
            else:
                self._leave(name, sort)
        self.canvas.gap("\n")
        self.canvas.join(asides)
        # In no copy: an archive is written without them.
        self.canvas.gap("".join(f"{comment}\n" for comment in self.package.comments))

    def read_part(self, name: str, xml: XmlPart) -> tuple[Canvas, Canvas]:
        """Read one part: what is seen, and what is not."""
        reader = OfficeText(xml, len(self.parts), place_of(name))
        self.parts.append((name, xml))
        xml.visit(reader)
        return reader.main, reader.aside

    def _nest(self, name: str, sort: str) -> None:
        """Read a document or an image inside of this one; what cannot be read is left like any other object."""
        try:
            document = self._open_nested(self.package.read(name), name[name.rindex(".") :].lower())
        except UnreadableDocument as refused:
            if refused.code in TOO_MUCH:
                raise
            self._leave(name, "embedded_object")
            return
        self.parts.append((name, document))
        place = (("part", "image" if sort == "image" else "embedded document"),)
        self.canvas.at(place)
        self.canvas.gap("\n")
        self.canvas.plain(document.text, len(self.parts) - 1, 0)
        self.canvas.gap("\n")
        self._unread += [Unread(one.what, (*place, *one.place), one.may_hide) for one in document.unread]

    def _leave(self, name: str, sort: str) -> None:
        self._unread.append(Unread(sort, place_of(name), may_hide=True))
        self._gone.add(name)
