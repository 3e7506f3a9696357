"""The items that a trace was asked about, and what was seen later, as blocks of a report."""

from __future__ import annotations

from registry.leaktrace import wording
from registry.leaktrace.copies import FoundValue
from registry.leaktrace.evidence_items import EvidenceItem, item_of, items_with
from registry.leaktrace.report_model import TraceReport, label_ranges
from registry.leaktrace.wording_documents import parts_not_read
from registry.reports.blocks import Block, Facts, Paragraph, Table, TableGroup
from registry.reports.long_tables import MOST_RUNS, listed
from registry.reports.plain import duration, places, utc, visible


def items_blocks(report: TraceReport) -> tuple[Block, ...]:
    """Return the table of items and their hashes; nothing where the trace is about one text."""
    items = report.question.items
    if not items:
        return ()
    columns = (
        "Item",
        "First seen (UTC), as told",
        "Where, as told",
        "Code points",
        "Counts here",
        "Again here",
        "Entry",
    )
    rows = tuple(_row(report, item) for item in items)
    hashes = tuple((f"Item {one.number}", _hashes(one)) for one in items)
    return (
        Paragraph(wording.ITEMS_NOTE),
        Table("Items, by first-seen time", columns, (TableGroup("", rows),), (6, 20, 20, 9, 10, 10, 7)),
        Facts(hashes),
    )


def sightings_blocks(report: TraceReport) -> tuple[Block, ...]:
    """Return what was added to the case after it was judged."""
    if not report.sightings:
        return ()
    rows = tuple((utc(one.at), visible(one.said)) for one in report.sightings)
    table = Table("Later sightings", ("Added (UTC)", "What followed"), (TableGroup("", rows),), (18, 62))
    return Paragraph(wording.SIGHTINGS_NOTE), table


def places_in(report: TraceReport, found: FoundValue) -> str:
    """Return where a value stands; with several items, where in which."""
    items = report.question.items
    if not items:
        return listed(places([span]) for span in found.spans)
    starts = {one.number: one.start for one in items}
    told = []
    for start, end in found.spans:
        number = item_of(items, start)
        told.append(f"item {number}: {start - starts[number]} to {end - starts[number]}")
    return listed(told)


def _row(report: TraceReport, item: EvidenceItem) -> tuple[str, ...]:
    found = [one for person in report.people for one in person.findings]
    here = [one.label for one in found if one.found.seen and one.found.seen.item == item.number]
    again = [
        one.label
        for one in found
        if one.label not in here and item.number in items_with(report.question.items, one.found.spans)
    ]
    where = ", ".join(filter(None, (visible(item.source), visible(item.url)))) or "not told"
    return (
        f"{item.number}{', added later' if item.is_later else ''}",
        _first_seen(item),
        where,
        str(item.text_length),
        label_ranges(here, MOST_RUNS) or "none",
        label_ranges(again, MOST_RUNS) or "none",
        "none" if item.entry is None else str(item.entry),
    )


def _first_seen(item: EvidenceItem) -> str:
    if item.published_at is None:
        return "not stated"
    doubt = f", give or take {duration(item.uncertainty_seconds)}" if item.uncertainty_seconds else ""
    return f"{utc(item.published_at)}{doubt}"


def _hashes(item: EvidenceItem) -> str:
    file = f"; of its file: {item.file_sha256}" if item.file_sha256 else ""
    unread = f"; not read: {parts_not_read(item.not_read)}" if item.not_read else ""
    return f"SHA-256 over the nonce and the text: {item.text_sha256}{file}{unread}"
