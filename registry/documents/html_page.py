"""HTML: what a reader sees, then what stands in attributes, comments and scripts; each character knows its place.

A page may carry others, and images, in attributes and in styles: each is opened as its own format.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from registry.documents.carried import GONE, Carried, Opener, carried_page, carried_parts
from registry.documents.encodings import declared_within, decode
from registry.documents.model import MARK, Canvas, Cut, Place, Span, Unread, replaced
from registry.documents.plain import PlainText

_WORDS = """
a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr output q ruby s samp small span
strike strong sub sup time tt u var wbr tspan textpath tref mi mn mo
"""
_INLINE = frozenset(_WORDS.split())
_CELLS = frozenset({"td", "th"})
_RAW = frozenset({"script", "style", "xmp", "noembed", "noframes", "iframe"})
_KEPT_SPACE = frozenset({"pre", "textarea"})
# Measures, and single words that say how something is shown.
_DULL = re.compile(r"#?[0-9A-Fa-f]{1,6}(?:px|%|pt|em)?|[A-Za-z/-]{1,4}|text/[a-z]+|utf-8|[a-z]{2}-[A-Z]{2}")
_ALONE_WORDS = """
allowfullscreen async autofocus autoplay checked controls default defer disabled formnovalidate hidden inert ismap
itemscope loop multiple muted nomodule novalidate nowrap open playsinline readonly required reversed selected noshade
"""
_ALONE = frozenset(_ALONE_WORDS.split())
_ADDRESSES = frozenset({"href", "src", "action", "formaction", "cite", "background"})
_ENTITY = re.compile(r"&(?:#[0-9]{1,40}|#[xX][0-9a-fA-F]{1,40}|[A-Za-z][A-Za-z0-9]{1,31});?")
_SCRIPT_CODE = re.compile(r"(?:\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\/)+")
_STYLE_CODE = re.compile(r"(?:\\[0-9A-Fa-f]{1,6}[ \t\r\n\f]?)+")
_PAGES = frozenset({"comment", "noembed", "noframes", "iframe"})
_MOST_COMMENTS = 3  # within one another
_SPACE = re.compile(r"[ \t\r\n\f]*[\t\r\n\f][ \t\r\n\f]*")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_NAME = re.compile(r"/?([A-Za-z][^\s/>]{0,60})")
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]{1,100})(?:\s{0,20}=\s{0,20}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")


class _Piece(NamedTuple):
    """``text``, ``tag``, ``comment``, or the name of an element of ``_RAW``; of those the range of the inside."""

    kind: str
    start: int
    end: int


class HtmlPage:
    """An HTML file."""

    def __init__(self, content: bytes, open_part: Opener, declared: str | None = None) -> None:
        """Take the file.

        Args:
            content: the file.
            open_part: opens what the page carries, given its content and media type.
            declared: the encoding that somebody else named.

        Raises:
            UnreadableDocument: ``not_text``; what is carried is beyond a limit.
        """
        self._decoded = decode(content, declared or declared_within(content))
        self._raw = self._decoded.text
        self._reader = _Reader(self._raw, open_part)
        self._canvas = self._reader.read()
        self.text = self._canvas.text()
        self.unread: tuple[Unread, ...] = tuple(self._reader.unread)

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name line and column of the file; of what the page carries those of its beginning."""
        cuts = [next(self._canvas.cuts([span]), Cut(0, 0, 0, is_first=True)) for span in spans]
        begins = [self._reader.parts[cut.part - 1].start if cut.part else cut.start for cut in cuts]
        return PlainText.lines_of(self._raw, begins)

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Put a mark in the place of each range; the tags within it stay. What could not be read is taken out."""
        edits: list[tuple[int, int, str]] = [(start, end, GONE) for start, end in self._reader.left]
        by_part: dict[int, list[Span]] = {}
        for cut in self._canvas.cuts(spans):
            if cut.part:
                by_part.setdefault(cut.part, []).append((cut.start, cut.end))
            else:
                edits.append((cut.start, cut.end, MARK if cut.is_first else ""))
        for number, cuts in by_part.items():
            part = self._reader.parts[number - 1]
            edits.append((part.start, part.end, part.written(part.document.redacted(cuts))))
        return self._decoded.encode(replaced(self._raw, edits))


class _Reader:
    """Reads one page."""

    def __init__(self, raw: str, open_part: Opener) -> None:
        self._raw = raw
        self._open_part = open_part
        self.parts: list[Carried] = []  # numbered from 1; the page's own characters are part 0
        self.left: list[Span] = []
        self._main = Canvas()
        self._aside = Canvas()  # attributes, comments, scripts: one a line
        self._cells = -1  # cells of the row so far; -1 outside of rows
        self._in_cell = False
        self._kept_space = 0
        self.unread: list[Unread] = []

    def read(self) -> Canvas:
        self._range(0, len(self._raw), 0)
        self._main.gap("\n")
        self._main.join(self._aside)
        return self._main

    def _range(self, begin: int, stop: int, depth: int) -> None:
        for piece in _pieces(self._raw, begin, stop):
            start, end = piece.start, piece.end
            if piece.kind == "text":
                self._text(start, end)
            elif piece.kind == "tag":
                self._tag(start, end)
            elif piece.kind in _PAGES and depth < _MOST_COMMENTS and self._raw.find("<", start, end) >= 0:
                # Some programs read what stands in a conditional comment, or beside a frame, as part of the page.
                self._part()
                self._range(start, end, depth + 1)
                self._part()
            else:
                code = {"script": _scripted, "style": _styled}.get(piece.kind, _unescaped)
                self._beside(start, end, code)

    def _beside(self, start: int, end: int, write: Callable[[Canvas, str, int, int], None]) -> None:
        """Write what nobody sees on the page, with what it carries each as its own document."""
        position = start
        for part in carried_parts(self._raw, start, end):
            write(self._aside, self._raw, position, part.start)
            self._carried(part)
            position = part.end
        write(self._aside, self._raw, position, end)
        self._aside.gap("\n")

    def _carried(self, part: Carried) -> None:
        if part.is_dull:
            return
        opened = part.opened(self._open_part)
        if opened is None:
            self.unread.append(Unread("embedded_object", (), may_hide=True))
            self.left.append((part.start, part.end))
            return
        self.parts.append(opened)
        self._aside.gap("\n")
        self._aside.plain(opened.document.text, len(self.parts), 0)
        self._aside.gap("\n")
        self.unread += opened.document.unread

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
        self._attributes(match.end(), end - 1)

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

    def _attributes(self, start: int, end: int) -> None:
        said = False
        for match in _ATTRIBUTE.finditer(self._raw, start, end):
            group = next((number for number in (2, 3, 4) if match.group(number)), None)
            name = match.group(1).lower()
            if group is None:
                said = said or name not in _ALONE
                continue
            first, last = match.span(group)
            if _DULL.fullmatch(self._raw, first, last) is None:
                self._attribute(name, first, last)
        if said:  # words without values, which are no attributes that anybody knows: text in a tag
            self._beside(start, end, _unescaped)

    def _attribute(self, name: str, start: int, end: int) -> None:
        page = carried_page(name, self._raw, start, end)
        if page is not None:
            self._carried(page)
        else:
            self._beside(start, end, _unquoted if name in _ADDRESSES else _unescaped)


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


def _scripted(canvas: Canvas, raw: str, start: int, end: int) -> None:
    position = start
    for coded in _SCRIPT_CODE.finditer(raw, start, end):
        canvas.plain(raw[position : coded.start()], 0, position)
        canvas.whole(_unscripted(coded.group()), 0, coded.start(), coded.end())
        position = coded.end()
    canvas.plain(raw[position:end], 0, position)


def _unscripted(coded: str) -> str:
    plain = coded.replace("\\x", "\\u00")
    return str(json.loads(f'"{plain}"'))


def _styled(canvas: Canvas, raw: str, start: int, end: int) -> None:
    position = start
    for coded in _STYLE_CODE.finditer(raw, start, end):
        canvas.plain(raw[position : coded.start()], 0, position)
        numbers = (int(one, 16) for one in coded.group().split("\\") if one)
        canvas.whole("".join(chr(number) for number in numbers if 0 < number < 0x110000), 0, coded.start(), coded.end())
        position = coded.end()
    canvas.plain(raw[position:end], 0, position)


def _pieces(page: str, begin: int, stop: int) -> Iterator[_Piece]:
    """Cut a range of a page into text, tags, comments and scripts."""
    for piece in _cut(page[begin:stop]):
        yield _Piece(piece.kind, piece.start + begin, piece.end + begin)


def _cut(raw: str) -> Iterator[_Piece]:
    """Cut a page, every search going forward only, so that it is linear."""
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
                yield _Piece(name.group(1).lower(), position, end)
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
