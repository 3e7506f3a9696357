"""Tables inside a pasted text: delimited lines, columns of fixed width, blocks of labelled lines.

A row is what may anchor what: a value in one row says nothing about the person in the next.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from itertools import chain, islice, pairwise

from registry.text.margins import has_captions
from registry.text.table_rows import MIN_ROWS, Cell, Row, RowTable
from registry.text.tables_markup import marked_rows

MIN_NARROW_ROWS = 8  # of a table of two columns, or of columns of fixed width
MIN_BLOCKS = 3
_DELIMITERS = ("\t", "|", ";", ",", " : ", " :: ", " - ", " / ", " & ", "~", "^")
_WIDE = 3  # columns that a table needs when its delimiter is also one of prose
_LINE = re.compile(r"[^\r\n]+")


def find_rows(text: str) -> Sequence[Row]:
    """Return the rows of all tables of a raw text, in order; headings are left out. No table, no rows."""
    lines = [match.span() for match in _LINE.finditer(text)]
    if not lines or has_captions(text):
        return []
    return (
        marked_rows(text)
        or _labelled_blocks(text, lines)
        or _delimited_rows(text, lines)
        or _ruled_blocks(text)
        or _plain_blocks(text)
        or _fixed_rows(text, lines)
    )


def _delimited_rows(text: str, lines: Sequence[Cell]) -> Sequence[Row]:
    best = RowTable(0)
    for delimiter in _DELIMITERS:
        if text.count(delimiter) < MIN_ROWS:
            continue
        rows = _rows_by(text, lines, delimiter)
        if rows and len(rows) * _width(rows) > len(best) * _width(best):
            best = rows
    return _with_labels(text, best)


def _width(rows: Sequence[Row]) -> int:
    return len(rows[0].cells) if rows else 0


def _rows_by(text: str, lines: Sequence[Cell], delimiter: str) -> RowTable | None:
    """Return the rows that a delimiter makes. Lines are split twice, so that memory holds the cells of no other."""
    split = array("I", (_count_cells(text, start, end, delimiter) for start, end in lines))
    widths = Counter(width for width in split if width > 1)
    if not widths:
        return None
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    if count < MIN_ROWS:
        return None
    block = _longest_block(split, width)
    rows = RowTable(width)
    for place in range(*block):
        if split[place] == width:
            rows.append(*lines[place], _cells(text, *lines[place], delimiter))
    if len(rows) < MIN_ROWS or (delimiter == "," and not _table_like(text, rows)):
        return None
    if width == 2 and len(rows) < MIN_NARROW_ROWS:
        return None
    if len(delimiter) > 1 and (width < _WIDE or _long_cells(rows)):
        return None
    _leave_counts_out(text, rows)
    return _own_labels(text, rows)


_CELL_LABEL = re.compile(r"([A-Za-z][A-Za-z0-9 _.-]{0,30}?)[ \t]?[:=][ \t]*")


def _own_labels(text: str, rows: RowTable) -> RowTable:
    """Take the name of each column out of its cells where every cell has it (``name: Ada; born: 1961``)."""
    names = _names_in(text, rows[0])
    if not all(names) or any(_names_in(text, row) != names for row in rows):
        return rows
    named = RowTable(len(names), names)
    for row in rows:
        starts = [match.end() if (match := _CELL_LABEL.match(text, *cell)) else cell[0] for cell in row.cells]
        named.append(row.start, row.end, [(start, end) for start, (_, end) in zip(starts, row.cells, strict=True)])
    return named


def _names_in(text: str, row: Row) -> tuple[str, ...]:
    found = (_CELL_LABEL.match(text, start, end) for start, end in row.cells)
    return tuple(match.group(1).lower() if match else "" for match in found)


_COUNT = re.compile(r"\d{1,5}[.)][ \t]+")


def _leave_counts_out(text: str, rows: RowTable) -> None:
    """Leave the number of a numbered list out of each first cell."""
    for number, cell in enumerate(rows.column(0)):
        count = _COUNT.match(text, *cell)
        if count is not None:
            rows.begin_later(number, count.end())


def _longest_block(found: Sequence[int], wanted: int) -> tuple[int, int]:
    """Return the longest stretch of lines in which the wanted is found; a single line may fail inside it."""
    best = (0, 0)
    start = 0
    misses = 0
    for place, one in enumerate(chain(found, (-1, -1))):
        misses = 0 if one == wanted else misses + 1
        if misses > 1:
            end = place - 1
            if end - start > best[1] - best[0]:
                best = (start, end)
            start = place + 1
    return best


def _table_like(text: str, rows: RowTable) -> bool:
    """Tell lines of cells from sentences that happen to have the same number of commas."""
    if _is_prose(text, rows):
        return False
    later = range(1, rows.width)
    spaced = sum(text.startswith(", ", start - 2) for place in later for start, _ in rows.column(place))
    return spaced * 3 < len(rows) * len(later) * 2 and not _long_cells(rows)


# Small words that cells of a table have seldom: two of them, or the end of a sentence, and a line reads as prose.
_SMALL_WORDS = re.compile(r"\b(?:the|and|to|a|is|was|were|are|that|it|for|at|this|we|you|but|have|be|he|she|they)\b")
_SENTENCE_END = re.compile(r"[a-z0-9)]{2}[.!?] +[A-Z]")
_GOES_ON = re.compile(r"[^A-Za-z]{0,12}[a-z]")
_SAMPLE = 60  # lines looked at


def _is_prose(text: str, rows: Sequence[Row]) -> bool:
    """Tell whether most lines are pieces of sentences, and many go on with one: prose that was broken at a width."""
    sample = [text[row.start : row.end] for row in islice(rows, _SAMPLE)]
    if sum(_GOES_ON.match(line) is not None for line in sample) * 3 < len(sample):
        return False
    prose = sum(len(_SMALL_WORDS.findall(line)) > 1 or _SENTENCE_END.search(line) is not None for line in sample)
    return prose * 2 > len(sample)


def _long_cells(rows: RowTable) -> bool:
    long = sum(end - start > _LONG_CELL for place in range(rows.width) for start, end in rows.column(place))
    return long * 4 >= len(rows) * rows.width


_LONG_CELL = 80  # characters


def _cells(text: str, start: int, end: int, delimiter: str) -> list[Cell]:
    """Split one line; a delimiter inside double quotes does not count."""
    if len(delimiter) > 1 or '"' not in text[start:end]:
        return _trim_all(text, _plain_split(text, start, end, delimiter))
    cells: list[Cell] = []
    begin = at = start
    for number, part in enumerate(text[start:end].split('"')):
        stop = at + len(part)
        while number % 2 == 0 and (place := text.find(delimiter, at, stop)) >= 0:
            cells.append((begin, place))
            begin = at = place + 1
        at = stop + 1
    cells.append((begin, end))
    return _trim_all(text, cells)


def _count_cells(text: str, start: int, end: int, delimiter: str) -> int:
    """Return how many cells a line has; they are cut only where a line begins like ``| a | b |``."""
    if text[start] in _PADDING or text.startswith(delimiter, start):
        return len(_cells(text, start, end, delimiter))
    if len(delimiter) > 1:
        return text.count(delimiter, start, end) + 1
    return sum(part.count(delimiter) for part in text[start:end].split('"')[::2]) + 1


def _plain_split(text: str, start: int, end: int, delimiter: str) -> list[Cell]:
    cells: list[Cell] = []
    begin = start
    while (place := text.find(delimiter, begin, end)) >= 0:
        cells.append((begin, place))
        begin = place + len(delimiter)
    cells.append((begin, end))
    return cells


_PADDING = frozenset(' \t"')


def _trim_all(text: str, cells: list[Cell]) -> list[Cell]:
    trimmed = [
        cell
        if cell[0] < cell[1] and text[cell[0]] not in _PADDING and text[cell[1] - 1] not in _PADDING
        else _trim(text, *cell)
        for cell in cells
    ]
    if len(trimmed) > 2 and trimmed[0][0] == trimmed[0][1] and trimmed[-1][0] == trimmed[-1][1]:
        return trimmed[1:-1]  # | a | b |
    return trimmed


def _trim(text: str, start: int, end: int) -> Cell:
    """Leave quotes and padding out."""
    while start < end and text[start] in _PADDING:
        start += 1
    while end > start and text[end - 1] in _PADDING:
        end -= 1
    return start, end


_HEADING = re.compile(
    r"name|school|address|street|city|state|zip|phone|mobile|cell|ssn|social|dob|birth|date|mail|diagnos|card|spouse|child"
)
_LABEL = re.compile(r"^[A-Za-z][A-Za-z0-9 _.#/()-]{0,30}$")


def _with_labels(text: str, rows: RowTable) -> Sequence[Row]:
    """Take the first row for column names if it holds no digits and reads like names of columns."""
    if not rows:
        return []
    heading, numbers = rows[0], re.compile(r"\d")
    labels = tuple(text[start:end].lower() for start, end in heading.cells)
    header = all(_LABEL.match(text[start:end]) and not text[start:end].isdigit() for start, end in heading.cells)
    others = sum(numbers.search(text, start, end) is not None for start, end in islice(rows.spans(), 1, None))
    known = sum(_HEADING.search(label) is not None for label in labels) * 2 > len(labels)
    if header and not re.search(r"\d{3}", " ".join(labels)) and (known or others * 2 >= len(rows) - 1):
        rows.head_off(labels)
    return rows


_LABELLED = re.compile(
    r"[ \t]{0,8}(-[ \t]+|\*[ \t]+)?\"?([A-Za-z][A-Za-z0-9 _.#/();,-]{0,30}?)\"?[ \t]*[:=][ \t]*(.*?)[ \t]*$"
)
_MOST_LABELS = 40  # of one block
_LONG_VALUE = 120  # characters


def _labelled_blocks(text: str, lines: list[Cell]) -> list[Row]:
    """Blocks of ``label: value`` lines: apart by a blank or ruled line, a list's mark, or the first label again."""
    if ":" not in text and "=" not in text:
        return []
    blocks: list[list[re.Match[str]]] = [[]]
    position = 0
    for start, end in lines:
        match = _LABELLED.match(text, start, end)
        if match is None or text.count("\n", position, start) > 1 or _repeats(blocks[-1], match):
            blocks.append([])
        if match is not None:
            blocks[-1].append(match)
        position = end
    rows = [_block_row(text, block) for block in blocks if 1 < len(block) <= _MOST_LABELS]
    if not rows:
        return []
    usual, count = Counter(row.labels[0] for row in rows).most_common(1)[0]
    kept = [row for row in rows if row.labels[0] == usual]
    if count < MIN_BLOCKS or len(Counter(label for row in kept for label in row.labels)) > _MOST_LABELS:
        return []
    return kept if _apart(text, kept) else []


