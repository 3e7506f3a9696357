"""The report for a terminal: plain text, 80 columns, no colours."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from registry.leaktrace.report_model import TraceReport
from registry.reports.blocks import Block, Bullets, Document, Facts, Paragraph, Table
from registry.reports.layout import lay_out
from registry.reports.plain import utc
from registry.reports.timeline import TEXT_COLUMNS

_GUTTER = 2
_SHORT_CELL = 10  # `Account 1`, `2 of 3` stay on one line
_LONGEST_WORD = 20  # a longer word is broken


def render_text(report: TraceReport) -> str:
    """Return the report as lines of at most 80 characters (longer only for unbroken text from outside)."""
    document = lay_out(report)
    lines = _head(document)
    for section in document.sections:
        lines += ["", section.heading.upper(), "-" * len(section.heading)]
        for block in section.blocks:
            lines += [*_block(block), ""]
    squeezed = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    return "\n".join(line.rstrip() for line in squeezed).rstrip() + "\n"


def _head(document: Document) -> list[str]:
    title = f"{document.title} {document.trace}"
    lines = [title, "=" * len(title), ""]
    for gap in document.gaps:
        lines += [*_wrap(gap, "!! ", "   "), ""]
    lines += [*_wrap(document.first_line), ""]
    lines += [f"Tier: {document.tier}", *_wrap(document.tier_wording), ""]
    lines += [f"Asked {utc(document.made_at)} UTC. All times are UTC."]
    return lines


def _wrap(text: str, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(text, TEXT_COLUMNS, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [
        first
    ]


def _block(block: Block) -> list[str]:
    if isinstance(block, Paragraph):
        return _wrap(block.text)
    if isinstance(block, Bullets):
        return [line for item in block.items for line in _wrap(item, "- ", "  ")]
    if isinstance(block, Facts):
        return _facts(block)
    if isinstance(block, Table):
        return _table(block)
    return list(block.lines)


def _facts(facts: Facts) -> list[str]:
    width = max(len(name) for name, _ in facts.rows) + _GUTTER
    return [line for name, value in facts.rows for line in _fact(name, value, width)]


def _fact(name: str, value: str, width: int) -> list[str]:
    if width + len(value) > TEXT_COLUMNS and " " not in value:
        return [name, f"  {value}"]
    return _wrap(value, name.ljust(width), " " * width)


def _table(table: Table) -> list[str]:
    widths = _widths(table)
    lines = [
        *_wrap(table.caption + ":"),
        *_row(table.columns, widths),
        *_row(["-" * width for width in widths], widths),
    ]
    for group in table.groups:
        if group.heading:
            lines.append(group.heading)
        for row in group.rows:
            lines += _row(row, widths)
    return lines


def _widths(table: Table) -> list[int]:
    """Fit the columns into 80: every column gets its longest word, the rest of the room goes where lines are long."""
    rows = [table.columns, *(row for group in table.groups for row in group.rows)]
    columns = list(zip(*rows, strict=True))
    words = [max(len(word) for cell in column for word in _unbroken(cell)) for column in columns]
    widths = [min(word, _LONGEST_WORD) for word in words]
    lengths = [max(len(cell) for cell in column) for column in columns]
    room = TEXT_COLUMNS - _GUTTER * (len(columns) - 1) - sum(widths)
    for _ in range(-room):
        widths[widths.index(max(widths))] -= 1
    while room > 0 and any(width < length for width, length in zip(widths, lengths, strict=True)):
        # The column whose longest cell takes the most lines is widened by one.
        neediest = max(range(len(widths)), key=lambda number: lengths[number] / widths[number])
        widths[neediest] += 1
        room -= 1
    return widths


def _unbroken(cell: str) -> list[str]:
    return [cell] if len(cell) <= _SHORT_CELL else cell.split()


def _row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    columns = [
        textwrap.wrap(cell, width, break_on_hyphens=False) or [""] for cell, width in zip(cells, widths, strict=True)
    ]
    height = max(len(column) for column in columns)
    return [
        (" " * _GUTTER).join(
            (column[number] if number < len(column) else "").ljust(width)
            for column, width in zip(columns, widths, strict=True)
        )
        for number in range(height)
    ]
