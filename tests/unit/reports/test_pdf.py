"""The PDF claims its standards, takes any text, and needs nothing of the machine."""

from __future__ import annotations

import pytest
import typst

from registry.leaktrace.report_model import TraceReport
from registry.reports.as_pdf import PRINTABLE, printable, render_pdf
from tests.unit.reports.samples import EVERY, ordinary


@pytest.mark.parametrize("report", EVERY)
def test_it_claims_both_standards_and_names_itself(report: TraceReport) -> None:
    pdf = render_pdf(report)
    assert pdf.startswith(b"%PDF-1.7")
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in pdf
    assert b"<dc:language>" in pdf
    assert b"Trace report eeee" in pdf
    assert b"2026-03-12T12:00:00" in pdf  # the time of the trace, not of the printing


@pytest.mark.parametrize(
    "text", ["\U0001f600", "\u4e2d\u6587", "\u0627\u0644", "e\u0301", "\ue000", "\ud800", "\x00", "a" * 9_000]
)
def test_no_text_from_outside_stops_the_pdf(text: str) -> None:
    assert render_pdf(ordinary(source=text)).startswith(b"%PDF")


def test_every_printable_character_is_drawn_by_a_font_inside_typst() -> None:
    text = "".join(chr(code) for first, last in PRINTABLE for code in range(first, last + 1)) + "‘’“”…€"
    assert printable(text) == text
    source = '#set document(title: "t")\n#set text(font: "Libertinus Serif")\n#read("text.txt")'
    typst.compile(
        {"main": source.encode(), "text.txt": text.encode()},
        format="pdf",
        ignore_system_fonts=True,
        pdf_standards=["ua-1", "a-2a"],
    )


def test_what_no_font_draws_becomes_its_number_at_any_depth() -> None:
    assert printable({"a": ["\u4e2d", {"b": "x"}, None, 1]}) == {"a": ["[U+4E2D]", {"b": "x"}, None, 1]}
