"""The page's structure, held without a browser; a browser checks it again where there is one."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from registry.leaktrace.evidence_items import EvidenceItem
from registry.leaktrace.report_model import TraceReport
from registry.reports.as_html import render_html, style_source
from registry.reports.timeline import MOST_ROWS, Row, Timeline, describe, timeline_lines, timeline_of, timeline_svg
from tests.unit.leaktrace_report.evidence import NOON
from tests.unit.reports.samples import EVERY, dump, empty, hostile, ordinary, unserved

Tag = tuple[str, dict[str, str | None]]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[Tag] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def tags_of(report: TraceReport) -> list[Tag]:
    parser = _Tags()
    parser.feed(render_html(report))
    return parser.tags


@pytest.mark.parametrize("report", EVERY)
def test_headings_landmarks_and_tables(report: TraceReport) -> None:
    tags = tags_of(report)
    names = [name for name, _ in tags]
    headings = [int(name[1]) for name in names if re.fullmatch(r"h[1-6]", name)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))
    assert [names.count(name) for name in ("header", "main", "nav", "footer")] == [1, 1, 1, 1]
    assert dict(tags[0][1]) == {"lang": "en"}
    assert names.count("table") == names.count("caption") == names.count("thead")
    assert all(attributes.get("scope") in {"col", "row", "rowgroup"} for name, attributes in tags if name == "th")


@pytest.mark.parametrize("report", EVERY)
def test_ids_are_unique_and_every_reference_has_its_target(report: TraceReport) -> None:
    tags = tags_of(report)
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for name, attributes in tags:
        references = (attributes.get("aria-labelledby") or "").split()
        if name == "a":
            references.append((attributes["href"] or "").removeprefix("#"))
        assert set(references) <= set(ids)


def test_nothing_runs_and_nothing_is_fetched() -> None:
    for report in EVERY:
        tags = tags_of(report)
        assert not {"script", "img", "link", "iframe", "object", "form"} & {name for name, _ in tags}
        assert not any(
            attribute.startswith("on") or attribute in {"style", "src"} for _, found in tags for attribute in found
        )
        policy = next(found["content"] for name, found in tags if found.get("http-equiv") == "Content-Security-Policy")
        assert policy is not None
        assert policy.startswith(f"default-src 'none'; style-src {style_source()};")


def test_the_first_focus_is_the_skip_link_to_main() -> None:
    tags = tags_of(ordinary())
    assert next(found["href"] for name, found in tags if name == "a") == "#report"
    assert next(found["id"] for name, found in tags if name == "main") == "report"


def test_the_drawing_is_well_formed_titled_and_unstyled() -> None:
    timeline = timeline_of(hostile())
    assert timeline is not None
    svg = timeline_svg(timeline)
    root = ET.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    assert [child.tag for child in root][:2] == [f"{space}title", f"{space}desc"]
    assert "style=" not in svg
    assert root.get("role") == "img"
    assert root.find(f"{space}desc") is not None


def test_items_that_were_seen_at_times_of_their_own_have_a_row_and_a_sign() -> None:
    seen = (NOON + timedelta(hours=hours) for hours in (20, 26))
    items = tuple(
        EvidenceItem(number, 0, 0, "0" * 64, "", at, 0, "a page", "", None) for number, at in enumerate(seen, 1)
    )
    timeline = timeline_of(ordinary(items=items))
    assert timeline is not None
    assert [(row.label, len(row.marks)) for row in timeline.rows[-2:]] == [("Items", 2), ("Exposures", 3)]
    assert timeline_svg(timeline).count('class="tl-item"') == 2 + 1  # one explains the sign
    assert any("^" in line for line in timeline_lines(timeline)[:-1])
    assert "Items first seen: 2." in describe(timeline)
    alone = timeline_of(ordinary(items=items[:1]))
    assert alone is not None
    assert not alone.has_items
    assert "tl-item" not in timeline_svg(alone)


def test_the_drawing_and_its_table_tell_the_same() -> None:
    timeline = timeline_of(ordinary())
    assert timeline is not None
    assert [row.label for row in timeline.rows] == ["Account 1", "Account 2", "Account 3", "Account 4", "Exposures"]
    marks = [shape for row in timeline.rows for _, shape in row.marks]
    assert (marks.count("copy"), marks.count("late"), marks.count("exposure")) == (5, 1, 3)
    assert "Later copies: 1." in describe(timeline)
    page = render_html(ordinary())
    table = page[page.index("The timeline as a table") : page.index('id="accounts"')]
    assert table.count("<td>copy served</td>") == 6
    assert "<td>text published, as told</td>" in table


def test_a_tall_drawing_keeps_the_exposures_and_says_what_it_leaves_out() -> None:
    timeline = timeline_of(dump())
    assert timeline is not None
    assert len(timeline.rows) == MOST_ROWS
    assert timeline.rows[-1].label == "Exposures"
    assert f"{timeline.left_out} more rows of the drawing: in the table only." in render_html(dump())


def test_no_event_no_drawing() -> None:
    assert timeline_of(empty()) is None
    assert timeline_of(unserved()) is None


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
def test_colours_have_enough_contrast_in_both_schemes(scheme: int) -> None:
    style = files("registry.reports").joinpath("templates", "trace_report.css").read_text(encoding="utf-8")
    roots = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", roots[scheme]))
    for paper in ("paper", "shade"):
        for ink in ("ink", "soft", "link"):
            assert _contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    assert _contrast(colours["alert"], colours["alert-paper"]) >= 4.5
    assert _contrast(colours["ink"], colours["alert-paper"]) >= 4.5
    assert _contrast(colours["mark"], colours["paper"]) >= 3


def test_of_a_crowd_of_marks_one_in_a_few_pixels_is_drawn_and_of_few_each() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    for count, least, most in ((120, 120, 120), (2_000, 100, 140)):
        marks = tuple((start + timedelta(days=30) * number / count, "copy") for number in range(count))
        timeline = Timeline(start, start + timedelta(days=30), None, (Row("Account 1", marks),), 0)
        drawn = timeline_svg(timeline).count('class="tl-copy"') - 1  # one explains the sign
        assert least <= drawn <= most
        assert f"not later than publication: {count}." in describe(timeline)
