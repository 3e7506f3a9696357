"""When a text was first seen, give or take: copies served within the doubt stay possible sources, later ones do not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from registry.domain.principals import Role
from registry.leaktrace.report_shapes import TierLabel, TraceReport
from registry.services.kernel import Caller
from registry.services.trace import TraceAsk
from registry.transparency.note import format_vkey
from registry.transparency.offline.verify_bundle import verify
from tests.functional.services.homes import Home
from tests.functional.services.test_marked_copies import people, post, readers, served

STRONG = (TierLabel.STRONG, TierLabel.ATTRIBUTED)


def leaked(home: Home) -> tuple[Caller, TraceAsk]:
    """Serve four cards to three readers, and leak one's; the text is said to be ten minutes older than the copies."""
    subjects = people(home, 4)
    said = home.clock.now() - timedelta(minutes=10)
    cards = {reader: [served(home, reader, one) for one in subjects] for reader in readers(home, 3)}
    home.clock.step(3600)
    return home.caller("investigator", Role.INVESTIGATOR), TraceAsk(post(cards[next(iter(cards))]), said)


def traced(home: Home, who: Caller, ask: TraceAsk, seconds: int) -> TraceReport:
    asked = TraceAsk(ask.text, ask.published_at, uncertainty_seconds=seconds)
    return home.app.trace.trace(who, asked).stored.report


@pytest.mark.parametrize(("minutes", "possible"), [(0, 0), (5, 0), (30, 3)])
def test_a_copy_served_within_the_doubt_stays_a_possible_source(home: Home, minutes: int, possible: int) -> None:
    who, ask = leaked(home)
    report = traced(home, who, ask, minutes * 60)
    assert len(report.accounts) == possible
    assert len(report.after_publication) == 3 - possible
    assert (report.tier.label in STRONG) is bool(possible)
    assert all(copy.in_doubt for account in report.accounts for copy in account.copies)
    assert any("may have been before or after it" in one for one in report.summary) is bool(possible)


def test_an_outsider_counts_the_same_copies(home: Home) -> None:
    who, ask = leaked(home)
    asked = TraceAsk(ask.text, ask.published_at, uncertainty_seconds=1800)
    trace = home.app.trace.trace(who, asked)
    assert trace.stored.report.tier.label in STRONG
    cut = home.app.trace.evidence(who, trace.trace, home.app.evidence, lambda _: {"report.txt": b"a report\n"})
    verdict = verify(cut, format_vkey(home.app.verifier_key))
    assert verdict.problems == []
    assert [one["tier"] for one in verdict.marks] == [trace.stored.report.tier.label]
