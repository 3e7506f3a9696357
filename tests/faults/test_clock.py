"""A clock that is set back: refused by name, nothing shown; and service again once it is right."""

from __future__ import annotations

import time

import pytest

from registry.audit.log import CLOCK_TOLERANCE_MS
from registry.cli.auditing import verify_ledger
from registry.services.windows import AGAIN_SECONDS
from registry.transparency.leaf import parse_leaf
from registry.vault.vault import Vault
from tests.faults.asks import DISCLOSURE, PLAIN, QUESTIONS, Desk, readiness

HOUR = 3600


def times(desk: Desk) -> list[int]:
    return [parse_leaf(row.leaf).unix_ms for row in desk.home.rows()]


def test_one_hour_back_is_refused_by_name(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(desk.home.rows())
    desk.home.clock.step(-HOUR)
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "open", lambda *_: pytest.fail("opened"))
        for question in QUESTIONS:
            answer = question.ask(desk)
            assert (answer.status, answer.json().get("cause")) == (503, "clock_behind"), (question.name, answer.text)
            assert not [text for text in PLAIN if text in answer.text]
    assert len(desk.home.rows()) == size
    assert readiness(desk)["cause"] == "clock_behind"
    desk.home.clock.step(HOUR)
    assert readiness(desk)["status"] == "ready"
    time.sleep(AGAIN_SECONDS)
    for question in QUESTIONS:
        assert question.ask(desk).status == question.good, question.name
    assert times(desk) == sorted(times(desk))
    verify_ledger(desk.home.app, 1)


def test_readiness_sees_the_clock_before_anybody_asks(desk: Desk) -> None:
    desk.home.clock.step(-HOUR)
    assert readiness(desk)["checks"]["entries"] == "clock_behind"


def test_a_small_step_back_is_smoothed_over(desk: Desk) -> None:
    """Times of entries never go back, whatever the clock does."""
    assert DISCLOSURE.ask(desk).status == 200
    for step in (-CLOCK_TOLERANCE_MS / 1000, 1, 1, -2, 30, -4):
        desk.home.clock.step(step)
        assert DISCLOSURE.ask(desk).status == 200
    assert times(desk) == sorted(times(desk))
    verify_ledger(desk.home.app, 1)


def test_a_token_of_the_right_time_is_none_of_the_wrong_one(desk: Desk) -> None:
    """With the clock back, a token that was never seen is not valid yet: that refusal has no entry, so it is a 503."""
    desk.home.app.tokens._entries.clear()
    desk.home.clock.step(-HOUR)
    answer = DISCLOSURE.ask(desk)
    assert (answer.status, answer.json()["cause"]) == (503, "clock_behind")
    desk.home.clock.step(HOUR)
    assert DISCLOSURE.ask(desk).status == 200
