"""The report as PDF: tagged for assistive technology (PDF/UA-1) and kept for the long term (PDF/A-2a).

The template is fixed; the report goes in as JSON in a virtual file and is never read as markup. No system font and
no file of the machine is used, so the same report gives the same bytes everywhere.
"""

from __future__ import annotations

import json
from datetime import UTC
from functools import cache
from importlib.resources import files
from typing import Any

import typst

from registry.leaktrace.report_model import TraceReport
from registry.reports.blocks import Block, Bullets, Document, Drawing, Facts, Paragraph, Table
from registry.reports.layout import lay_out
from registry.reports.plain import code_point, utc

# Ranges that the fonts inside typst draw (tests compile each of them). PDF/A and PDF/UA refuse a text with a
# character that has no glyph, so anything else is printed as its number.
PRINTABLE = (
    (0x20, 0x7E),
    (0xA0, 0xAC),
    (0xAE, 0x17F),
    (0x391, 0x3A1),
    (0x3A3, 0x3C9),
    (0x400, 0x45F),
    (0x2013, 0x2014),
)
_ALSO_PRINTABLE = frozenset("‘’“”…€")


def render_pdf(report: TraceReport) -> bytes:
    """Return the PDF; equal bytes for equal reports."""
    document = lay_out(report)
    inputs = {
        "main": _template().encode(),
        "report.json": json.dumps(printable(_data(document)), ensure_ascii=True).encode(),
        **{f"{drawing.name}.svg": drawing.svg.encode() for drawing in _drawings(document)},
    }
    pdf = typst.compile(  # type: ignore[call-overload]  # typst's stubs leave out the dict of virtual files
        inputs,
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=["ua-1", "a-2a"],
    )
    return bytes(pdf)


def _drawings(document: Document) -> list[Drawing]:
    return [block for section in document.sections for block in section.blocks if isinstance(block, Drawing)]


@cache
def _template() -> str:
    return files("registry.reports").joinpath("templates", "trace_report.typ").read_text(encoding="utf-8")


def printable(value: Any) -> Any:
    """Replace, in every text of a JSON value, each character that no font draws by its number."""
    if isinstance(value, str):
        return "".join(one if _is_printable(one) else code_point(one) for one in value)
    if isinstance(value, list):
        return [printable(item) for item in value]
    if isinstance(value, dict):
        return {key: printable(item) for key, item in value.items()}
    return value


def _is_printable(character: str) -> bool:
    return character in _ALSO_PRINTABLE or any(first <= ord(character) <= last for first, last in PRINTABLE)


def _data(document: Document) -> dict[str, Any]:
    made = document.made_at.astimezone(UTC)
    return {
        "title": document.title,
        "trace": document.trace,
        "made_at": utc(made),
        "date": {name: getattr(made, name) for name in ("year", "month", "day", "hour", "minute", "second")},
        "gaps": list(document.gaps),
        "first_line": document.first_line,
        "tier": document.tier,
        "tier_wording": document.tier_wording,
        "sections": [
            {"heading": section.heading, "blocks": [_block(block) for block in section.blocks]}
            for section in document.sections
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Paragraph):
        return {"type": "paragraph", "text": block.text}
    if isinstance(block, Bullets):
        return {"type": "bullets", "items": list(block.items)}
    if isinstance(block, Facts):
        return {"type": "facts", "rows": [list(row) for row in block.rows]}
    if isinstance(block, Table):
        groups = [{"heading": group.heading, "rows": [list(row) for row in group.rows]} for group in block.groups]
        return {
            "type": "table",
            "caption": block.caption,
            "columns": list(block.columns),
            "shares": list(block.shares),
            "groups": groups,
        }
    return {"type": "drawing", "file": f"{block.name}.svg", "text": block.told}
