"""Two or three columns of prose side by side: which pieces of the lines follow one another.

Whoever copies a page of a newspaper as it stands gets lines that run over its columns, with a wide gap between. Only
what is surely prose is parted: cells of tables say something of one another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from registry.text.table_rows import Cell

_LINE = re.compile(r"[^\r\n]+")
_GAP = re.compile(r"(?<=\S)(?: {3,}| ?\t[ \t]{0,80})(?=\S)")
_MOST_COLUMNS = 3
_LEAST_LINES = 4  # that run over all columns
_MOST_LINES = 400  # of a block: more lines of a page are read as another
_MOST_LONE = 2  # lines in one column in a row, within a block
_LONGEST = 240  # characters of a line
_OFF = 2  # characters by which a column may begin elsewhere
_WORD = re.compile(r"[A-Za-z][A-Za-z'’]*")
_GOES_ON = re.compile(r"[^A-Za-z0-9]{0,3}[a-z]")
_ENDS = re.compile(r"[.!?]['\")\]]?$")


def columns_of_prose(text: str) -> Iterator[list[Cell]]:
    """Yield the lines of each column, as raw ranges, from the top; a column may be yielded in several stretches.

    Where it is not sure to which column a line belongs, a stretch ends.
    """
    if text.count("\t") + text.count("   ") < _LEAST_LINES:
        return
    for block in _blocks(text):
        yield from (column for column in _columns(text, block) if len(column) > 1)


def _blocks(text: str) -> Iterator[list[list[Cell]]]:
    """Yield stretches of lines, cut at wide gaps, that may stand side by side."""
    block: list[list[Cell]] = []
    lone, position = 0, 0
    for line in _LINE.finditer(text):
        pieces = _pieces(text, *line.span())
        lone = lone + 1 if len(pieces) == 1 else 0
        apart = text.count("\n", position, line.start()) > 2
        if not pieces or apart or lone > _MOST_LONE or len(block) == _MOST_LINES:
            yield block
            block = []
        if pieces and (len(pieces) > 1 or block):
            block.append(pieces)
        position = line.end()
    yield block


def _pieces(text: str, start: int, end: int) -> list[Cell]:
    """Cut a line at its wide gaps; [] when it is empty, too long, or falls into too many."""
    if end - start > _LONGEST:
        return []
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        return []
    edges = [start]
    for gap in _GAP.finditer(text, start, end):
        edges += [gap.start(), gap.end()]
    edges.append(end)
    pieces = list(zip(edges[::2], edges[1::2], strict=True))
    return pieces if len(pieces) <= _MOST_COLUMNS else []


def _columns(text: str, block: list[list[Cell]]) -> Iterator[list[Cell]]:
    counts = Counter(len(pieces) for pieces in block if len(pieces) > 1)
    width, count = max(counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    if count < _LEAST_LINES or count * 2 < len(block):
        return
    whole = [pieces for pieces in block if len(pieces) == width]
    if not all(_is_prose(text, [pieces[column] for pieces in whole]) for column in range(width)):
        return
    right, often = Counter(_offset(text, pieces[-1]) for pieces in whole).most_common(1)[0]
    aligned = width == 2 and often * 2 >= count
    columns: list[list[Cell]] = [[] for _ in range(width)]
    for pieces in block:
        if len(pieces) == width:
            for column, piece in zip(columns, pieces, strict=True):
                column.append(piece)
        elif aligned and len(pieces) == 1:
            columns[_offset(text, pieces[0]) >= right - _OFF].append(pieces[0])
        else:
            yield from columns
            columns = [[] for _ in range(width)]
    yield from columns


def _offset(text: str, piece: Cell) -> int:
    return piece[0] - (max(text.rfind(end, max(0, piece[0] - _LONGEST), piece[0]) for end in "\r\n") + 1)


def _is_prose(text: str, pieces: Sequence[Cell]) -> bool:
    """Tell whether pieces are parts of sentences that run on from line to line, not cells."""
    written = [text[start:end] for start, end in pieces]
    wordy = sum(len(_WORD.findall(one)) >= 3 for one in written)
    going = sum(_goes_on(one, two) for one, two in pairwise(written))
    return wordy * 5 >= len(written) * 3 and going * 10 >= (len(written) - 1) * 3


def _goes_on(line: str, following: str) -> bool:
    return _ENDS.search(line) is None and _GOES_ON.match(following) is not None
