"""Of a dump's thousands of rows a page shows some and says so; nothing that sets a copy apart is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.domain.ids import EntryIndex, PrincipalId, SubjectId
from registry.leaktrace.canaries import CanaryEvidence, LabelledCanary
from registry.leaktrace.marked_copies import CopyEvidence, LabelledEvidence, LabelledPair, PairEvidence
from registry.leaktrace.receipt_codes import CodeMatch, CodesEvidence
from registry.leaktrace.report_model import TraceReport, build_report, label_ranges
from registry.leaktrace.report_shapes import MarksReport
from registry.reports.as_json import report_document
from registry.reports.blocks import Paragraph, Table
from registry.reports.layout import lay_out
from registry.reports.long_tables import MOST_NAMES, MOST_ROWS, LongTable, listed, set_apart, shown
from tests.unit.leaktrace_report.evidence import (
    ADDRESS,
    ALPHA,
    BRAVO,
    evidence,
    exposure,
    question,
)
from tests.unit.reports.samples import address_served, found_addresses, ordinary

PEOPLE = 700


def code_of(number: int) -> CodesEvidence:
    match = CodeMatch("K7QF-2M9D", EntryIndex(number), PrincipalId(f"{number:032x}"))
    return CodesEvidence(1, PEOPLE, (match,), 4e-12)


def huge(codes: CodesEvidence | None = None) -> TraceReport:
    """Seven hundred people, each looked up by an account of their own, the last one longest before publication."""
    ids = range(1, PEOPLE + 1)
    copies = tuple(address_served(n, n, PEOPLE + 3 - n) for n in ids)
    known = tuple(exposure("enrolled by", ALPHA, subject=SubjectId(f"{n:032x}")) for n in ids)
    return build_report(question(), replace(evidence(found_addresses(PEOPLE), copies, known), codes=codes))


def tables(report: TraceReport) -> dict[str, Table]:
    blocks = [block for section in lay_out(report).sections for block in section.blocks]
    return {block.caption.split(",")[0]: block for block in blocks if isinstance(block, Table)}


def rows(table: Table) -> list[tuple[str, ...]]:
    return [row for group in table.groups for row in group.rows]


def test_no_table_of_a_dump_is_longer_than_a_reader_reads_and_the_json_has_all() -> None:
    report = huge()
    assert max(len(rows(table)) for table in tables(report).values()) == MOST_ROWS
    told = [
        block.text
        for section in lay_out(report).sections
        for block in section.blocks
        if isinstance(block, Paragraph) and f"shows {MOST_ROWS} of" in block.text
    ]
    # Values, events, accounts, their copies, accounts that are alike, exposures.
    assert len(told) == 6
    assert all("report.json" in one for one in told)
    assert sum(f"{PEOPLE} rows" in one for one in told) == 5
    assert sum(f"{2 * PEOPLE + 1:,} rows" in one for one in told) == 1
    document = report_document(report)
    assert len(document["accounts"]) == len(document["people"]) == PEOPLE
    assert len(document["accounts"][0]["not_held"]) == PEOPLE - 1


def test_a_table_that_is_not_long_says_nothing_of_its_length() -> None:
    texts = [
        block.text
        for section in lay_out(ordinary()).sections
        for block in section.blocks
        if isinstance(block, Paragraph)
    ]
    assert not [text for text in texts if "The table that follows shows" in text]


def labels_in(report: TraceReport, caption: str, column: int) -> list[str]:
    (table,) = [table for named, table in tables(report).items() if named.startswith(caption)]
    assert len(rows(table)) == MOST_ROWS
    return [row[column] for row in rows(table) if row[1] != "enrolled by"]


@pytest.mark.parametrize(
    ("caption", "column", "number"), [("Accounts that were served", 0, PEOPLE), ("The timeline as a table", 2, 1)]
)
def test_an_account_that_is_set_apart_is_never_left_out(caption: str, column: int, number: int) -> None:
    label = f"Account {number}"
    assert label not in labels_in(huge(), caption, column)
    assert label in labels_in(huge(code_of(number)), caption, column)


def test_copies_of_an_account_that_is_set_apart_are_shown_under_its_label() -> None:
    caption, label = "Every copy served before publication", f"Account {PEOPLE}"
    assert label not in [group.heading for group in tables(huge())[caption].groups]
    (group,) = [group for group in tables(huge(code_of(PEOPLE)))[caption].groups if group.heading == label]
    assert [row[0] for row in group.rows] == [str(PEOPLE)]


def test_of_very_many_events_those_nearest_to_publication_are_shown_in_order_of_time() -> None:
    table = next(table for caption, table in tables(huge()).items() if caption.startswith("The timeline"))
    shown_events = rows(table)
    assert "text published, as told" in [row[1] for row in shown_events]
    assert [row[0] for row in shown_events] == sorted(row[0] for row in shown_events)
    assert f"Account {PEOPLE}" in [row[2] for row in shown_events]
    assert "Account 1" not in [row[2] for row in shown_events if row[1] == "copy served"]


def test_rows_that_are_not_shown_are_not_written() -> None:
    written: list[int] = []

    def row(number: int) -> tuple[str, ...]:
        written.append(number)
        return (str(number),)

    _, table = shown(LongTable("c", ("n",), (1,), [("a", range(5)), ("b", range(5, 9_000))], row))
    assert written == list(range(MOST_ROWS))
    assert isinstance(table, Table)
    assert [group.heading for group in table.groups] == ["a", "b"]


def test_names_and_labels_in_a_cell_end() -> None:
    names = [f"Account {number}" for number in range(1, MOST_NAMES + 1)]
    assert listed(names) == ", ".join(names)
    assert listed([*names, "x", "y"]).endswith(f"Account {MOST_NAMES}, and 2 more")
    labels = [f"F{number}" for number in range(1, 3_000, 2)]
    assert label_ranges(labels).endswith(", F47, and 1,476 more")


def copy_evidence(tier: str) -> CopyEvidence:
    return CopyEvidence(ALPHA, 9.0, 0.1, 0.5, 0.2, 0, 4, 4, tier)


def marks_report(**said: object) -> MarksReport:
    whole = {"reading": "00" * 32, "entry": 1, "values": 1, "slots": 4, "seed": 1, "copies": (), "curve": CURVE}
    return MarksReport(**(whole | said))


CURVE = ((0.5, 0.5, ()), (0.9, 0.9, ()))
PAIR = PairEvidence((ALPHA, BRAVO), 9.0, 0.1, 0.2, 2, (1, 1), 0, "lead")
CANARY = CanaryEvidence(ADDRESS, 90, is_as_enrolled=False, compared=3, accounts=(ALPHA,))


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ({"copies": (LabelledEvidence("Account 1", copy_evidence("none")),)}, set()),
        ({"copies": (LabelledEvidence("Account 1", copy_evidence("lead")),)}, {"Account 1"}),
        ({"pairs": (LabelledPair(("Account 2", "Account 3"), PAIR),)}, {"Account 2", "Account 3"}),
        ({"canaries": (LabelledCanary("F1", ("Account 4",), CANARY),)}, {"Account 4"}),
    ],
)
def test_whom_a_report_sets_apart(said: dict[str, object], labels: set[str]) -> None:
    assert set_apart(replace(ordinary(), marks=marks_report(**said))) == labels


def test_marks_and_exposures_of_an_account_that_is_set_apart_are_never_left_out() -> None:
    report = huge()
    lines = tuple(
        LabelledEvidence(f"Account {number}", copy_evidence("lead" if number == PEOPLE else "none"))
        for number in range(1, PEOPLE + 1)
    )
    known = tuple(replace(line, account=f"Account {number}") for number, line in enumerate(report.exposures, 1))
    marked = replace(report, marks=marks_report(copies=lines), exposures=known)
    for caption, column in (("Marked copies", 0), ("Who or what held", 2)):
        (table,) = [table for named, table in tables(marked).items() if named.startswith(caption)]
        assert len(rows(table)) == MOST_ROWS
        assert rows(table)[-1][column] == f"Account {PEOPLE}"
