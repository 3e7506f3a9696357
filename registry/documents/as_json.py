"""JSON, and lines of JSON: a value goes from inside a string, or with the whole of a number."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NoReturn

from registry.documents.model import MARK, Canvas, Cut, Place, Span, replaced
from registry.documents.plain import PlainText
from registry.domain.errors import UnreadableDocument

_TOKEN = re.compile(r'"((?:[^"\\]++|\\.)*+)"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?', re.DOTALL)
# The last but one: JSON in a string of JSON.
_ESCAPE = re.compile(r'(?:\\u[0-9A-Fa-f]{4})+|(?P<twice>(?:\\\\u[0-9A-Fa-f]{4})+)|\\["\\/bfnrt]')


class JsonText(PlainText):
    """A JSON document, or one a line. Its text is the file's own with the escapes in strings undone."""

    def __init__(self, content: bytes) -> None:
        """Take the file.

        Raises:
            UnreadableDocument: ``not_json``.
        """
        super().__init__(content)
        self._raw = self.text
        if not _is_json(self._raw) and not all(_is_json(line) for line in self._raw.splitlines() if line.strip()):
            raise UnreadableDocument("not_json")
        self._strings: list[Span] = []
        self._numbers: list[Span] = []
        self._canvas = Canvas()
        self._read()
        self.text = self._canvas.text()

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name line and column of the file."""
        begins = [next(iter(self._canvas.cuts([span])), Cut(0, 0, 0, is_first=True)).start for span in spans]
        return self.lines_of(self._raw, begins)

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Replace inside strings; a number that is touched becomes a string."""
        written = replaced(self._raw, list(self._edits(self._canvas.cuts(spans))))
        return self._decoded.encode(written)

    def _read(self) -> None:
        position = 0
        for token in _TOKEN.finditer(self._raw):
            if token.group(1) is None:
                self._numbers.append(token.span())
                continue
            self._strings.append(token.span(1))
            for escape in _ESCAPE.finditer(self._raw, *token.span(1)):
                self._canvas.plain(self._raw[position : escape.start()], 0, position)
                coded = escape.group().replace("\\\\", "\\") if escape["twice"] else escape.group()
                plain = json.loads(f'"{coded}"')
                self._canvas.whole(plain, 0, escape.start(), escape.end())
                position = escape.end()
        self._canvas.plain(self._raw[position:], 0, position)

    def _edits(self, cuts: Iterator[Cut]) -> Iterator[tuple[int, int, str]]:
        for cut in cuts:
            for start, end in _touched(self._strings, cut.start, cut.end):
                yield max(start, cut.start), min(end, cut.end), MARK if cut.is_first or start >= cut.start else ""
            for start, end in _touched(self._numbers, cut.start, cut.end):
                yield start, end, f'"{MARK}"'


def _touched(tokens: Sequence[Span], start: int, end: int) -> Iterator[Span]:
    index = max(0, bisect_right(tokens, (start, start)) - 1)
    while index < len(tokens) and tokens[index][0] < end:
        if tokens[index][1] > start:
            yield tokens[index]
        index += 1


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(_word: str) -> NoReturn:
    raise ValueError("not JSON")