def _repeats(block: list[re.Match[str]], match: re.Match[str]) -> bool:
    return bool(block) and (bool(match.group(1)) or match.group(2).lower() == block[0].group(2).lower())


def _block_row(text: str, block: list[re.Match[str]]) -> Row:
    cells = tuple(_trim(text, *match.span(3)) for match in block)
    return Row(block[0].start(), block[-1].end(), cells, tuple(match.group(2).lower() for match in block))


def _apart(text: str, rows: list[Row]) -> bool:
    """Tell records from the turns of a talk: short values, and either three labels or a blank line between."""
    values = [end - start for row in rows for start, end in row.cells]
    if sum(length > _LONG_VALUE for length in values) * 4 >= len(values):
        return False
    blank = all("\n\n" in text[one.end : two.start].replace("\r", "") for one, two in pairwise(rows))
    return blank or sum(len(row.cells) >= _WIDE for row in rows) * 2 >= len(rows)


_RULE = re.compile(r"(?m)^(?:-{2,}|\*{3,}|={3,}|_{3,}|#{3,}|~{3,})[ \t]*$")
_MOST_LINES = 12  # of a ruled-off record
_LONG_LINE = 100  # characters
_MIN_RULES = 4


def _ruled_blocks(text: str) -> list[Row]:
    """Records of a few short lines, ruled off from one another."""
    rules = [match.span() for match in _RULE.finditer(text)]
    if len(rules) < _MIN_RULES:
        return []
    edges = [(0, 0), *rules, (len(text), len(text))]
    rows = []
    for (_, start), (end, _) in pairwise(edges):
        cells = [_trim(text, *line.span()) for line in _LINE.finditer(text, start, end)]
        cells = [cell for cell in cells if cell[1] > cell[0]]
        if cells:
            rows.append(Row(cells[0][0], cells[-1][1], tuple(cells)))
    short = [row for row in rows if len(row.cells) <= _MOST_LINES and all(e - s <= _LONG_LINE for s, e in row.cells)]
    return short if len(short) * 5 >= len(rows) * 4 and len(short) >= MIN_ROWS else []


