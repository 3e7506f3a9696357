"""Receipt codes in leaked texts: what they add to the writing, and what somebody else's code cannot do."""

from __future__ import annotations

import json
import re

import pytest

from registry.domain.principals import Role
from registry.leaktrace.report_shapes import TierLabel, TraceReport
from registry.reports.as_json import report_document
from registry.services.disclose import Disclosed
from registry.services.trace import TraceAsk
from registry.transparency.note import format_vkey
from registry.transparency.offline.verify_bundle import read_zip, verify
from tests.functional.services.homes import Home
from tests.functional.services.test_marked_copies import people, post, readers, served, traced

TYPED = "1200 N LARKSPUR AVE APT 1, SAINT PAUL MN 55000\n6515550100\n"


def part(card: Disclosed) -> str:
    """Write what somebody tells of a card who leaves out its telephone number and the day of birth."""
    told = {field.category: field.expose() for field in card.fields}
    return f"{told['home_address']['line']}\n{told['ssn']['number']}"


def blamed(report: TraceReport) -> set[int]:
    """Return the entries of all copies of accounts that a report calls strong or more."""
    above = {TierLabel.STRONG.value, TierLabel.ATTRIBUTED.value}
    labels = {one.label for one in report.marks.copies if one.evidence.tier in above} if report.marks else set()
    if report.codes is not None and report.tier.label.value in above:
        named = re.findall(r"Account \d+", report.tier.wording)
        labels |= {label for _, _, label in report.codes.matches if label in named}
    return {copy.entry for account in report.accounts if account.label in labels for copy in account.copies}


def test_a_part_of_a_page_that_is_copied_with_its_code_is_strong_evidence_for_one_record(home: Home) -> None:
    (subject,) = people(home, 1)
    cards = [served(home, reader, subject) for reader in readers(home, 8)]
    card = cards[3]
    without, report = traced(home, part(card)), traced(home, f"{part(card)}\nCode {card.receipt.code}")
    assert without.codes is None
    assert without.tier.label not in {TierLabel.STRONG, TierLabel.ATTRIBUTED}
    assert report.codes is not None
    ((code, entry, label),) = report.codes.matches
    assert (code, entry) == (card.receipt.code, card.receipt.index)
    assert report.codes.compared == 8
    assert report.codes.chance < 1e-10
    assert report.tier.label is TierLabel.STRONG
    assert label in report.tier.wording
    assert [copy.entry for account in report.accounts if account.label == label for copy in account.copies] == [entry]
    assert report_document(report)["codes"]["matches"] == [{"code": code, "entry": entry, "account": label}]


def test_the_code_as_a_scanner_reads_it(home: Home) -> None:
    (subject,) = people(home, 1)
    card = served(home, readers(home, 1)[0], subject)
    misread = card.receipt.code.lower().replace("0", "o").replace("1", "l").replace("-", " \u2013\n")
    report = traced(home, f"{post([card])}\n{misread}")
    assert report.codes is not None
    assert report.codes.matches[0][0] == card.receipt.code


def test_a_code_under_a_text_that_is_written_otherwise_carries_a_lead(home: Home) -> None:
    (subject,) = people(home, 1)
    card = served(home, readers(home, 1)[0], subject)
    report = traced(home, f"{TYPED}{card.receipt.code}")
    assert report.codes is not None
    assert report.tier.label is TierLabel.LEAD
    assert any("A code alone" in reason for reason in report.tier.reasons)


def test_somebody_elses_code_does_not_make_them_the_source(home: Home) -> None:
    """Ten people frame a colleague: their own copy, and the colleague's code from a sheet of paper."""
    (subject,) = people(home, 1)
    framed, *others = [served(home, reader, subject) for reader in readers(home, 11)]
    strong = 0
    for card in others:
        report = traced(home, f"{post([card])}\n{framed.receipt.code}")
        assert report.codes is not None
        strong += framed.receipt.index in blamed(report)
    assert strong <= 1  # each of them with a chance of one in a thousand at most


def test_codes_of_others_lookups_and_made_up_ones_say_nothing(home: Home) -> None:
    subject, other = people(home, 2)
    reader, *_ = readers(home, 1)
    card, elsewhere = served(home, reader, subject), served(home, reader, other)
    for code in ("K7QF-2M9D", elsewhere.receipt.code):
        assert traced(home, f"{post([card])}\n{code}").codes is None


def test_a_copy_of_after_the_publication_is_not_compared(home: Home) -> None:
    (subject,) = people(home, 1)
    reader, late = readers(home, 2)
    card = served(home, reader, subject)
    home.clock.step(60)
    published = home.clock.now()
    home.clock.step(60)
    after = served(home, late, subject)
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    ask = TraceAsk(f"{post([card])}\n{after.receipt.code}", published_at=published)
    assert home.app.trace.trace(investigator, ask).stored.report.codes is None


def test_the_entry_of_the_reading_fixes_them_and_the_bundle_holds(home: Home) -> None:
    (subject,) = people(home, 1)
    card = served(home, readers(home, 1)[0], subject)
    investigator = home.caller("investigator", Role.INVESTIGATOR)
    home.clock.step(60)
    ask = TraceAsk(f"{post([card])}\n{card.receipt.code}", published_at=home.clock.now())
    home.clock.step(60)
    done = home.app.trace.trace(investigator, ask)
    bundle = home.app.trace.evidence(
        investigator, done.trace, home.app.evidence, lambda _: {"report.txt": b"a report\n"}
    )
    members = read_zip(bundle)
    assert json.loads(members["marks/reading.json"])["codes"] == [card.receipt.code]
    assert f"entries/{card.receipt.index}.open.json" in members
    assert verify(bundle, format_vkey(home.app.verifier_key)).problems == []
    (reading,) = [entry.values or {} for entry in home.entries() if entry.kind == "reading"]
    assert reading["detail"].endswith("codes 1")


@pytest.mark.slow
def test_how_often_a_copied_page_is_told_and_a_framed_colleague(home: Home) -> None:
    staff = readers(home, 6)
    told = framed = 0
    for subject in people(home, 28):
        cards = [served(home, reader, subject) for reader in staff]
        for card in cards[::2]:
            told += card.receipt.index in blamed(traced(home, f"{post([card])}\n{card.receipt.code}"))
        for card in cards[1:]:
            framed += cards[0].receipt.index in blamed(traced(home, f"{post([card])}\n{cards[0].receipt.code}"))
    assert told == 84
    assert framed <= 2  # of 140, each with a chance of one in a thousand at most
