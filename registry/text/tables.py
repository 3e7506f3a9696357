"""Tables inside a pasted text: delimited lines, SQL INSERT statements, JSON lines. A row is what may anchor what."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

MIN_ROWS = 4
MIN_NARROW_ROWS = 8  # of a table of two columns
_DELIMITERS = "\t|;,"
_LINE = re.compile(r"[^\r\n]+")
_SQL_VALUES = re.compile(r"\bvalues\s*\(", re.IGNORECASE)
_SQL_ROW = re.compile(r"^\s*(?:insert\s+into\b.{0,2000}?\bvalues\s*)?\((.*)\)\s*[,;]?\s*$", re.IGNORECASE | re.DOTALL)
_SQL_HEAD = re.compile(r"\binsert\s+into\b[^()]{0,200}\(([^()]{0,2000})\)\s*values", re.IGNORECASE)
_SQL_CELL = re.compile(r"\s*(?:'((?:[^'\\]|''|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|([^,'\"]+))\s*(?:,|$)")
_JSON_PAIR = re.compile(
    r'"((?:[^"\\]|\\.){0,80})"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|(-?[0-9][0-9.eE+-]*|true|false|null))|"((?:[^"\\]|\\.)*)"'
)
_JSON_LINE = re.compile(r"^\s*\[?\s*\{.*\}\s*[,\]]?\s*$")

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        start, end: raw offsets of the row.
        cells: raw offsets of each cell's content, quotes and padding left out.
        labels: small-letter column names, one a cell; () when unknown.
    """

    start: int
    end: int
    cells: tuple[Cell, ...]
    labels: tuple[str, ...] = ()


def find_rows(text: str) -> list[Row]:
    """Return the rows of all tables of a raw text, in order; headings are left out. No table, no rows."""
    lines = [(match.start(), match.end()) for match in _LINE.finditer(text)]
    if not lines:
        return []
    return _json_rows(text, lines) or _sql_rows(text, lines) or _delimited_rows(text, lines)


def _json_rows(text: str, lines: list[Cell]) -> list[Row]:
    rows = []
    for start, end in lines:
        if text.find("{", start, min(end, start + 8)) < 0 or not _JSON_LINE.match(text[start:end]):
            continue
        cells, labels = [], []
        for match in _JSON_PAIR.finditer(text, start, end):
            group = next(number for number in (2, 3, 4) if match.group(number) is not None)
            cells.append(match.span(group))
            labels.append((match.group(1) or "").lower())
        if cells:
            rows.append(Row(start, end, tuple(cells), tuple(labels)))
    return rows if len(rows) >= 2 else []


def _sql_rows(text: str, lines: list[Cell]) -> list[Row]:
    if not _SQL_VALUES.search(text) and not re.search(r"\bvalues\b", text, re.IGNORECASE):
        return []
    rows: list[Row] = []
    labels: tuple[str, ...] = ()
    for start, end in lines:
        line = text[start:end]
        head = _SQL_HEAD.search(line)
        if head:
            labels = tuple(part.strip(' "`[]').lower() for part in head.group(1).split(","))
        body = _SQL_ROW.match(line)
        if body and (head or rows or labels):
            for first, last in _tuples(text, start + body.start(1), start + body.end(1)):
                cells = tuple(_sql_cells(text, first, last))
                rows.append(Row(first, last, cells, labels if len(labels) == len(cells) else ()))
    return rows if len(rows) >= 2 else []


_BETWEEN_TUPLES = re.compile(r"\)\s*,\s*\((?=\s*['\"\d-])")


def _tuples(text: str, start: int, end: int) -> Iterator[Cell]:
    """Split ``a, b), (c, d`` into its rows."""
    for match in _BETWEEN_TUPLES.finditer(text, start, end):
        yield start, match.start()
        start = match.end()
    yield start, end


def _sql_cells(text: str, start: int, end: int) -> Iterator[Cell]:
    position = start
    while position < end:
        match = _SQL_CELL.match(text, position, end)
        if not match or match.end() == position:
            yield position, end
            return
        group = next(number for number in (1, 2, 3) if match.group(number) is not None)
        yield match.span(group)
        position = match.end()


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
