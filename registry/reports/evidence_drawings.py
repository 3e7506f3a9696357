"""Two drawings of what marks say: the bound of each copy beside the places read, and what remains for each source.

Meaning is carried by shape, place and words, never by colour. The tables beside them say the same in numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10
from xml.sax.saxutils import escape

from registry.attribution.decision import LEAD_BOUND, STRONG_BOUND, TOP_BOUND
from registry.leaktrace import wording
from registry.leaktrace.marked_copies import LabelledEvidence
from registry.leaktrace.report_shapes import MarksReport
from registry.reports.svg import AXIS, FAINT, opened

COPIES_TITLE = "Places read beside places served, and the bound of each copy"
CURVE_TITLE = "What remains for the outside and for each copy"
MOST_COPIES = 40  # a taller drawing helps nobody; the table has every copy
MOST_LINES = 5  # of a curve, beside the outside
_MOST_SQUARES = 16  # places of a copy that are drawn one by one
_LEFT, _RIGHT, _TOP, _ROW = 132, 712, 40, 24
_AXIS = 390  # x where the axis of bounds begins, right of the squares
_DECADES = 7  # the axis goes from a bound of 1 to one of 1e-7
_BOUNDS = ((LEAD_BOUND, "lead"), (STRONG_BOUND, "strong"), (TOP_BOUND, "attributed"))
_DASHES = ("8 4", "2 3", "12 3 2 3", "5 5", "1 5")
_HEIGHT, _BOTTOM = 280, 232
_LABEL_GAP = 15.0


def describe_copies(copies: Sequence[LabelledEvidence]) -> str:
    """Say in words what the drawing of copies shows."""
    told = "; ".join(
        f"{one.label}: {one.evidence.agreeing} of {one.evidence.slots} places as served, bound {one.evidence.bound:.2g}"
        for one in copies[:MOST_COPIES]
    )
    more = len(copies) - MOST_COPIES
    rest = f" {wording.many(more, 'more copy', 'more copies')} in the table only." if more > 0 else ""
    return f"Places read and bounds. {told}.{rest} The table that follows has the numbers."


def copies_svg(copies: Sequence[LabelledEvidence]) -> str:
    """Draw each copy's places, served and read alike or not, and its bound on an axis of powers of ten."""
    shown = copies[:MOST_COPIES]
    bottom = _TOP + _ROW * len(shown)
    parts = [
        *opened("copies", COPIES_TITLE, describe_copies(copies), bottom + 40),
        f'<text x="{_LEFT}" y="20" font-size="11">places: filled as served, hollow otherwise</text>',
        *_bound_axis(bottom),
    ]
    for number, one in enumerate(shown):
        parts += _copy_row(one, _TOP + _ROW * (number + 0.5))
    return "\n".join([*parts, "</svg>"])


def _bound_axis(bottom: int) -> Iterator[str]:
    yield f'<text x="{_RIGHT}" y="{bottom + 34}" font-size="11" text-anchor="end">bound: smaller is rarer</text>'
    yield f'<path d="M{_AXIS} {bottom}H{_RIGHT}" stroke="{AXIS}" stroke-width="1"/>'
    for power in range(_DECADES + 1):
        label = "1" if power == 0 else f"1e-{power}"
        x = _bound_x(10.0**-power)
        yield f'<path d="M{x} {bottom}V{bottom + 4}" stroke="{AXIS}" stroke-width="1"/>'
        yield f'<text x="{x}" y="{bottom + 17}" font-size="11" text-anchor="middle">{label}</text>'
    for bound, name in _BOUNDS:
        x = _bound_x(bound)
        yield f'<path d="M{x} {_TOP - 8}V{bottom}" stroke="{AXIS}" stroke-width="1" stroke-dasharray="4 3"/>'
        yield f'<text x="{x}" y="{_TOP - 14}" font-size="11" text-anchor="middle">{name}</text>'


def _bound_x(bound: float) -> float:
    power = min(float(_DECADES), -log10(min(1.0, max(bound, 10.0**-_DECADES))))
    return round(_AXIS + power / _DECADES * (_RIGHT - _AXIS), 1)