_BLOCK = re.compile(r"[^\r\n]+(?:\r?\n[^\r\n]+)*")
_MIN_PLAIN_BLOCKS = 6


def _plain_blocks(text: str) -> list[Row]:
    """Records of the same few short lines each, with a blank line between."""
    rows = []
    for block in _BLOCK.finditer(text):
        cells = [_trim(text, *line.span()) for line in _LINE.finditer(text, *block.span())]
        rows.append(Row(block.start(), block.end(), tuple(cells)))
    sizes = Counter(len(row.cells) for row in rows)
    size, count = sizes.most_common(1)[0] if sizes else (0, 0)
    if not _WIDE <= size <= _MOST_LINES or count < _MIN_PLAIN_BLOCKS or count * 3 < len(rows) * 2:
        return []
    # A value that is missing leaves its line out.
    alike = [row for row in rows if size - 1 <= len(row.cells) <= size]
    short = all(end - start <= _LONG_LINE for row in alike for start, end in row.cells)
    return alike if short and len(alike) * 10 >= len(rows) * 9 else []


_WIDE_GAP = re.compile(r" {2,}|\t+")


def _fixed_rows(text: str, lines: list[Cell]) -> list[Row]:
    """Lines whose columns begin at the same places, with two blanks or more between."""
    if text.count("  ") < MIN_NARROW_ROWS:
        return []
    begins = [{gap.end() - start for gap in _WIDE_GAP.finditer(text, start, end)} for start, end in lines]
    block = _longest_block([bool(found) for found in begins], True)
    inside = lines[block[0] : block[1]]
    if len(inside) < MIN_NARROW_ROWS:
        return []
    common = Counter(column for columns in begins[block[0] : block[1]] for column in columns)
    columns = [
        column
        for column, count in sorted(common.items())
        if count * 5 >= len(inside) and _is_blank_before(text, inside, column)
    ]
    if not columns or _is_prose(text, [Row(start, end, ()) for start, end in inside]):
        return []
    return [Row(start, end, tuple(_fixed_cells(text, start, end, columns))) for start, end in inside]


def _is_blank_before(text: str, lines: list[Cell], column: int) -> bool:
    """Tell whether nearly every line has blanks right before a column, be its own cell filled or empty."""
    blank = sum(start + column > end or text[start + column - 2 : start + column].isspace() for start, end in lines)
    return blank * 10 >= len(lines) * 9


def _fixed_cells(text: str, start: int, end: int, columns: list[int]) -> list[Cell]:
    edges = [start, *(start + column for column in columns if start + column < end), end]
    return [_trim(text, first, last) for first, last in pairwise(edges)]
