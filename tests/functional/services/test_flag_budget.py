"""The budget of false flags: each investigation that compares draws counts, and nobody counts them anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.leaktrace.report_shapes import FlagBudget, TierLabel
from registry.services.flag_budget import EACH, YEAR_MS, FlagSpending
from registry.services.kernel import Caller
from registry.services.trace import TraceAsk
from tests.functional.services.homes import Home
from tests.functional.services.test_marked_copies import people, post, readers, served, traced

DAY = 86_400


def leaked(home: Home, subjects: Sequence[SubjectId], reader: Caller) -> str:
    return post([served(home, reader, subject) for subject in subjects])


def limited(home: Home, limit: int) -> None:
    matching = home.app.trace._matching
    home.app.trace._matching = replace(matching, spending=FlagSpending(home.app.kernel, limit))


def test_the_investigation_after_the_last_is_a_lead_at_most_and_says_why(home: Home) -> None:
    text = leaked(home, people(home, 4), readers(home, 1)[0])
    limited(home, 2)
    first, second, third = (traced(home, text) for _ in range(3))
    assert {first.tier.label, second.tier.label} <= {TierLabel.STRONG, TierLabel.ATTRIBUTED}
    assert second.budget == FlagBudget(2, 2, EACH)
    assert third.budget is not None
    assert third.budget.is_spent
    assert third.tier.label == TierLabel.LEAD
    assert third.marks is not None
    assert [line.evidence.tier for line in third.marks.copies] == ["lead"]
    assert any("lead at most" in sentence for sentence in third.summary)
    assert any("budget" in change for change in third.would_change)


def test_a_code_does_not_lead_further_than_the_budget(home: Home) -> None:
    subject, reader = people(home, 1)[0], readers(home, 1)[0]
    card = served(home, reader, subject)
    text = f"{post([card])}\nCode {card.receipt.code}\n"
    assert traced(home, text).tier.label == TierLabel.STRONG
    limited(home, 1)
    assert traced(home, text).tier.label == TierLabel.LEAD


@pytest.mark.parametrize(("days", "counted"), [(364, 2), (366, 1)])
def test_an_investigation_counts_for_a_year(home: Home, days: int, counted: int) -> None:
    text = leaked(home, people(home, 2), readers(home, 1)[0])
    traced(home, text)
    home.clock.step(days * DAY)
    again = traced(home, text)
    assert again.budget is not None
    assert again.budget.investigations == counted


def test_neither_a_start_nor_taking_traces_away_gives_the_budget_back(home: Home) -> None:
    text = leaked(home, people(home, 2), readers(home, 1)[0])
    traced(home, text)
    traced(home, text)
    home.sql().execute("DELETE FROM traces")
    limited(home, 1)  # counts from nothing, as a process that was started just now
    report = traced(home, text)
    assert report.budget == FlagBudget(3, 1, EACH)


def test_whoever_asks_and_a_trace_that_compares_nothing_spends_nothing(home: Home) -> None:
    text = leaked(home, people(home, 2), readers(home, 1)[0])
    other = home.caller("another investigator", Role.INVESTIGATOR)
    assert home.app.trace.trace(other, TraceAsk("nothing of anybody")).stored.report.budget is None
    home.app.trace.trace(other, TraceAsk(text))
    report = traced(home, text)
    assert report.budget is not None
    assert report.budget.investigations == 2


def test_a_year_is_counted_up_to_the_investigation_itself(home: Home) -> None:
    text = leaked(home, people(home, 2), readers(home, 1)[0])
    traced(home, text)
    first = max(entry.index for entry in home.entries() if entry.kind == "weights")
    home.clock.step(YEAR_MS // 1_000 + DAY)
    traced(home, text)
    spending = FlagSpending(home.app.kernel, 0)
    last = max(entry.index for entry in home.entries() if entry.kind == "weights")
    assert [spending.at(entry).investigations for entry in (first, last, first)] == [1, 1, 1]
