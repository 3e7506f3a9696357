"""The section of a report about marks: what the writing of the text says of each copy, and of two together."""

from __future__ import annotations

from registry.leaktrace import wording, wording_canaries, wording_pairs
from registry.leaktrace.marked_copies import LabelledEvidence
from registry.leaktrace.report_shapes import FlagBudget, MarksReport, TraceReport
from registry.reports.blocks import Block, Bullets, Drawing, Facts, Paragraph, Table, TableGroup
from registry.reports.evidence_drawings import (
    COPIES_TITLE,
    CURVE_TITLE,
    copies_svg,
    curve_svg,
    describe_copies,
    describe_curve,
)
from registry.reports.long_tables import APART_FIRST, LongTable, set_apart, shown

# Accounts in the table of posteriors; all of them are in the JSON.
_CURVE_COLUMNS = 5
_NEARLY_ALL = 0.99


def marks_blocks(report: TraceReport) -> tuple[Block, ...]:
    """Return the blocks of the section; none where the text says nothing of marks."""
    marks = report.marks
    if marks is None:
        return ()
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
        *_marks_table(report, marks),
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


def _marks_table(report: TraceReport, marks: MarksReport) -> tuple[Block, ...]:
    apart = set_apart(report)
    table = LongTable(
        "Marked copies beside the writing of the text",
        ("Account", "Tier", "Bound", "E-value", "Chance by the draw", "Weight", "Places that agree"),
        (12, 14, 10, 12, 16, 10, 16),
        [("", marks.copies)],
        _marks_row,
    )
    return shown(table, APART_FIRST, lambda _, line, __: line.label not in apart)


def _marks_row(line: LabelledEvidence) -> tuple[str, ...]:
    return (
        line.label,
        line.evidence.tier,
        f"{line.evidence.bound:.2g}",
        f"{line.evidence.e:.3g}",
        f"{line.evidence.p:.2g}",
        f"{line.evidence.weight:.2g}",
        f"{line.evidence.agreeing} of {line.evidence.slots}",
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


def _share(part: float) -> str:
    """Write a posterior without the look of certainty that rounding would give it."""
    if part > _NEARLY_ALL:
        return f"over {_NEARLY_ALL:g}"
    return f"under {1 - _NEARLY_ALL:.2g}" if part < 1 - _NEARLY_ALL else f"{part:.2f}"
