"""Lay a report out: what every form of it shows, in one order, with the same words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from registry.leaktrace import wording, wording_canaries, wording_pairs
from registry.leaktrace.copies import INTERNAL_OPEN, AccountCopies, CopyFacts
from registry.leaktrace.report_model import ExposureLine, TraceReport, label_ranges
from registry.leaktrace.report_shapes import FlagBudget, MarksReport, TierLabel
from registry.reports.blocks import Block, Bullets, Document, Drawing, Facts, Paragraph, Section, Table, TableGroup
from registry.reports.coverage_blocks import coverage_blocks
from registry.reports.evidence_drawings import (
    COPIES_TITLE,
    CURVE_TITLE,
    copies_svg,
    curve_svg,
    describe_copies,
    describe_curve,
)
from registry.reports.items_blocks import items_blocks, places_in, sightings_blocks
from registry.reports.plain import duration, relative, utc, visible, whole
from registry.reports.timeline import TITLE, describe, timeline_lines, timeline_of, timeline_svg

_PUBLISHED = "text published, as told"
# Accounts in the table of posteriors; all of them are in the JSON.
_CURVE_COLUMNS = 5
_NEARLY_ALL = 0.99
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
    yield Section("marks", "What the writing says of each copy", _marks(report))
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
    if asked.entry is not None:
        rows.append(("Entry of this trace", str(asked.entry)))
    if asked.continues is not None:
        rows.append(("Continues the case of trace", visible(asked.continues)))
    return Facts(tuple(rows))


def _found(report: TraceReport) -> tuple[Block, ...]:
    if not report.people:
        return (Paragraph("None."),)
    rows = tuple(
        (
            item.label,
            visible(person.employee_number),
            visible(wording.kind_words(item.found.kind)),
            "subject" if item.found.member is None else visible(f"household member {item.found.member}"),
            places_in(report, item.found),
            f"{item.found.confidence:.2f}",
            visible(item.found.reason),
        )
        for person in report.people
        for item in person.findings
    )
    columns = ("Label", "Person", "Kind of value", "Belongs to", "Places in the text", "Match confidence", "Reason")
    caption = "Protected values that occur in the text, by employee number"
    return (
        Table(caption, columns, (TableGroup("", rows),), (6, 10, 15, 9, 13, 11, 16)),
        Paragraph(wording.PLACES_NOTE),
        Paragraph(wording.CONFIDENCE_NOTE),
    )


def _timeline(report: TraceReport) -> tuple[Block, ...]:
    timeline = timeline_of(report)
    if timeline is None:
        return ()
    columns = ("Time (UTC)", "Event", "Account", "Entry", "To publication")
    caption = "The timeline as a table: every event in order of time"
    table = Table(caption, columns, (TableGroup("", _events(report)),), (20, 22, 13, 9, 16))
    drawing = Drawing("timeline", TITLE, describe(timeline), timeline_svg(timeline), tuple(timeline_lines(timeline)))
    if not timeline.left_out:
        return (drawing, table)
    rest = Paragraph(f"{wording.many(timeline.left_out, 'more row')} of the drawing: in the table only.")
    return (drawing, rest, table)


def _events(report: TraceReport) -> tuple[tuple[str, ...], ...]:
    published = report.question.published_at
    events: list[tuple[datetime, str, str, str]] = []
    for groups in (report.accounts, report.own_views, report.after_publication):
        events += [
            (copy.served_at, "copy served", account.label, str(copy.entry))
            for account in groups
            for copy in account.copies
        ]
    events += [
        (line.at, visible(line.kind), line.account or "none", "none" if line.entry is None else str(line.entry))
        for line in report.exposures
    ]
    for item in report.question.items[1:]:
        if item.published_at is not None:
            events.append((item.published_at, f"item {item.number} first seen, as told", "none", "none"))
    if published is not None:
        events.append((published, _PUBLISHED, "none", "none"))
    return tuple(
        (utc(at), what, account, entry, "publication" if what == _PUBLISHED else _to_publication(at, published))
        for at, what, account, entry in sorted(events, key=lambda event: (event[0], event[3].zfill(20), event[1]))
    )


def _to_publication(at: datetime, published: datetime | None) -> str:
    return relative(None if published is None else int((published - at).total_seconds()))


def _accounts(report: TraceReport) -> tuple[Block, ...]:
    if not report.accounts:
        return ()
    total = sum(len(person.findings) for person in report.people)
    rows = tuple(
        (
            account.label,
            f"{len(account.held)} of {total}",
            label_ranges(account.held),
            label_ranges(account.not_held) or "none",
            str(len(account.copies)),
            utc(account.copies[0].served_at),
            _nearest(account),
            ", ".join(visible(kind) for kind in account.also) or "none",
        )
        for account in report.accounts
    )
    columns = ("Account", "Held", "Held values", "Not held", "Copies", "First (UTC)", "Nearest copy", "Also")
    caption = f"Accounts that were served a found value {_until(report)}, by first serving"
    return (
        Paragraph(wording.NOT_RANKED),
        Paragraph(wording.LABELS_NOTE),
        Table(caption, columns, (TableGroup("", rows),), (9, 7, 10, 10, 7, 16, 18, 11)),
        _copies(report.accounts, f"Every copy served {_until(report)}, by account"),
    )


def _marks(report: TraceReport) -> tuple[Block, ...]:
    marks = report.marks
    if marks is None:
        return ()
    rows = tuple(
        (
            line.label,
            line.evidence.tier,
            f"{line.evidence.bound:.2g}",
            f"{line.evidence.e:.3g}",
            f"{line.evidence.p:.2g}",
            f"{line.evidence.weight:.2g}",
            f"{line.evidence.agreeing} of {line.evidence.slots}",
        )
        for line in marks.copies
    )
    columns = ("Account", "Tier", "Bound", "E-value", "Chance by the draw", "Weight", "Places that agree")
    labels = tuple(line.label for line in marks.copies)[:_CURVE_COLUMNS]
    shares = tuple(
        (f"{prior:g}", _share(outside), *(_share(part) for _, part in accounts[:_CURVE_COLUMNS]))
        for prior, outside, accounts in marks.curve
    )
    facts = (
        ("SHA-256 of the reading", marks.reading),
        ("Entry that fixed it", str(marks.entry)),
        ("Seed of the tests", str(marks.seed)),
        *_budget(report.budget),
    )
    copies = "Marked copies beside the writing of the text"
    drawn = (
        (Drawing("copies", COPIES_TITLE, describe_copies(marks.copies), copies_svg(marks.copies)),)
        if marks.copies
        else ()
    )
    curve = (Drawing("curve", CURVE_TITLE, describe_curve(marks), curve_svg(marks)),) if marks.curve else ()
    caption = "What remains for the outside and for each copy, by the chance of an outside source beforehand"
    return (
        Paragraph(wording.MARKS_NOTE),
        *drawn,
        Table(copies, columns, (TableGroup("", rows),), (12, 14, 10, 12, 16, 10, 16)),
        *_forgeable(marks),
        *_canaries(marks),
        *_pairs(marks),
        Paragraph(wording.CURVE_NOTE),
        *curve,
        Table(
            caption,
            ("Outside beforehand", "Outside", *labels),
            (TableGroup("", shares),),
            (14, 12, *[12] * len(labels)),
        ),
        Facts(facts),
    )


def _canaries(marks: MarksReport) -> tuple[Block, ...]:
    if not marks.canaries:
        return ()
    told = tuple(wording_canaries.canary_found(one) for one in marks.canaries)
    return Paragraph(wording_canaries.CANARIES_NOTE), Bullets(told)


def _pairs(marks: MarksReport) -> tuple[Block, ...]:
    """Say in words and in a table what two copies together explain; nothing where no pairs were compared."""
    if not marks.pairs_compared:
        return ()
    told = (
        Paragraph(wording_pairs.PAIRS_NOTE),
        Paragraph(wording_pairs.pairs_compared(marks.pairs_compared, len(marks.pairs))),
    )
    if not marks.pairs:
        return told
    rows = tuple(
        (
            " with ".join(line.labels),
            line.evidence.tier,
            f"{line.evidence.bound:.2g}",
            f"{line.evidence.e:.3g}",
            f"{line.evidence.weight:.2g}",
            str(line.evidence.both),
            f"{line.evidence.alone[0]} and {line.evidence.alone[1]}",
            str(line.evidence.neither),
        )
        for line in marks.pairs
    )
    columns = ("Two together", "Tier", "Bound", "E-value", "Weight", "As both", "As one alone", "As neither")
    table = Table("Two copies together", columns, (TableGroup("", rows),), (24, 8, 9, 11, 10, 8, 12, 10))
    sentences = tuple(wording_pairs.pair_places(line) for line in marks.pairs)
    return (*told, table, Bullets((*sentences, wording_pairs.PAIR_NAMES_NOBODY)))


def _forgeable(marks: MarksReport) -> tuple[Block, ...]:
    labels = [line.label for line in marks.copies if line.evidence.is_forgeable]
    return (Paragraph(wording.secret_seen(", ".join(labels))),) if labels else ()


def _budget(budget: FlagBudget | None) -> tuple[tuple[str, str], ...]:
    if budget is None:
        return ()
    limit = f" of {budget.limit}" if budget.limit else ", no limit set"
    return (
        ("Investigations of 365 days, with this one", f"{budget.investigations}{limit}"),
        ("False flags to be expected of them", f"at most {budget.expected:.3g}, at {budget.each:g} each"),
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


def _share(part: float) -> str:
    """Write a posterior without the look of certainty that rounding would give it."""
    if part > _NEARLY_ALL:
        return f"over {_NEARLY_ALL:g}"
    return f"under {1 - _NEARLY_ALL:.2g}" if part < 1 - _NEARLY_ALL else f"{part:.2f}"


def _nearest(account: AccountCopies) -> str:
    """Say how near to publication a copy was served; with several items to that of the item it is compared with."""
    known = [copy.seconds_before for copy in account.copies if copy.seconds_before is not None]
    return relative(min(known, key=abs, default=None))


def _copies(accounts: tuple[AccountCopies, ...], caption: str) -> Table:
    columns = ("Entry", "Served (UTC)", "To publication", "Person", "Held values", "Purpose", "Copy")
    groups = tuple(TableGroup(account.label, tuple(_copy_row(copy) for copy in account.copies)) for account in accounts)
    return Table(caption, columns, groups, (6, 17, 18, 10, 10, 22, 13))


def _copy_row(copy: CopyFacts) -> tuple[str, ...]:
    others = f", and {wording.many(copy.other_records, 'other record')}" if copy.other_records else ""
    return (
        str(copy.entry),
        utc(copy.served_at),
        f"{relative(copy.seconds_before)}{', in doubt' if copy.in_doubt else ''}",
        visible(copy.employee_number),
        label_ranges(copy.held) + others,
        f"{visible(copy.purpose).replace('_', ' ')}, {'case stated' if copy.case_given else 'no case'}",
        f"{visible(copy.form).replace('_', ' ')}, {visible(copy.via)}",
    )


def _same(report: TraceReport) -> tuple[Block, ...]:
    if not report.not_distinguished:
        return ()
    rows = tuple(
        (label_ranges(part.held), str(len(part.accounts)), ", ".join(part.accounts))
        for part in report.not_distinguished
    )
    caption = "Accounts by the found values that their copies held"
    return (
        Table(caption, ("Held values", "Accounts", "Which"), (TableGroup("", rows),), (20, 10, 50)),
        Paragraph(wording.SAME_NOTE),
    )


def _after(report: TraceReport) -> tuple[Block, ...]:
    if not report.after_publication:
        return ()
    return (
        Paragraph("If the stated time of publication is right, these copies came too late to be possible sources."),
        _copies(report.after_publication, "Copies served after publication, by account"),
    )


def _own(report: TraceReport) -> tuple[Block, ...]:
    if not report.own_views:
        return ()
    return (
        Paragraph(
            "Copies that subjects were shown of their own records. They count with the subject and the household."
        ),
        _copies(report.own_views, "Subjects' own views, by account"),
    )


def _exposures(report: TraceReport) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if report.people:
        blocks.append(Paragraph(wording.EXPOSURES_NOTE))
    if report.exposures:
        blocks.append(_exposure_table(report.exposures, "Who or what held the values without a served copy, by time"))
    elif report.people:
        blocks.append(Paragraph("None is known to the ledger."))
    if report.internal_opens:
        blocks.append(Paragraph(wording.INTERNAL_OPENS_NOTE))
        blocks.append(_exposure_table(report.internal_opens, "Internal opens, by time"))
    return tuple(blocks)


def _exposure_table(lines: tuple[ExposureLine, ...], caption: str) -> Table:
    rows = tuple(
        (
            visible(line.kind),
            utc(line.at),
            line.account or "none",
            "none" if line.entry is None else str(line.entry),
            visible(line.employee_number),
            _exposure_note(line),
        )
        for line in lines
    )
    columns = ("Exposure", "Time (UTC)", "Account", "Entry", "Person", "Note")
    return Table(caption, columns, (TableGroup("", rows),), (18, 17, 11, 7, 12, 20))


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
