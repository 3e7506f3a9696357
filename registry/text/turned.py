"""Tables that were turned: each person is a column, and each line holds one thing about everybody."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from registry.text.table_rows import Cell, Row

_MOST_LINES = 60
_MOST_COLUMNS = 400
_LEAST_COLUMNS, _LEAST_LINES = 3, 3
_LEAST_KINDS = 3  # of lines: names, and two things about them
_MOST_SHARE = (9, 10)  # of the cells of a line that are of its kind
_DELIMITERS = "\t;|,"
_LINE = re.compile(r"[^\r\n]+")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_LETTERS = re.compile(r"[^\d@]*[^\W\d_][^\d@]*")


def turned_rows(text: str) -> list[Row]:
    """Return one row a person of a turned table, its cells from the top; [] of any other text.

    Surely turned is a table whose lines are each of one kind of value, and whose columns are of several: in a table
    that is not, it is the other way round.
    """
    if len(text) > _LONGEST or max(text.count("\n"), text.count("\r")) > _MOST_LINES * 4:
        return []
    lines = [match.span() for match in _LINE.finditer(text)]
    for delimiter in _DELIMITERS:
        few = text.count(delimiter) < _LEAST_LINES * (_LEAST_COLUMNS - 1)
        block = [] if few else _block(text, lines, delimiter)
        if block and (rows := _turned(text, block)):
            return rows
    return []


_LONGEST = 200_000  # characters


def _block(text: str, lines: Sequence[Cell], delimiter: str) -> list[list[Cell]]:
    """Return the longest stretch of lines with the same number of cells."""
    best: list[list[Cell]] = []
    run: list[list[Cell]] = []
    for start, end in lines:
        cells = _split(text, start, end, delimiter)
        if run and len(cells) != len(run[0]):
            run = []
        if _LEAST_COLUMNS <= len(cells) <= _MOST_COLUMNS:
            run.append(cells)
        if len(run) > len(best):
            best = list(run)
    return best if _LEAST_LINES <= len(best) <= _MOST_LINES else []


def _split(text: str, start: int, end: int, delimiter: str) -> list[Cell]:
    """Cut a line; a delimiter inside double quotes does not count."""
    cells: list[Cell] = []
    begin, quoted = start, False
    for at in range(start, end):
        char = text[at]
        if char == '"':
            quoted = not quoted
        elif char == delimiter and not quoted:
            cells.append(_trimmed(text, begin, at))
            begin = at + 1
    cells.append(_trimmed(text, begin, end))
    return cells


def _trimmed(text: str, start: int, end: int) -> Cell:
    while start < end and text[start] in ' \t"':
        start += 1
    while end > start and text[end - 1] in ' \t"':
        end -= 1
    return start, end


def _turned(text: str, block: Sequence[Sequence[Cell]]) -> list[Row]:
    kinds = [[_kind(text[start:end]) for start, end in cells] for cells in block]
    named = all(row[0] == "letters" for row in kinds) and len(kinds[0]) > _LEAST_COLUMNS
    first = int(named)
    usual = [_usual(row[first:]) for row in kinds]
    if "" in usual or "letters" not in usual or len(set(usual)) < _LEAST_KINDS:
        return []
    columns = range(first, len(kinds[0]))
    if any(len({row[column] for row in kinds} - {""}) < _LEAST_KINDS - 1 for column in columns):
        return []
    labels = tuple(text[slice(*cells[0])].lower() for cells in block) if named else ()
    begin, end = block[0][0][0], block[-1][-1][1]
    return [Row(begin, end, tuple(cells[column] for cells in block), labels) for column in columns]


def _usual(kinds: Sequence[str]) -> str:
    """Return the kind of nearly all filled cells of a line; '' when there is none."""
    filled = [kind for kind in kinds if kind]
    if len(filled) * 2 < len(kinds):
        return ""
    kind, count = Counter(filled).most_common(1)[0]
    return kind if count * _MOST_SHARE[1] >= len(filled) * _MOST_SHARE[0] else ""


def _kind(cell: str) -> str:
    """Return what a cell looks like; numbers of other lengths are of other kinds."""
    if not cell:
        return ""
    digits = sum(map(str.isdigit, cell))
    if "@" in cell:
        return "address of mail"
    if _DATE.fullmatch(cell):
        return "date"
    if not digits and _LETTERS.fullmatch(cell):
        return "letters"
    if any(map(str.isalpha, cell)):
        return "mixed"
    return f"{digits} digits"
