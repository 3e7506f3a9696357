"""Two accounts put their copies together: through the real flow, to a report that speaks of two and names nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest

from registry.domain.ids import SubjectId
from registry.leaktrace.naming import may_be_named
from registry.leaktrace.report_shapes import TierLabel
from registry.reports.as_json import report_document
from registry.reports.as_text import render_text
from registry.services.disclose import Disclosed
from registry.services.flag_budget import FlagSpending
from registry.services.kernel import Caller
from tests.functional.services.homes import Home
from tests.functional.services.test_marked_copies import people, post, readers, served, traced

CARDS, STAFF = 12, 6
Cards = dict[Caller, list[Disclosed]]


@pytest.fixture
def cards(home: Home) -> Cards:
    """Serve the same people to a handful of accounts."""
    subjects: list[SubjectId] = people(home, CARDS)
    return {reader: [served(home, reader, subject) for subject in subjects] for reader in readers(home, STAFF)}


def mixed(first: list[Disclosed], second: list[Disclosed], seed: int) -> str:
    """Choose each value by a coin from one of two copies."""
    chance = Random(seed)
    return post(
        [
            replace(one, fields=tuple(chance.choice(pair) for pair in zip(one.fields, two.fields, strict=True)))
            for one, two in zip(first, second, strict=True)
        ]
    )


def test_two_who_mix_their_copies_are_found_together_and_nobody_is_named_for_it(home: Home, cards: Cards) -> None:
    staff = list(cards)
    report = traced(home, mixed(cards[staff[1]], cards[staff[4]], seed=1))
    assert report.marks is not None
    (pair,) = report.marks.pairs
    assert pair.labels == ("Account 2", "Account 5")
    assert pair.evidence.tier == TierLabel.STRONG
    assert pair.evidence.bound <= 1e-3
    assert min(pair.evidence.alone) > 5
    assert pair.evidence.neither <= 2
    assert report.marks.pairs_compared == STAFF * (STAFF - 1) // 2
    alone = {one.label: one.evidence.tier for one in report.marks.copies}
    named = {label for label, tier in alone.items() if tier in (TierLabel.STRONG, TierLabel.ATTRIBUTED)}
    assert may_be_named(report) == named, "a pair names nobody"
    assert named <= {"Account 2", "Account 5"}
    told = render_text(report)
    assert "Account 2 with Account 5" in told
    assert "nobody may be named for it" in " ".join(told.split())
    document = report_document(report)["marks"]
    assert document["pairs"][0]["accounts"] == ["Account 2", "Account 5"]
    assert json.dumps(document)


def test_one_copy_alone_and_a_framed_colleague_are_no_pair(home: Home, cards: Cards) -> None:
    """The framer writes every other value in forms of their own invention, so that it looks like somebody else's."""
    staff = list(cards)
    alone = traced(home, post(cards[staff[2]]))
    assert alone.marks is not None
    assert alone.marks.pairs_compared == 0
    chance = Random(5)
    lines = [
        chance.choice([line, line.upper().replace(" ", "  "), line.replace("-", " ").replace("Ave", "Avenue")])
        for line in post(cards[staff[2]]).split("\n")
    ]
    framed = traced(home, "\n".join(lines))
    assert framed.marks is not None
    assert framed.marks.pairs == ()


def test_pairs_do_not_lead_further_than_the_budget(home: Home, cards: Cards) -> None:
    staff = list(cards)
    matching = home.app.trace._matching
    home.app.trace._matching = replace(matching, spending=FlagSpending(home.app.kernel, 1))
    text = mixed(cards[staff[1]], cards[staff[4]], seed=1)
    first, second = traced(home, text), traced(home, text)
    assert first.marks is not None
    assert second.marks is not None
    assert [one.evidence.tier for one in first.marks.pairs] == [TierLabel.STRONG]
    assert [one.evidence.tier for one in second.marks.pairs] == [TierLabel.LEAD]
    assert second.tier.label == TierLabel.LEAD
