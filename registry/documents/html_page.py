"""HTML: what a reader sees, then what stands in attributes, comments and scripts; each character knows its place."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from registry.documents.encodings import declared_within, decode
from registry.documents.model import MARK, Canvas, Place, Span, Unread, replaced
from registry.documents.plain import PlainText

_WORDS = """
a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr output q ruby s samp small span
strike strong sub sup time tt u var wbr
"""
_INLINE = frozenset(_WORDS.split())
_CELLS = frozenset({"td", "th"})
_RAW = frozenset({"script", "style", "xmp", "noembed", "noframes", "iframe"})
_KEPT_SPACE = frozenset({"pre", "textarea"})
_DULL_WORDS = """
class style width height colspan rowspan cellpadding cellspacing border align valign bgcolor color face size rel
type lang dir charset role tabindex xmlns method enctype target
"""
_DULL = frozenset(_DULL_WORDS.split())
_ADDRESSES = frozenset({"href", "src", "action", "formaction", "cite", "background"})
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
_SPACE = re.compile(r"[ \t\r\n\f]*[\t\r\n\f][ \t\r\n\f]*")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_NAME = re.compile(r"/?([A-Za-z][^\s/>]{0,60})")
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]{1,100})(?:\s{0,20}=\s{0,20}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")


class _Piece(NamedTuple):
    """``text``, ``tag``, ``comment`` or ``raw`` (the inside of a script), with its range; of those the inside's."""

    kind: str
    start: int
    end: int


class HtmlPage:
    """An HTML file."""

    def __init__(self, content: bytes, declared: str | None = None) -> None:
        """Take the file.

        Raises:
            UnreadableDocument: ``not_text``.
        """
        self._decoded = decode(content, declared or declared_within(content))
        self._raw = self._decoded.text
        reader = _Reader(self._raw)
        self._canvas = reader.read()
        self.text = self._canvas.text()
        self.unread: tuple[Unread, ...] = tuple(reader.unread)

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name line and column of the file."""
        begins = [next((cut.start for cut in self._canvas.cuts([span])), 0) for span in spans]
        return PlainText.lines_of(self._raw, begins)

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Put a mark in the place of each range; the tags within it stay."""
        edits = [(cut.start, cut.end, MARK if cut.is_first else "") for cut in self._canvas.cuts(spans)]
        return self._decoded.encode(replaced(self._raw, edits))