def _copy_row(one: LabelledEvidence, y: float) -> Iterator[str]:
    evidence = one.evidence
    yield f'<text x="6" y="{y + 4}">{escape(one.label)}</text>'
    drawn = min(evidence.slots, _MOST_SQUARES)
    # Of more places than there is room for, the share is drawn.
    filled = evidence.agreeing if drawn == evidence.slots else round(drawn * evidence.agreeing / evidence.slots)
    for place in range(drawn):
        fill = "currentColor" if place < filled else "none"
        x = _LEFT + 11 * place
        yield f'<rect x="{x}" y="{y - 4}" width="8" height="8" fill="{fill}" stroke="{AXIS}" stroke-width="1"/>'
    x = _LEFT + 11 * drawn + 6
    yield f'<text x="{x}" y="{y + 4}" font-size="11">{evidence.agreeing} of {evidence.slots}</text>'
    yield f'<path d="M{_AXIS} {y}H{_RIGHT}" stroke="{FAINT}" stroke-width="0.5"/>'
    yield f'<circle class="tl-copy" fill="currentColor" cx="{_bound_x(evidence.bound)}" cy="{y}" r="5"/>'


def describe_curve(marks: MarksReport) -> str:
    """Say in words what the drawing of the curve shows."""
    first, last = marks.curve[0], marks.curve[-1]
    return (
        f"What remains for the outside grows from {first[1]:.2g} when {first[0]:g} was assumed beforehand to "
        f"{last[1]:.2g} when {last[0]:g} was; what remains for copies falls with it. The table that follows has the "
        "numbers."
    )


def curve_svg(marks: MarksReport) -> str:
    """Draw what remains for the outside and for the first copies over the chance of an outside source beforehand."""
    lines = [("Outside", [outside for _, outside, _ in marks.curve], "")]
    for number, line in enumerate(marks.copies[:MOST_LINES]):
        shares = [dict(accounts).get(line.label, 0.0) for _, _, accounts in marks.curve]
        lines.append((line.label, shares, _DASHES[number]))
    parts = [
        *opened("curve", CURVE_TITLE, describe_curve(marks), _HEIGHT),
        '<text x="6" y="20" font-size="11">what remains (0 to 1)</text>',
        (
            f'<text x="{_curve_x(len(marks.curve) - 1, marks)}" y="{_BOTTOM + 36}" font-size="11" text-anchor="end">'
            "chance of an outside source beforehand, an assumption</text>"
        ),
        *_curve_axes(marks),
    ]
    ends = _apart([shares[-1] for _, shares, _ in lines])
    for (name, shares, dash), end in zip(lines, ends, strict=True):
        parts += _curve_line(marks, name, (shares, dash, end))
    return "\n".join([*parts, "</svg>"])


def _curve_axes(marks: MarksReport) -> Iterator[str]:
    right = _curve_x(len(marks.curve) - 1, marks)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _share_y(share)
        yield f'<path d="M60 {y}H{right}" stroke="{FAINT}" stroke-width="0.5"/>'
        yield f'<text x="52" y="{y + 4}" font-size="11" text-anchor="end">{share:g}</text>'
    for number, (prior, _, _) in enumerate(marks.curve):
        x = _curve_x(number, marks)
        yield f'<path d="M{x} {_BOTTOM}V{_BOTTOM + 4}" stroke="{AXIS}" stroke-width="1"/>'
        yield f'<text x="{x}" y="{_BOTTOM + 18}" font-size="11" text-anchor="middle">{prior:g}</text>'


def _curve_x(number: int, marks: MarksReport) -> float:
    """Stand the assumptions one beside another: their distances say nothing."""
    return round(80 + number * 520 / max(1, len(marks.curve) - 1), 1)


def _share_y(share: float) -> float:
    return round(_BOTTOM - 200 * share, 1)


def _curve_line(marks: MarksReport, name: str, drawn: tuple[Sequence[float], str, float]) -> Iterator[str]:
    shares, dash, end = drawn
    places = [(_curve_x(number, marks), _share_y(share)) for number, share in enumerate(shares)]
    path = "L".join(f"{x} {y}" for x, y in places)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    yield f'<path d="M{path}" stroke="currentColor" stroke-width="1.8" fill="none"{dashed}/>'
    for x, y in places:
        yield f'<circle class="tl-copy" fill="currentColor" cx="{x}" cy="{y}" r="3"/>'
    yield f'<text x="{places[-1][0] + 10}" y="{end + 4}" font-size="12">{escape(name)}</text>'


def _apart(shares: Sequence[float]) -> list[float]:
    """Return where the names at the ends of lines stand, so that none lies on another."""
    places = [_share_y(share) for share in shares]
    order = sorted(range(len(places)), key=lambda number: -places[number])  # from the bottom up
    highest = _HEIGHT - 26.0
    for number in order:
        places[number] = min(places[number], highest)
        highest = places[number] - _LABEL_GAP
    return places
