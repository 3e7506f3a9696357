"""Plain text, and tables whose cells are parted by commas, semicolons or tabs."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from registry.documents.encodings import Decoded, decode
from registry.documents.limits import MAX_TEXT_CHARACTERS
from registry.documents.model import MARK, Place, Span, Unread, merged, replaced
from registry.domain.errors import UnreadableDocument

_LINE_END = re.compile(r"\r\n|\n|\r")
# A document packed into a text, which programs show as what it is.
_PACKED = re.compile(r"data:[\w.+/-]{1,100}(?:;[\w.=+-]{1,60}){0,4};base64,[A-Za-z0-9+/_-]{8}")
_SNIFFED = 20_000  # characters by which the delimiter is told
_DELIMITERS = ",;|\t"


class PlainText:
    """A text file."""

    def __init__(self, content: bytes, declared: str | None = None) -> None:
        self._decoded: Decoded = decode(content, declared)
        self.text = self._decoded.text
        if len(self.text) > MAX_TEXT_CHARACTERS:
            raise UnreadableDocument("too_large")
        has_packed = _PACKED.search(self.text) is not None
        self.unread: tuple[Unread, ...] = (Unread("embedded_object", (), may_hide=True),) if has_packed else ()

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name line and column, counted in characters."""
        return self.lines_of(self.text, [start for start, _ in spans])

    @staticmethod
    def lines_of(raw: str, offsets: Sequence[int]) -> list[Place]:
        """Return line and column of some offsets."""
        begins = [0, *(match.end() for match in _LINE_END.finditer(raw))]
        lines = [bisect_right(begins, offset) for offset in offsets]
        return [
            (("line", line), ("column", offset - begins[line - 1] + 1))
            for line, offset in zip(lines, offsets, strict=True)
        ]

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Put a mark in the place of each range."""
        edits = [(start, end, MARK) for start, end in merged(spans)]
        return self._decoded.encode(replaced(self.text, edits))


class DelimitedText(PlainText):
    """A table as text. What goes are contents of cells: delimiters and quotes stay, and so does every column."""

    def __init__(self, content: bytes, delimiter: str | None = None) -> None:
        """Take the file.

        Args:
            content: the file.
            delimiter: between cells; None: told by the beginning of the text.
        """
        super().__init__(content)
        self._delimiter = delimiter or _sniffed(self.text[:_SNIFFED])

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name row and column, counted in cells."""
        cells = list(self._cells())
        starts = [start for _, _, start, _ in cells]
        found = [cells[max(0, bisect_right(starts, start) - 1)] for start, _ in spans]
        return [(("row", row), ("column", column)) for row, column, _, _ in found]

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Put a mark in each cell that a range touches, in the place of what it covers there."""
        wanted = merged(spans)
        edits: list[tuple[int, int, str]] = []
        index = 0
        for _, _, first, last in self._cells():
            while index < len(wanted) and wanted[index][1] <= first:
                index += 1
            at = index
            while at < len(wanted) and wanted[at][0] < last:
                start, end = max(first, wanted[at][0]), min(last, wanted[at][1])
                edits += [(start, end, MARK)] if start < end else []
                at += 1
        return self._decoded.encode(replaced(self.text, edits))

    def _cells(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield row, column, and the range of a cell's content without the quotes around it."""
        pattern = re.compile(rf'"((?:[^"]++|"")*+)"[^{self._delimiter}\r\n]*|([^{self._delimiter}\r\n]*)')
        position, row, column = 0, 1, 1
        while position <= len(self.text):
            match = pattern.match(self.text, position)
            if match is None:  # never: the second form matches nothing, too
                return
            yield row, column, *match.span(2 if match.group(1) is None else 1)
            position = match.end()
            if self.text.startswith(self._delimiter, position):
                position, column = position + 1, column + 1
            elif (line := _LINE_END.match(self.text, position)) is not None:
                position, row, column = line.end(), row + 1, 1
            else:
                return


def _sniffed(text: str) -> str:
    unquoted = re.sub(r'"(?:[^"]|"")*"', "", text)
    return max(_DELIMITERS, key=unquoted.count)
