"""The drawings of marks say what their tables say, in every form of the report."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from registry.domain.ids import PrincipalId, new_id
from registry.leaktrace.marked_copies import CopyEvidence, LabelledEvidence
from registry.leaktrace.report_model import TraceReport
from registry.leaktrace.report_shapes import MarksReport
from registry.reports.as_html import render_html
from registry.reports.as_pdf import render_pdf
from registry.reports.as_text import render_text
from registry.reports.evidence_drawings import MOST_COPIES, copies_svg, curve_svg, describe_copies
from tests.unit.reports.samples import HOSTILE, ordinary

SPACE = "{http://www.w3.org/2000/svg}"
CURVE = (
    (0.1, 0.02, (("Account 1", 0.9), ("Account 2", 0.08))),
    (0.99, 0.9, (("Account 1", 0.06), ("Account 2", 0.04))),
)


def line(label: str, bound: float, agreeing: int, slots: int) -> LabelledEvidence:
    return LabelledEvidence(
        label, CopyEvidence(PrincipalId(new_id()), 1.0, bound, 1.0, bound, 0, slots, agreeing, "none")
    )


def marked(
    *copies: LabelledEvidence, curve: tuple[tuple[float, float, tuple[tuple[str, float], ...]], ...]
) -> TraceReport:
    return replace(ordinary(), marks=MarksReport("0" * 64, 3, 1, 4, 0, copies, curve))


def parts(svg: str, name: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{SPACE}{name}"))


def places(svg: str) -> list[float]:
    return [float(one.get("cx", "nan")) for one in parts(svg, "circle")]


def test_squares_are_filled_for_the_places_that_agree() -> None:
    squares = parts(copies_svg([line("Account 1", 0.01, 3, 5)]), "rect")
    assert [one.get("fill") for one in squares] == ["currentColor"] * 3 + ["none"] * 2


def test_of_many_places_the_share_is_drawn_and_the_number_written() -> None:
    svg = copies_svg([line("Account 1", 0.01, 150, 300)])
    assert [one.get("fill") for one in parts(svg, "rect")].count("currentColor") == len(parts(svg, "rect")) / 2
    assert "150 of 300" in [one.text for one in parts(svg, "text")]


def test_a_smaller_bound_stands_further_right_and_the_tiers_where_theirs_begin() -> None:
    svg = copies_svg([line(f"Account {n}", bound, 1, 2) for n, bound in enumerate((1.0, 0.05, 1e-3, 1e-6, 0.0))])
    assert places(svg) == sorted(places(svg))
    named = {one.text: float(one.get("x", "nan")) for one in parts(svg, "text")}
    assert [named["lead"], named["strong"], named["attributed"]] == places(svg)[1:4]


def test_more_copies_than_fit_are_said_to_be_in_the_table() -> None:
    copies = [line(f"Account {number}", 0.5, 1, 2) for number in range(MOST_COPIES + 3)]
    assert len(places(copies_svg(copies))) == MOST_COPIES
    assert "3 more copies in the table only." in describe_copies(copies)


def test_the_lines_end_where_the_table_says_and_their_names_do_not_lie_on_one_another() -> None:
    marks = marked(line("Account 1", 0.01, 3, 5), line("Account 2", 1.0, 1, 5), curve=CURVE).marks
    assert marks is not None
    svg = curve_svg(marks)
    heights = [float(one.get("cy", "nan")) for one in parts(svg, "circle")]
    # The outside first: from 0.02 up to 0.9; then Account 1 from 0.9 down to 0.06. Higher is smaller.
    assert heights[1] == heights[2] < heights[3] < heights[0]
    names = [one for one in parts(svg, "text") if one.text in {"Outside", "Account 1", "Account 2"}]
    ends = sorted(float(one.get("y", "nan")) for one in names)
    assert all(lower - upper >= 12 for upper, lower in itertools.pairwise(ends))


@pytest.mark.parametrize("svg_of", [lambda marks: copies_svg(marks.copies), curve_svg])
def test_they_are_well_formed_titled_and_unstyled(svg_of: object) -> None:
    marks = marked(line(HOSTILE, 0.01, 3, 5), curve=((0.5, 0.1, ((HOSTILE, 0.9),)),)).marks
    svg = svg_of(marks)  # type: ignore[operator]  # one of two functions
    root = ET.fromstring(svg)
    assert [child.tag for child in root][:2] == [f"{SPACE}title", f"{SPACE}desc"]
    assert root.get("role") == "img"
    assert "style=" not in svg
    assert "<script" not in svg


def test_every_form_of_the_report_takes_them() -> None:
    report = marked(line("Account 1", 0.01, 3, 5), line("Account 2", 1.0, 1, 5), curve=CURVE)
    page = render_html(report)
    assert page.count("<svg") == 3
    assert 'id="copies-desc"' in page
    assert 'id="curve-desc"' in page
    assert render_pdf(report).startswith(b"%PDF-")
    assert "3 of 5" in render_text(report)


def test_without_copies_and_curve_there_is_no_drawing_of_them() -> None:
    assert render_html(marked(curve=())).count("<svg") == 1