class _Reader:
    """Reads one page."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._main = Canvas()
        self._aside = Canvas()  # attributes, comments, scripts: one a line
        self._cells = -1  # cells of the row so far; -1 outside of rows
        self._in_cell = False
        self._kept_space = 0
        self.unread: list[Unread] = []

    def read(self) -> Canvas:
        for piece in _pieces(self._raw):
            if piece.kind == "text":
                self._text(piece.start, piece.end)
            elif piece.kind == "tag":
                self._tag(piece.start, piece.end)
            else:
                self._aside.plain(self._raw[piece.start : piece.end], 0, piece.start)
                self._aside.gap("\n")
        self._main.gap("\n")
        self._main.join(self._aside)
        return self._main

    def _text(self, start: int, end: int) -> None:
        if self._kept_space:
            _unescaped(self._main, self._raw, start, end)
            return
        position = start
        for space in _SPACE.finditer(self._raw, start, end):
            _unescaped(self._main, self._raw, position, space.start())
            self._main.whole(" ", 0, space.start(), space.end())
            position = space.end()
        _unescaped(self._main, self._raw, position, end)

    def _tag(self, start: int, end: int) -> None:
        match = _NAME.match(self._raw, start + 1, end)
        if match is None:
            return
        name, is_end = match.group(1).lower(), self._raw[start + 1] == "/"
        if name in _KEPT_SPACE:
            self._kept_space = max(0, self._kept_space + (-1 if is_end else 1))
        if name == "tr":
            self._break()
            self._cells, self._in_cell = (-1 if is_end else 0), False
        elif name in _CELLS and self._cells >= 0:
            self._cell(is_end=is_end)
        elif name not in _INLINE:
            self._part()
        if not is_end:
            self._attributes(name, match.end(), end - 1)

    def _cell(self, *, is_end: bool) -> None:
        self._in_cell = not is_end
        if not is_end:
            if self._cells:
                self._main.gap("\t")
            self._cells += 1

    def _part(self) -> None:
        if self._in_cell:
            self._main.gap(" ")
        else:
            self._break()

    def _break(self) -> None:
        if not self._main.ends_line:
            self._main.gap("\n")

    def _attributes(self, tag: str, start: int, end: int) -> None:
        for match in _ATTRIBUTE.finditer(self._raw, start, end):
            group = next((number for number in (2, 3, 4) if match.group(number)), None)
            name = match.group(1).lower()
            if group is None or name in _DULL:
                continue
            first, last = match.span(group)
            if self._raw.startswith("data:", first):
                self.unread.append(_data(tag))
                continue
            if name in _ADDRESSES:
                _unquoted(self._aside, self._raw, first, last)
            else:
                _unescaped(self._aside, self._raw, first, last)
            self._aside.gap("\n")


def _unescaped(canvas: Canvas, raw: str, start: int, end: int) -> None:
    position = start
    for entity in _ENTITY.finditer(raw, start, end):
        plain = html.unescape(entity.group())
        if plain != entity.group():
            canvas.plain(raw[position : entity.start()], 0, position)
            canvas.whole(plain, 0, entity.start(), entity.end())
            position = entity.end()
    canvas.plain(raw[position:end], 0, position)


def _unquoted(canvas: Canvas, raw: str, start: int, end: int) -> None:
    position = start
    for coded in _PERCENT.finditer(raw, start, end):
        _unescaped(canvas, raw, position, coded.start())
        canvas.whole(unquote(coded.group()), 0, coded.start(), coded.end())
        position = coded.end()
    _unescaped(canvas, raw, position, end)


def _pieces(raw: str) -> Iterator[_Piece]:
    """Cut a page into text, tags, comments and scripts. Every search goes forward only, so that it is linear."""
    find = _Forward(raw)
    position = 0
    while position < len(raw):
        start = raw.find("<", position)
        if start < 0 or start + 1 >= len(raw):
            yield _Piece("text", position, len(raw))
            return
        if start > position:
            yield _Piece("text", position, start)
        piece, position = _marked(raw, start, find)
        yield piece
        if piece.kind != "tag" or raw[start + 1] == "/":
            continue
        name = _NAME.match(raw, start + 1, piece.end)
        if name is not None and name.group(1).lower() in _RAW:
            end = find(f"</{name.group(1).lower()}", position)
            if end > position:
                yield _Piece("raw", position, end)
            position = end


def _marked(raw: str, start: int, find: _Forward) -> tuple[_Piece, int]:
    """Return what begins with ``<``, and where it ends."""
    if raw.startswith("<!--", start):
        end = find("-->", start + 4)
        return _Piece("comment", min(start + 4, end), end), min(end + 3, len(raw))
    if raw[start + 1] in "!?":
        end = find(">", start)
        return _Piece("comment", start + 2, end), min(end + 1, len(raw))
    if _NAME.match(raw, start + 1) is None:
        return _Piece("text", start, start + 1), start + 1
    position = start + 1
    while True:
        ends = [find(mark, position) for mark in (">", '"', "'")]
        end = min(ends)
        if end >= len(raw):
            return _Piece("text", start, len(raw)), len(raw)  # an open tag at the end: read, whatever browsers do
        if end == ends[0]:
            return _Piece("tag", start, end + 1), end + 1
        closing = find(raw[end], end + 1) if raw[end - 1] in "= \t\r\n\f" else end
        if closing >= len(raw):
            closing = end  # a stray quote
        position = closing + 1


class _Forward:
    """Finds the next place of a mark, or the end; remembers it, since questions only go forward."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._lower = raw.lower() if len(raw.lower()) == len(raw) else raw
        self._next: dict[str, int] = {}

    def __call__(self, mark: str, position: int) -> int:
        known = self._next.get(mark, -1)
        if known < position:
            found = self._lower.find(mark, position)
            known = self._next[mark] = len(self._raw) if found < 0 else found
        return known


def _data(tag: str) -> Unread:
    if tag == "img":
        return Unread("image", (), may_hide=False)
    return Unread("embedded_object", (), may_hide=True)
