"""The report as a document of few kinds of blocks, which every renderer knows how to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and their values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TableGroup:
    """Rows under one heading; without a heading when there is only one group. The first cell heads its row."""

    heading: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption and column heads. ``shares`` are the columns' widths, any unit."""

    caption: str
    columns: tuple[str, ...]
    groups: tuple[TableGroup, ...]
    shares: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing. A table that says the same follows it.

    Attributes:
        name: of the drawing, its own in a document; letters only.
        title: what it is.
        told: what it shows, in words.
        svg: one element, ours: every text in it is escaped.
        lines: the drawing for a terminal; none where the table does as well.
    """

    name: str
    title: str
    told: str
    svg: str
    lines: tuple[str, ...] = ()


Block = Paragraph | Bullets | Facts | Table | Drawing


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its blocks. ``anchor`` names it within the page."""

    anchor: str
    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report, ready to be shown.

    Attributes:
        title: also the document's title property.
        trace: the trace's id.
        made_at: the time of the trace; the only date in the document's metadata.
        gaps: printed before everything else; usually empty.
        first_line: printed next, set off.
        tier, tier_wording: the result.
        sections: the rest, in order.
    """

    title: str
    trace: str
    made_at: datetime
    gaps: tuple[str, ...]
    first_line: str
    tier: str
    tier_wording: str
    sections: tuple[Section, ...]
