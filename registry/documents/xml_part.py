"""XML told event by event, each with its range in the text, so that a change touches nothing else of it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn, Protocol
from urllib.parse import unquote
from xml.parsers import expat

from registry.documents.encodings import Decoded, declared_within, decode
from registry.documents.limits import MAX_XML_DEPTH, Budget
from registry.documents.model import Canvas
from registry.domain.errors import UnreadableDocument

_TAG = re.compile(r"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
_ATTRIBUTE = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ENTITY = re.compile(r"&(?:#[0-9]{1,40}|#x[0-9a-fA-F]{1,40}|[a-z]{2,4});")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


class Attribute(NamedTuple):
    """One attribute: its name without prefix, and the range of its value."""

    name: str
    start: int
    end: int


class Visitor(Protocol):
    """Told what a part holds, in order. Names come without their prefix; ranges are of the part's text."""

    def start(self, name: str, at: int) -> None:
        """Begin an element, whose tag begins at ``at``."""
        ...

    def end(self, name: str, at: int) -> None:
        """End an element: ``at`` is behind its last character."""
        ...

    def data(self, text: str, start: int, end: int) -> None:
        """Tell a stretch of text; ``text`` differs from what stands there where that is an entity or a line end."""
        ...

    def note(self, start: int, end: int) -> None:
        """Tell what stands in a comment or an instruction to programs, which no reader is shown."""
        ...


class XmlPart:
    """One part of XML."""

    def __init__(self, content: bytes, budget: Budget) -> None:
        """Decode it.

        Args:
            content: the part.
            budget: of the file that it stands in.

        Raises:
            UnreadableDocument: ``not_text``.
        """
        self._budget = budget
        self._decoded: Decoded = decode(content, declared_within(content))
        self.raw = self._decoded.text

    def visit(self, visitor: Visitor) -> None:
        """Tell a visitor what is in it.

        Raises:
            UnreadableDocument: ``broken_xml``; ``xml_entities`` when it has a document type, which office formats
                forbid and entity bombs need.
        """
        _Walk(self.raw, visitor, self._budget).run()

    def encode(self, raw: str) -> bytes:
        """Return another text of this part as bytes."""
        return self._decoded.encode(raw)

    def tag_end(self, start: int) -> int:
        """Return where the tag that begins here ends."""
        match = _TAG.match(self.raw, start)
        if match is None:
            raise UnreadableDocument("broken_xml")
        return match.end()

    def attributes(self, start: int) -> Iterator[Attribute]:
        """Yield the attributes of the tag that begins here."""
        for match in _ATTRIBUTE.finditer(self.raw, start, self.tag_end(start)):
            yield Attribute(match.group(1).rpartition(":")[2], *match.span(2 if match.group(2) is not None else 3))

    def attribute(self, start: int, name: str) -> str | None:
        """Return one attribute of the tag that begins here."""
        for attribute in self.attributes(start):
            if attribute.name == name:
                return html.unescape(self.raw[attribute.start : attribute.end])
        return None

    def add_value(self, canvas: Canvas, part: int, attribute: Attribute) -> None:
        """Add an attribute's value to a canvas, with entities and percent signs undone."""
        position = attribute.start
        for coded in _PERCENT.finditer(self.raw, attribute.start, attribute.end):
            self._add_plain(canvas, part, position, coded.start())
            canvas.whole(unquote(coded.group()), part, coded.start(), coded.end())
            position = coded.end()
        self._add_plain(canvas, part, position, attribute.end)

    def _add_plain(self, canvas: Canvas, part: int, start: int, end: int) -> None:
        position = start
        for entity in _ENTITY.finditer(self.raw, start, end):
            canvas.plain(self.raw[position : entity.start()], part, position)
            canvas.whole(html.unescape(entity.group()), part, entity.start(), entity.end())
            position = entity.end()
        canvas.plain(self.raw[position:end], part, position)


class _Walk:
    """One run of the parser over a part, with byte offsets turned into character offsets."""

    def __init__(self, raw: str, visitor: Visitor, budget: Budget) -> None:
        self._raw = raw
        self._budget = budget
        self._bytes = raw.encode("utf-8", "replace")
        self._is_ascii = len(self._bytes) == len(raw)
        self._byte, self._char = 0, 0
        self._depth = 0
        self._opened = -1  # where the tag begins that was told last, if nothing came after it
        self._visitor = visitor
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = False
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.CommentHandler = self._comment
        self._parser.ProcessingInstructionHandler = self._instruction

    def run(self) -> None:
        try:
            self._parser.Parse(self._bytes, True)
        except expat.ExpatError:
            raise UnreadableDocument("broken_xml") from None

    def _at(self) -> int:
        index = self._parser.CurrentByteIndex
        if self._is_ascii:
            return index
        if index < self._byte:
            raise UnreadableDocument("broken_xml")
        self._char += len(self._bytes[self._byte : index].decode("utf-8", "replace"))
        self._byte = index
        return self._char

    def _start(self, name: str, _attributes: object) -> None:
        self._depth += 1
        self._budget.element()
        if self._depth > MAX_XML_DEPTH:
            raise UnreadableDocument("xml_too_deep")
        self._opened = self._at()
        self._visitor.start(name.rpartition(":")[2], self._opened)

    def _end(self, name: str) -> None:
        self._depth -= 1
        at = self._at()
        # Of an element without an end tag the parser tells its end, of others where the end tag begins.
        is_empty = 0 <= self._opened < at and self._raw.endswith("/>", self._opened, at)
        self._opened = -1
        self._visitor.end(name.rpartition(":")[2], at if is_empty else self._raw.find(">", at) + 1)

    def _data(self, text: str) -> None:
        start = self._at()
        self._opened = -1
        if self._raw.startswith(text, start):
            self._visitor.data(text, start, start + len(text))
            return
        # One character for several: an entity, or a line end of two.
        end = self._raw.find(";", start, start + 48) + 1 if self._raw[start] == "&" else start + 2
        if not end or (self._raw[start] != "&" and self._raw[start : start + 2] != "\r\n" and self._raw[start] != "\r"):
            raise UnreadableDocument("broken_xml")
        if self._raw[start] == "\r" and not self._raw.startswith("\r\n", start):
            end = start + 1
        self._visitor.data(text, start, end)

    def _comment(self, _text: str) -> None:
        self._noted("<!--", "-->")

    def _instruction(self, target: str, _text: str) -> None:
        self._noted(f"<?{target}", "?>")

    def _noted(self, opening: str, closing: str) -> None:
        start = self._at() + len(opening)
        self._opened = -1
        end = self._raw.find(closing, start)
        if end < 0 or not self._raw.startswith(opening, start - len(opening)):
            raise UnreadableDocument("broken_xml")
        self._visitor.note(start, end)


def _refuse_doctype(*_declared: object) -> NoReturn:
    raise UnreadableDocument("xml_entities")
