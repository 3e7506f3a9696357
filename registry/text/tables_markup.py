"""Rows of tables that carry marks of their own: JSON, SQL, records of database shells, HTML, XML, ``key="value"``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from registry.text.fold import INLINE_TAGS
from registry.text.table_rows import Cell, Row

MIN_MARKED_ROWS = 2
MIN_ALIKE_ROWS = 3  # of marks that prose may carry, too
_JSON_PAIR = re.compile(
    r'"((?:[^"\\]|\\.){0,80})"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|(-?[0-9][0-9.eE+-]*|true|false|null))|"((?:[^"\\]|\\.)*)"'
)
_JSON_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]')
_SQL_WORDS = re.compile(r"\binsert\s+into\b|\bvalues\b", re.IGNORECASE)
_SQL_HEAD = re.compile(r"\binsert\s+into\b[^()]{0,200}(?:\(([^()]{0,2000})\)\s*)?values\s*(?=\()", re.IGNORECASE)
_SQL_TUPLE = re.compile(r"\(((?:'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^'\"()])*)\)")
_SQL_CELL = re.compile(r"\s*(?:'((?:[^'\\]|''|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|([^,'\"]+))\s*(?:,|$)")
_LEAF = re.compile(r"<([A-Za-z][\w:.-]{0,40})(?:\s[^<>]{0,200})?>([^<>]{0,500})</\1\s*>")
# name="Ada", and name: 'Ada' as shells and scripts print their documents.
_ATTRIBUTE = re.compile(
    r"""([A-Za-z_][\w.-]{0,30})['"]?[ \t]?(?:=>?|:)[ \t]?(?:"((?:[^"\\\n]|\\.){0,300})"|'((?:[^'\\\n]|\\.){0,300})')"""
)
_ATTRIBUTE_BEGINS = re.compile(r"""[=:]>?[ \t]?["']""")  # what every one of them has: most long texts have none
_HTML_ROW = re.compile(r"<tr\b[^>]{0,200}>(.*?)(?=</tr>|<tr\b|</table>|\Z)", re.IGNORECASE | re.DOTALL)
_HTML_CELL = re.compile(r"<t([dh])\b[^>]{0,200}>(.*?)(?=</t[dh]>|<t[dh]\b|\Z)", re.IGNORECASE | re.DOTALL)


def marked_rows(text: str) -> list[Row]:
    """Return the rows of JSON objects, SQL statements, records, HTML or XML, or attributes, whichever there are."""
    for reader in (_json_rows, _array_rows, _sql_rows, _record_rows, _html_rows, _element_rows, _attribute_rows):
        rows = reader(text)
        if len(rows) >= MIN_MARKED_ROWS:
            return rows
    return []


def _json_rows(text: str) -> list[Row]:
    if text.count("{") < MIN_MARKED_ROWS or '":' not in text.replace('" :', '":'):
        return []
    rows = []
    for start, end in _objects(text):
        cells, labels = [], []
        for match in _JSON_PAIR.finditer(text, start, end):
            group = next(number for number in (2, 3, 4) if match.group(number) is not None)
            cells.append(match.span(group))
            labels.append((match.group(1) or "").lower())
        if cells:
            rows.append(Row(start, end, tuple(cells), tuple(labels)))
    return rows


_VALUE = r"(?:\"(?:[^\"\\]|\\.)*\"|-?[0-9][0-9.eE+-]*|true|false|null)"
_ARRAY = re.compile(rf"\[\s*({_VALUE}(?:\s*,\s*{_VALUE})+)\s*\]")
_ARRAY_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"|(-?[0-9][0-9.eE+-]*|true|false|null)')


def _array_rows(text: str) -> list[Row]:
    """Arrays of plain values, all of one length: ``[["Ada", "1961-04-27"], ...]``."""
    if text.count("[") < MIN_MARKED_ROWS:
        return []
    rows = []
    for match in _ARRAY.finditer(text):
        values = _ARRAY_VALUE.finditer(text, *match.span(1))
        cells = tuple(value.span(1 if value.group(1) is not None else 2) for value in values)
        rows.append(Row(match.start(), match.end(), cells))
    lengths = Counter(len(row.cells) for row in rows)
    usual = lengths.most_common(1)[0][0] if lengths else 0
    return [row for row in rows if len(row.cells) == usual] if lengths[usual] >= MIN_ALIKE_ROWS else []


def _objects(text: str) -> list[Cell]:
    """Return the outermost objects; when there is one only, the innermost ones."""
    opened: list[int] = []
    outer: list[Cell] = []
    inner: list[Cell] = []
    for match in _JSON_MARK.finditer(text):
        if match.group() == "{":
            opened.append(match.start())
        elif match.group() == "}" and opened:
            start = opened.pop()
            if not opened:
                outer.append((start, match.end()))
            if not inner or start > inner[-1][0]:
                inner.append((start, match.end()))
    return outer if len(outer) > 1 else inner


def _sql_rows(text: str) -> list[Row]:
    if not _SQL_WORDS.search(text):
        return []
    rows: list[Row] = []
    for head in _SQL_HEAD.finditer(text):
        labels = tuple(part.strip(' "`[]\n\r\t').lower() for part in (head.group(1) or "").split(","))
        position = head.end()
        while (match := _SQL_TUPLE.match(text, position)) is not None:
            cells = tuple(_sql_cells(text, match.start(1), match.end(1)))
            rows.append(Row(match.start(1), match.end(1), cells, labels if len(labels) == len(cells) else ()))
            position = match.end()
            separator = re.compile(r"\s*,\s*").match(text, position)
            if separator is None:
                break
            position = separator.end()
    return rows


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


# Rows as shells print them one below the other: psql with \\x, mysql with \\G.
_RECORD = re.compile(r"(?m)^(?:-\[ RECORD \d+ \][-+]*|\*{10,} \d+\. row \*{10,})[ \t]*\r?$")
_RECORD_LINE = re.compile(r"(?m)^[ \t]{0,40}([A-Za-z_][^|:\r\n]{0,60}?)[ \t]*(?:\||:)[ \t]?([^\r\n]*?)[ \t]*\r?$")


def _record_rows(text: str) -> list[Row]:
    heads = list(_RECORD.finditer(text))
    if not heads:
        return []
    ends = [*(head.start() for head in heads[1:]), len(text)]
    rows = []
    for head, end in zip(heads, ends, strict=True):
        lines = list(_RECORD_LINE.finditer(text, head.end(), end))
        if lines:
            cells = tuple(line.span(2) for line in lines)
            rows.append(Row(lines[0].start(), lines[-1].end(), cells, tuple(line.group(1).lower() for line in lines)))
    return rows


def _html_rows(text: str) -> list[Row]:
    if "<t" not in text.lower():
        return []
    rows: list[Row] = []
    labels: tuple[str, ...] = ()
    for match in _HTML_ROW.finditer(text):
        found = list(_HTML_CELL.finditer(text, match.start(1), match.end(1)))
        if found and all(cell.group(1).lower() == "h" for cell in found):
            labels = tuple(cell.group(2).strip().lower() for cell in found)
        elif found:
            known = labels if len(labels) == len(found) else ()
            rows.append(Row(match.start(1), match.end(1), tuple(cell.span(2) for cell in found), known))
    return rows


def _element_rows(text: str) -> list[Row]:
    """Elements that hold text only and follow one another: one row up to the next tag of another kind."""
    if "</" not in text:
        return []
    groups: list[list[re.Match[str]]] = []
    for leaf in _LEAF.finditer(text):
        if leaf.group(1).lower() in INLINE_TAGS:
            continue  # letters in bold are no cells
        if groups and not text[groups[-1][-1].end() : leaf.start()].strip():
            groups[-1].append(leaf)
        else:
            groups.append([leaf])
    return _alike(
        Row(
            group[0].start(),
            group[-1].end(),
            tuple(leaf.span(2) for leaf in group),
            tuple(leaf.group(1).lower() for leaf in group),
        )
        for group in groups
        if len(group) > 1
    )


def _attribute_rows(text: str) -> list[Row]:
    """Lines of ``key="value"`` pairs."""
    if _ATTRIBUTE_BEGINS.search(text) is None:
        return []
    rows: list[Row] = []
    begin = 0
    for line in text.splitlines(keepends=True):
        pairs = list(_ATTRIBUTE.finditer(text, begin, begin + len(line)))
        if len(pairs) > 1:
            cells = tuple(pair.span(2 if pair.group(2) is not None else 3) for pair in pairs)
            labels = tuple(pair.group(1).lower() for pair in pairs)
            rows.append(Row(pairs[0].start(), pairs[-1].end(), cells, labels))
        begin += len(line)
    return _alike(rows)


def _alike(rows: Iterable[Row]) -> list[Row]:
    """Keep the rows that begin with the usual label; none when too few do."""
    found = list(rows)
    if not found:
        return []
    usual, count = Counter(row.labels[0] for row in found).most_common(1)[0]
    return [row for row in found if row.labels[0] == usual] if count >= MIN_ALIKE_ROWS else []
