"""Lay a report out: what every form of it shows, in one order, with the same words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from registry.leaktrace import wording
from registry.leaktrace.copies import INTERNAL_OPEN, AccountCopies, CopyFacts, LabelledFinding
from registry.leaktrace.report_model import ExposureLine, TraceReport, label_ranges
from registry.leaktrace.report_shapes import TierLabel, not_held
from registry.leaktrace.wording_documents import parts_not_read
from registry.reports.blocks import Block, Bullets, Document, Drawing, Facts, Paragraph, Section, Table, TableGroup
from registry.reports.coverage_blocks import coverage_blocks
from registry.reports.items_blocks import items_blocks, places_in, sightings_blocks
from registry.reports.long_tables import APART_FIRST, MOST_RUNS, LongTable, listed, set_apart, shown
from registry.reports.marks_blocks import marks_blocks
from registry.reports.plain import duration, relative, utc, visible, whole
from registry.reports.timeline import TITLE, describe, timeline_lines, timeline_of, timeline_svg

_PUBLISHED = "text published, as told"
_ASKED_FROM = frozenset({TierLabel.STRONG, TierLabel.ATTRIBUTED})


def lay_out(report: TraceReport) -> Document:
    """Lay out a report."""
    return Document(
        title="Trace report",
        trace=visible(report.question.trace),
        made_at=report.question.asked_at,
        gaps=tuple(visible(gap) for gap in report.gaps),
        first_line=report.first_line,
        tier=report.tier.label.value,
        tier_wording=report.tier.wording,
        sections=tuple(section for section in _sections(report) if section.blocks),
    )


def _sections(report: TraceReport) -> Iterable[Section]:
    yield Section("result", "Result", _result(report))
    yield Section("replies", "What the other side says", _replies(report))
    yield Section("sightings", "What was seen later", sightings_blocks(report))
    yield Section("must-not", "What must not be concluded", (Bullets(report.must_not),))
    yield Section("question", "What was asked", (_question(report),))
    yield Section("items", "The items of this case", items_blocks(report))
    yield Section("found", "Values found in the text", _found(report))
    yield Section("coverage", "What the dump covers", coverage_blocks(report.coverage))
    yield Section("timeline", "Timeline", _timeline(report))
    yield Section("accounts", f"Copies served {_until(report)}", _accounts(report))
    yield Section("marks", "What the writing says of each copy", marks_blocks(report))
    yield Section("codes", "Receipt codes in the text", _codes(report))
    yield Section("same", "Accounts that their values do not tell apart", _same(report))
    yield Section("after", "Copies served after publication", _after(report))
    yield Section("own", "Subjects' own views", _own(report))
    yield Section("exposures", "Source exposures", _exposures(report))
    yield Section("outside", "Not from here", _outside(report))
    yield Section("unknown", "What is not known", (Bullets(report.unknown),))
    yield Section("change", "What would change the result", (Bullets(report.would_change),))
    yield Section("ledger", "State of the ledger", _ledger(report))


def _until(report: TraceReport) -> str:
    return "up to this trace" if report.question.published_at is None else "before publication"


def _result(report: TraceReport) -> tuple[Block, ...]:
    return (
        *(Paragraph(sentence) for sentence in report.summary),
        Paragraph(f"Why the tier is {report.tier.label.value}:"),
        Bullets(report.tier.reasons),
    )


def _replies(report: TraceReport) -> tuple[Block, ...]:
    if report.replies:
        rows = tuple((wording.replied_by(one.by, one.account), utc(one.at), whole(one.text)) for one in report.replies)
        table = Table(
            "Replies, in the words of who gave them",
            ("From", "Recorded (UTC)", "Reply"),
            (TableGroup("", rows),),
            (12, 16, 52),
        )
        return (Paragraph(wording.REPLIES_NOTE), table)
    return (Paragraph(wording.NO_REPLY),) if report.tier.label in _ASKED_FROM else ()


def _question(report: TraceReport) -> Facts:
    asked = report.question
    published = "not stated" if asked.published_at is None else f"{utc(asked.published_at)} UTC"
    if asked.uncertainty_seconds:
        published += f", give or take {duration(asked.uncertainty_seconds)}"
    source = visible(asked.source) or "not told"
    if len(asked.items) > 1:
        published, source = f"{published} (the first of {len(asked.items)} items)", f"{source} (of the first item)"
    rows = [
        ("Trace", visible(asked.trace)),
        ("Asked", f"{utc(asked.asked_at)} UTC"),
        ("First publication, as told", published),
        ("Source, as told", source),
        ("Length of the text", wording.many(asked.text_length, "code point")),
        ("SHA-256 over a nonce and the text", visible(asked.text_sha256)),
        ("Engine", visible(asked.engine)),
    ]
    if asked.not_read:
        rows.append(("Not read", parts_not_read(asked.not_read)))
    if asked.entry is not None:
        rows.append(("Entry of this trace", str(asked.entry)))
    if asked.continues is not None:
        rows.append(("Continues the case of trace", visible(asked.continues)))
    return Facts(tuple(rows))


def _found(report: TraceReport) -> tuple[Block, ...]:
    if not report.people:
        return (Paragraph("None."),)
    columns = ("Label", "Person", "Kind of value", "Belongs to", "Places in the text", "Match confidence", "Reason")
    caption = "Protected values that occur in the text, by employee number"
    findings = [(person.employee_number, item) for person in report.people for item in person.findings]
    table = LongTable(
        caption, columns, (6, 10, 15, 9, 13, 11, 16), [("", findings)], lambda one: _found_row(report, *one)
    )
    return (
        *shown(table),
        Paragraph(wording.PLACES_NOTE),
        Paragraph(wording.CONFIDENCE_NOTE),
    )


def _found_row(report: TraceReport, employee_number: str, item: LabelledFinding) -> tuple[str, ...]:
    return (
        item.label,
        visible(employee_number),
        visible(wording.kind_words(item.found.kind)),
        "subject" if item.found.member is None else visible(f"household member {item.found.member}"),
        places_in(report, item.found),
        f"{item.found.confidence:.2f}",
        visible(item.found.reason),
    )


def _timeline(report: TraceReport) -> tuple[Block, ...]:
    timeline = timeline_of(report)
    if timeline is None:
        return ()
    drawing = Drawing("timeline", TITLE, describe(timeline), timeline_svg(timeline), tuple(timeline_lines(timeline)))
    left_out = f"{wording.many(timeline.left_out, 'more row')} of the drawing: in the table only."
    rest = (Paragraph(left_out),) if timeline.left_out else ()
    return (drawing, *rest, *_events_table(report))


# When, whether no entry says so, which entry, what, whose; sorted by these. A plain tuple: there may be a million.
_Event = tuple[datetime, bool, int, str, str]


def _events_table(report: TraceReport) -> tuple[Block, ...]:
    """Lay out every event; of very many those nearest to publication, and of accounts that are set apart."""
    published, apart, events = report.question.published_at, set_apart(report), _events(report)
    middle = next((place for place, event in enumerate(events) if event[3] == _PUBLISHED), 0)
    table = LongTable(
        "The timeline as a table: every event in order of time",
        ("Time (UTC)", "Event", "Account", "Entry", "To publication"),
        (20, 22, 13, 9, 16),
        [("", events)],
        lambda event: _event_row(event, published),
    )
    nearest = "those nearest to publication" if middle else "the first"
    order = f"copies of accounts that this report sets apart, then {nearest}"
    return shown(table, order, lambda _, event, place: 0 if event[4] in apart else 1 + abs(place - middle))


def _events(report: TraceReport) -> list[_Event]:
    published = report.question.published_at
    kinds = {kind: visible(kind) for kind in {line.kind for line in report.exposures}}
    events: list[_Event] = [
        (copy.served_at, False, copy.entry, "copy served", account.label)
        for groups in (report.accounts, report.own_views, report.after_publication)
        for account in groups
        for copy in account.copies
    ]
    events += [
        (line.at, line.entry is None, line.entry or 0, kinds[line.kind], line.account or "none")
        for line in report.exposures
    ]
    for item in report.question.items[1:]:
        if item.published_at is not None:
            events.append((item.published_at, True, 0, f"item {item.number} first seen, as told", "none"))
    if published is not None:
        events.append((published, True, 0, _PUBLISHED, "none"))
    return sorted(events)


def _event_row(event: _Event, published: datetime | None) -> tuple[str, ...]:
    at, has_no_entry, entry, kind, account = event
    to_publication = "publication" if kind == _PUBLISHED else _to_publication(at, published)
    return (utc(at), kind, account, "none" if has_no_entry else str(entry), to_publication)


def _to_publication(at: datetime, published: datetime | None) -> str:
    return relative(None if published is None else int((published - at).total_seconds()))


def _accounts(report: TraceReport) -> tuple[Block, ...]:
    if not report.accounts:
        return ()
    labels = report.labels()
    columns = ("Account", "Held", "Held values", "Not held", "Copies", "First (UTC)", "Nearest copy", "Also")
    caption = f"Accounts that were served a found value {_until(report)}, by first serving"
    table = LongTable(
        caption,
        columns,
        (9, 7, 10, 10, 7, 16, 18, 11),
        [("", report.accounts)],
        lambda account: _account_row(account, labels),
    )
    apart = set_apart(report)
    return (
        Paragraph(wording.NOT_RANKED),
        Paragraph(wording.LABELS_NOTE),
        *shown(table, APART_FIRST, lambda _, account, __: account.label not in apart),
        *_copies(report, report.accounts, f"Every copy served {_until(report)}, by account"),
    )


def _account_row(account: AccountCopies, labels: Sequence[str]) -> tuple[str, ...]:
    return (
        account.label,
        f"{len(account.held)} of {len(labels)}",
        label_ranges(account.held, MOST_RUNS),
        label_ranges(not_held(labels, account), MOST_RUNS) or "none",
        str(len(account.copies)),
        utc(account.copies[0].served_at),
        _nearest(account),
        ", ".join(visible(kind) for kind in account.also) or "none",
    )


def _codes(report: TraceReport) -> tuple[Block, ...]:
    codes = report.codes
    if codes is None:
        return ()
    rows = tuple((code, str(entry), label) for code, entry, label in codes.matches)
    facts = (
        ("In the form of a code", str(codes.seen)),
        ("Copies compared", str(codes.compared)),
        ("Chance of an accident", f"at most {codes.chance:.1e}"),
    )
    table = Table("Codes of served copies", ("Code", "Entry", "Account"), (TableGroup("", rows),), (14, 10, 14))
    return Paragraph(wording.CODES_NOTE), table, Facts(facts)


def _nearest(account: AccountCopies) -> str:
    """Say how near to publication a copy was served; with several items to that of the item it is compared with."""
    known = [copy.seconds_before for copy in account.copies if copy.seconds_before is not None]
    return relative(min(known, key=abs, default=None))


def _copies(report: TraceReport, accounts: tuple[AccountCopies, ...], caption: str) -> tuple[Block, ...]:
    columns = ("Entry", "Served (UTC)", "To publication", "Person", "Held values", "Purpose", "Copy")
    groups = [(account.label, account.copies) for account in accounts]
    table, apart = LongTable(caption, columns, (6, 17, 18, 10, 10, 22, 13), groups, _copy_row), set_apart(report)
    return shown(table, APART_FIRST, lambda account, _, __: account not in apart)


def _copy_row(copy: CopyFacts) -> tuple[str, ...]:
    others = f", and {wording.many(copy.other_records, 'other record')}" if copy.other_records else ""
    return (
        str(copy.entry),
        utc(copy.served_at),
        f"{relative(copy.seconds_before)}{', in doubt' if copy.in_doubt else ''}",
        visible(copy.employee_number),
        label_ranges(copy.held, MOST_RUNS) + others,
        f"{visible(copy.purpose).replace('_', ' ')}, {'case stated' if copy.case_given else 'no case'}",
        f"{visible(copy.form).replace('_', ' ')}, {visible(copy.via)}",
    )


def _same(report: TraceReport) -> tuple[Block, ...]:
    if not report.not_distinguished:
        return ()
    table = LongTable(
        "Accounts by the found values that their copies held",
        ("Held values", "Accounts", "Which"),
        (20, 10, 50),
        [("", report.not_distinguished)],
        lambda part: (label_ranges(part.held, MOST_RUNS), str(len(part.accounts)), listed(part.accounts)),
    )
    return (*shown(table), Paragraph(wording.SAME_NOTE))


def _after(report: TraceReport) -> tuple[Block, ...]:
    if not report.after_publication:
        return ()
    return (
        Paragraph("If the stated time of publication is right, these copies came too late to be possible sources."),
        *_copies(report, report.after_publication, "Copies served after publication, by account"),
    )


def _own(report: TraceReport) -> tuple[Block, ...]:
    if not report.own_views:
        return ()
    return (
        Paragraph(
            "Copies that subjects were shown of their own records. They count with the subject and the household."
        ),
        *_copies(report, report.own_views, "Subjects' own views, by account"),
    )


def _exposures(report: TraceReport) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if report.people:
        blocks.append(Paragraph(wording.EXPOSURES_NOTE))
    if report.exposures:
        blocks += _exposure_table(
            report, report.exposures, "Who or what held the values without a served copy, by time"
        )
    elif report.people:
        blocks.append(Paragraph("None is known to the ledger."))
    if report.internal_opens:
        blocks.append(Paragraph(wording.INTERNAL_OPENS_NOTE))
        blocks += _exposure_table(report, report.internal_opens, "Internal opens, by time")
    return tuple(blocks)


def _exposure_table(report: TraceReport, lines: tuple[ExposureLine, ...], caption: str) -> tuple[Block, ...]:
    columns = ("Exposure", "Time (UTC)", "Account", "Entry", "Person", "Note")
    table, apart = LongTable(caption, columns, (18, 17, 11, 7, 12, 20), [("", lines)], _exposure_row), set_apart(report)
    return shown(table, APART_FIRST, lambda _, line, __: line.account not in apart)


def _exposure_row(line: ExposureLine) -> tuple[str, ...]:
    return (
        visible(line.kind),
        utc(line.at),
        line.account or "none",
        "none" if line.entry is None else str(line.entry),
        visible(line.employee_number),
        _exposure_note(line),
    )


def _exposure_note(line: ExposureLine) -> str:
    note = visible(line.note)
    if line.after_publication and line.kind != INTERNAL_OPEN:
        return f"{note}; after publication, not a possible source" if note else "after publication"
    return note or "none"


def _outside(report: TraceReport) -> tuple[Block, ...]:
    if not report.outside:
        return (Paragraph(report.not_from_here),)
    rows = tuple(
        (visible(wording.kind_words(field.kind)), f"{field.obtainable:.2f}", visible(field.where))
        for field in report.outside
    )
    caption = "Assumed, not measured: how obtainable each found kind of value is outside"
    return (
        Paragraph(report.not_from_here),
        Table(caption, ("Kind of value", "Obtainable", "Usually found in"), (TableGroup("", rows),), (22, 12, 46)),
        Paragraph(wording.OUTSIDE_ASSUMPTION),
    )


def _ledger(report: TraceReport) -> tuple[Block, ...]:
    ledger = report.ledger
    gaps = "none" if not ledger.chain_gaps else str(len(ledger.chain_gaps))
    rows = (
        ("Origin", visible(ledger.origin)),
        ("Entries", str(ledger.size)),
        ("Root hash", visible(ledger.root_hex)),
        ("Persons whose counters were checked", str(ledger.subjects_checked)),
        ("Gaps found", gaps),
    )
    return (Facts(rows), Paragraph("All times in this report are UTC."))
