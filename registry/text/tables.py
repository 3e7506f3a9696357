"""Tables inside a pasted text: delimited lines, columns of fixed width, blocks of labelled lines.

A row is what may anchor what: a value in one row says nothing about the person in the next.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from registry.text.table_rows import MIN_ROWS, Cell, Row
from registry.text.tables_markup import marked_rows

MIN_NARROW_ROWS = 8  # of a table of two columns, or of columns of fixed width
MIN_BLOCKS = 3
_DELIMITERS = "\t|;,"
_LINE = re.compile(r"[^\r\n]+")


def find_rows(text: str) -> list[Row]:
    """Return the rows of all tables of a raw text, in order; headings are left out. No table, no rows."""
    lines = [(match.start(), match.end()) for match in _LINE.finditer(text)]
    if not lines:
        return []
    return marked_rows(text) or _delimited_rows(text, lines) or _labelled_blocks(text) or _fixed_rows(text, lines)


def _delimited_rows(text: str, lines: list[Cell]) -> list[Row]:
    best: list[Row] = []
    for delimiter in _DELIMITERS:
        if text.count(delimiter) < MIN_ROWS:
            continue
        rows = _rows_by(text, lines, delimiter)
        if len(rows) * _width(rows) > len(best) * _width(best):
            best = rows
    return _with_labels(text, best)


def _width(rows: list[Row]) -> int:
    return len(rows[0].cells) if rows else 0


def _rows_by(text: str, lines: list[Cell], delimiter: str) -> list[Row]:
    split = [(start, end, _cells(text, start, end, delimiter)) for start, end in lines]
    widths = Counter(len(cells) for _, _, cells in split if len(cells) > 1)
    if not widths:
        return []
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    if count < MIN_ROWS:
        return []
    block = _longest_block([len(cells) == width for _, _, cells in split])
    rows = [Row(start, end, tuple(cells)) for start, end, cells in split[block[0] : block[1]] if len(cells) == width]
    if len(rows) < MIN_ROWS or (delimiter == "," and not _table_like(text, rows)):
        return []
    if width == 2 and len(rows) < MIN_NARROW_ROWS:
        return []
    return rows


def _longest_block(fits: list[bool]) -> tuple[int, int]:
    """Return the longest stretch of fitting lines; a single line may fail inside it."""
    best = (0, 0)
    start = 0
    misses = 0
    for place, fit in enumerate([*fits, False, False]):
        misses = 0 if fit else misses + 1
        if misses > 1:
            end = place - 1
            if end - start > best[1] - best[0]:
                best = (start, end)
            start = place + 1
    return best


def _table_like(text: str, rows: list[Row]) -> bool:
    """Tell lines of cells from sentences that happen to have the same number of commas."""
    spaced = 0
    total = 0
    for row in rows:
        for start, _ in row.cells[1:]:
            total += 1
            spaced += text[start - 2 : start] == ", "
    long_cells = sum(end - start > 80 for row in rows for start, end in row.cells)
    return spaced * 3 < total * 2 and long_cells * 4 < total + len(rows)


def _cells(text: str, start: int, end: int, delimiter: str) -> list[Cell]:
    """Split one line; a delimiter inside double quotes does not count."""
    if '"' not in text[start:end]:
        return _trim_all(text, _plain_split(text, start, end, delimiter))
    cells: list[Cell] = []
    begin, quoted = start, False
    for place in range(start, end):
        char = text[place]
        if char == '"':
            quoted = not quoted
        elif char == delimiter and not quoted:
            cells.append((begin, place))
            begin = place + 1
    cells.append((begin, end))
    return _trim_all(text, cells)


def _plain_split(text: str, start: int, end: int, delimiter: str) -> list[Cell]:
    cells: list[Cell] = []
    begin = start
    while (place := text.find(delimiter, begin, end)) >= 0:
        cells.append((begin, place))
        begin = place + 1
    cells.append((begin, end))
    return cells


def _trim_all(text: str, cells: list[Cell]) -> list[Cell]:
    trimmed = [_trim(text, start, end) for start, end in cells]
    if len(trimmed) > 2 and trimmed[0][0] == trimmed[0][1] and trimmed[-1][0] == trimmed[-1][1]:
        return trimmed[1:-1]  # | a | b |
    return trimmed


def _trim(text: str, start: int, end: int) -> Cell:
    """Leave quotes and padding out."""
    while start < end and text[start] in ' \t"':
        start += 1
    while end > start and text[end - 1] in ' \t"':
        end -= 1
    return start, end


_LABEL = re.compile(r"^[A-Za-z][A-Za-z0-9 _.#/()-]{0,30}$")


def _with_labels(text: str, rows: list[Row]) -> list[Row]:
    """Take the first row for column names if it holds no digits and reads like names of columns."""
    if not rows:
        return rows
    labels = tuple(text[start:end].lower() for start, end in rows[0].cells)
    header = all(_LABEL.match(text[start:end]) and not text[start:end].isdigit() for start, end in rows[0].cells)
    others = sum(bool(re.search(r"\d", text[row.start : row.end])) for row in rows[1:])
    if not header or re.search(r"\d{3}", " ".join(labels)) or others * 2 < len(rows) - 1:
        return rows
    return [Row(row.start, row.end, row.cells, labels) for row in rows[1:]]


_BLOCK = re.compile(r"[^\r\n]+(?:\r?\n[^\r\n]+)*")
_LABELLED = re.compile(r"(?m)^[ \t*-]{0,4}([A-Za-z][A-Za-z0-9 _.#/()-]{0,30}?)[ \t]*[:=][ \t]*(.*?)[ \t]*$")


def _labelled_blocks(text: str) -> list[Row]:
    """Blocks of ``label: value`` lines with a blank line between, all with the same labels."""
    rows: list[Row] = []
    for block in _BLOCK.finditer(text):
        lines = list(_LABELLED.finditer(text, block.start(), block.end()))
        if len(lines) > 1 and len(lines) == block.group().count("\n") + 1:
            labels = tuple(line.group(1).lower() for line in lines)
            rows.append(Row(block.start(), block.end(), tuple(line.span(2) for line in lines), labels))
    if not rows:
        return []
    usual, count = Counter(row.labels for row in rows).most_common(1)[0]
    return [row for row in rows if row.labels == usual] if count >= MIN_BLOCKS else []


_WIDE_GAP = re.compile(r" {2,}|\t+")


def _fixed_rows(text: str, lines: list[Cell]) -> list[Row]:
    """Lines whose columns begin at the same places, with two blanks or more between."""
    if text.count("  ") < MIN_NARROW_ROWS:
        return []
    begins = [{gap.end() - start for gap in _WIDE_GAP.finditer(text, start, end)} for start, end in lines]
    block = _longest_block([bool(found) for found in begins])
    inside = lines[block[0] : block[1]]
    if len(inside) < MIN_NARROW_ROWS:
        return []
    common = Counter(column for columns in begins[block[0] : block[1]] for column in columns)
    columns = [
        column
        for column, count in sorted(common.items())
        if count * 5 >= len(inside) and _is_blank_before(text, inside, column)
    ]
    if not columns:
        return []
    return [Row(start, end, tuple(_fixed_cells(text, start, end, columns))) for start, end in inside]


def _is_blank_before(text: str, lines: list[Cell], column: int) -> bool:
    """Tell whether nearly every line has blanks right before a column, be its own cell filled or empty."""
    blank = sum(start + column > end or text[start + column - 2 : start + column].isspace() for start, end in lines)
    return blank * 10 >= len(lines) * 9


def _fixed_cells(text: str, start: int, end: int, columns: list[int]) -> list[Cell]:
    edges = [start, *(start + column for column in columns if start + column < end), end]
    return [_trim(text, first, last) for first, last in pairwise(edges)]
