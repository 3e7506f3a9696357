"""The timeline: when copies were served, when values were exposed, when the text was published.

One model feeds the drawing (SVG, in page and PDF alike) and the lines of the text version. The drawing carries
meaning by shape, never by colour alone; the table next to it says the same in words.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from registry.leaktrace.report_model import TraceReport
from registry.reports.plain import duration, utc
from registry.reports.svg import WIDTH, opened

TITLE = "Timeline of served copies, source exposures and publication"
MOST_ROWS = 40  # a taller drawing helps nobody; the table has every event
TEXT_COLUMNS = 80
_LEFT, _RIGHT, _TOP = 150, 30, 52
_SPAN = WIDTH - _LEFT - _RIGHT
_ROW, _CLOSE_ROW = 26, 18  # px; close from _MANY_ROWS on, so that the drawing fits under its heading on one sheet
_MANY_ROWS = 20
_ROOM = 1.04  # the last mark stands a little before the end of the axis
_EARLIER = 14  # px left of the axis start, for exposures before the first copy
_LEGEND, _LEGEND_LINE = 58, 18
_CROWD, _GRAIN = 200, 4  # of more marks in a row one is drawn in so many px; a mark is 10 px wide
_STEPS = tuple(
    timedelta(hours=hours) for hours in (1, 3, 6, 12, 24, 48, 96, 168, 336, 720, 2160, 8760, 43_800, 219_000)
)
_MOST_TICKS = 6
_ITEMS = "Items"
_SIGNS = {"copy": "*", "late": "o", "exposure": "x", "item": "^"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the timeline.

    Attributes:
        label: account, ``Items`` (that of the items alone) or ``Exposures``.
        marks: when, and ``copy``, ``late``, ``item`` or ``exposure``.
    """

    label: str
    marks: tuple[tuple[datetime, str], ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the drawing shows.

    Attributes:
        start, end: ends of the axis; exposures may lie before it.
        published_at: the publication as told, of several items the first one's, or None.
        uncertainty: the publication may have been so much earlier or later.
        rows: at most ``MOST_ROWS``.
        left_out: rows that only the table shows.
    """

    start: datetime
    end: datetime
    published_at: datetime | None
    rows: tuple[Row, ...]
    left_out: int
    uncertainty: timedelta = timedelta(0)

    @property
    def has_items(self) -> bool:
        """Whether the text is put together of several that were seen at times of their own."""
        return any(row.label == _ITEMS for row in self.rows)

    def place(self, moment: datetime) -> float:
        """Return 0 at the start, a little under 1 at the end; below 0 for what lies before the axis."""
        return (moment - self.start) / ((self.end - self.start) * _ROOM)

    def places(self, row: Row) -> list[tuple[float, str]]:
        """Return the place and the shape of each mark of a row."""
        start, length = self.start, (self.end - self.start) * _ROOM
        return [((moment - start) / length, shape) for moment, shape in row.marks]


def timeline_of(report: TraceReport) -> Timeline | None:
    """Build the timeline; None when nothing was served and nothing is exposed."""
    marks: dict[str, list[tuple[datetime, str]]] = {}
    for accounts, shape in ((report.accounts, "copy"), (report.own_views, "copy"), (report.after_publication, "late")):
        for account in accounts:
            marks.setdefault(account.label, []).extend((copy.served_at, shape) for copy in account.copies)
    rows = [Row(label, tuple(moments)) for label, moments in marks.items()]
    served = [moment for row in rows for moment, _ in row.marks]
    exposed = [line.at for line in report.exposures]
    if not served and not exposed:
        return None
    # Leaving these off would hide a hypothesis.
    last = [Row("Exposures", tuple((moment, "exposure") for moment in exposed))] if exposed else []
    seen = [item.published_at for item in report.question.items if item.published_at is not None]
    if seen[1:]:
        last.insert(0, Row(_ITEMS, tuple((moment, "item") for moment in seen)))
    published = report.question.published_at
    ends = [*(served or exposed), *(one for one in (published, report.question.latest_at) if one is not None)]
    length = max(max(ends) - min(ends), timedelta(minutes=1))
    shown = (*rows[: MOST_ROWS - len(last)], *last)
    uncertainty = timedelta(seconds=report.question.uncertainty_seconds)
    return Timeline(min(ends), min(ends) + length, published, shown, len(rows) + len(last) - len(shown), uncertainty)


def describe(timeline: Timeline) -> str:
    """Say in words what the drawing shows."""
    shapes = Counter(shape for row in timeline.rows for _, shape in row.marks)
    published = timeline.published_at
    when = "The publication time was not stated." if published is None else f"Published {_as_told(timeline)}."
    items = f"Items first seen: {shapes['item']}. " if timeline.has_items else ""
    rest = f" {timeline.left_out} more rows are in the table only." if timeline.left_out else ""
    return (
        f"From {utc(timeline.start)} to {utc(timeline.end)} UTC. "
        f"Copies not later than publication: {shapes['copy']}. Later copies: {shapes['late']}. "
        f"Source exposures: {shapes['exposure']}. {items}{when}{rest} The table that follows lists every event."
    )


def _as_told(timeline: Timeline) -> str:
    published = timeline.published_at
    if published is None:
        return "at an unknown time"
    doubt = f", give or take {duration(int(timeline.uncertainty.total_seconds()))}" if timeline.uncertainty else ""
    return f"{utc(published)} UTC{doubt}, as told"


def timeline_svg(timeline: Timeline) -> str:
    """Draw the timeline as one SVG element: presentation attributes only, so that a strict style policy holds."""
    row_height = _ROW if len(timeline.rows) < _MANY_ROWS else _CLOSE_ROW
    bottom = _TOP + row_height * len(timeline.rows)
    height = bottom + _LEGEND + (_LEGEND_LINE if timeline.has_items else 0)
    parts = [
        *opened("tl", TITLE, describe(timeline), height),
        *_axis(timeline, bottom),
    ]
    for number, row in enumerate(timeline.rows):
        parts += _row_marks(timeline, row, _TOP + row_height * (number + 0.5))
    parts += _publication(timeline, bottom)
    parts += _legend(timeline, bottom + 40)
    parts.append("</svg>")
    return "\n".join(parts)


def _x(timeline: Timeline, moment: datetime) -> float:
    return _x_of(timeline.place(moment))


def _x_of(place: float) -> float:
    return _LEFT - _EARLIER if place < 0 else round(_LEFT + place * _SPAN, 1)


def _axis(timeline: Timeline, bottom: int) -> list[str]:
    parts = [
        f'<path class="tl-axis" d="M{_LEFT} {bottom}H{_LEFT + _SPAN}" stroke="currentColor" stroke-width="1"/>',
    ]
    for tick in _ticks(timeline):
        x = _x(timeline, tick)
        label = tick.strftime("%Y-%m-%d" if tick.hour == tick.minute == 0 else "%m-%d %H:%M")
        parts.append(
            f'<path d="M{x} {_TOP}V{bottom + 4}" stroke="#98a1aa" stroke-width="0.5"/>'
            f'<text x="{x}" y="{bottom + 17}" font-size="11" text-anchor="middle">{label}</text>'
        )
    return parts


def _ticks(timeline: Timeline) -> list[datetime]:
    """Choose at most ``_MOST_TICKS`` round moments, counted from a UTC midnight."""
    length = timeline.end - timeline.start
    step = next((step for step in _STEPS if length / step <= _MOST_TICKS), _STEPS[-1])
    midnight = timeline.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + step * -((midnight - timeline.start) // step)
    return [first + step * number for number in range(_MOST_TICKS + 1) if first + step * number <= timeline.end]


def _row_marks(timeline: Timeline, row: Row, y: float) -> list[str]:
    parts = [
        (
            f'<text x="6" y="{y + 4}">{escape(row.label)}</text>'
            f'<path d="M{_LEFT} {y}H{_LEFT + _SPAN}" stroke="#98a1aa" stroke-width="0.5"/>'
        )
    ]
    # Marks that stand on one another are drawn once: of thousands in a row none is seen by itself.
    crowded = len(row.marks) > _CROWD
    places: dict[tuple[str, float], float] = {}
    for place, shape in timeline.places(row):
        x = _x_of(place)
        places.setdefault((shape, x // _GRAIN if crowded else x), x)
    return parts + [_mark(shape, x, y) for (shape, _), x in places.items()]


def _mark(shape: str, x: float, y: float) -> str:
    if shape == "copy":
        return f'<circle class="tl-copy" fill="currentColor" cx="{x}" cy="{y}" r="5"/>'
    if shape == "late":
        return (
            f'<circle class="tl-late" cx="{x}" cy="{y}" r="4.5" fill="none" stroke="currentColor" stroke-width="1.5"/>'
        )
    if shape == "item":
        return f'<path class="tl-item" fill="currentColor" d="M{x} {y - 6}l6 11h-12z"/>'
    return f'<path class="tl-exposure" fill="currentColor" d="M{x} {y - 6}l6 6l-6 6l-6 -6z"/>'


def _publication(timeline: Timeline, bottom: int) -> list[str]:
    if timeline.published_at is None:
        return []
    x = _x(timeline, timeline.published_at)
    told = f"published, as told: {utc(timeline.published_at)} UTC"
    if timeline.uncertainty:
        told += f", give or take {duration(int(timeline.uncertainty.total_seconds()))}"
    anchor = "start" if x < _LEFT + _SPAN / 4 else "end" if x > _LEFT + _SPAN * 3 / 4 else "middle"
    return [
        *_doubt(timeline, timeline.published_at, bottom),
        (
            f'<path class="tl-published" d="M{x} 30V{bottom}" stroke="currentColor" stroke-width="2" '
            'stroke-dasharray="5 3" fill="none"/>'
        ),
        f'<text x="{x}" y="22" text-anchor="{anchor}">{told}</text>',
    ]


def _doubt(timeline: Timeline, published_at: datetime, bottom: int) -> list[str]:
    """Draw between which moments the publication was: a bracket, so that it stands out without colour."""
    if not timeline.uncertainty:
        return []
    first, last = (_x(timeline, published_at + sign * timeline.uncertainty) for sign in (-1, 1))
    first = max(first, float(_LEFT))
    return [
        (
            f'<path class="tl-doubt" d="M{first} {bottom}V34H{last}V{bottom}" stroke="currentColor" stroke-width="1" '
            'stroke-dasharray="2 4" fill="none"/>'
        )
    ]


def _legend(timeline: Timeline, y: int) -> list[str]:
    entries = [
        (_LEFT, y, "copy", "copy served"),
        (_LEFT + 120, y, "late", "served after publication"),
        (_LEFT + 310, y, "exposure", "source exposure (left of axis: earlier)"),
    ]
    if timeline.has_items:
        entries.append(
            (_LEFT, y + _LEGEND_LINE, "item", "item first seen, as told; the dashed line is the first one's")
        )
    return [
        part
        for x, y, shape, text in entries
        for part in (_mark(shape, x, y), f'<text x="{x + 12}" y="{y + 4}" font-size="11">{text}</text>')
    ]


def timeline_lines(timeline: Timeline) -> list[str]:
    """Draw the timeline in text; the last lines explain the signs."""
    label_width = max(len(row.label) for row in timeline.rows)
    width = TEXT_COLUMNS - label_width - 6
    lines = []
    for row in timeline.rows:
        cells = ["."] * width
        if timeline.published_at is not None:
            cells[_cell(timeline.place(timeline.published_at), width)] = "|"
        places = timeline.places(row)
        for place, shape in places:
            if place >= 0:
                cells[_cell(place, width)] = _SIGNS[shape]
        earlier = "<" if any(place < 0 for place, _ in places) else " "
        lines.append(f"  {row.label:<{label_width}} {earlier} {''.join(cells)}")
    start, end = utc(timeline.start), utc(timeline.end)
    lines.append(" " * (label_width + 5) + start + end.rjust(width - len(start)))
    lines.append("  * copy served   o served after publication   x source exposure")
    lines.append("  < exposure before the first copy   | published, as told")
    if timeline.has_items:
        lines.append("  ^ item first seen, as told")
    return lines


def _cell(place: float, width: int) -> int:
    return min(width - 1, int(place * width))
