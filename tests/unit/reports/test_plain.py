"""Small formatting."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from registry.reports.plain import duration, places, relative, utc, visible


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (61, "1 minute 1 second"),
        (3_600, "1 hour"),
        (3 * 86_400 + 18 * 3_600 + 59, "3 days 18 hours"),
        (-90, "1 minute 30 seconds"),
    ],
)
def test_duration(seconds: int, text: str) -> None:
    assert duration(seconds) == text


def test_relative() -> None:
    assert relative(None) == "not known"
    assert relative(0) == "at the same second"
    assert relative(60) == "1 minute before"
    assert relative(-60) == "1 minute after"


def test_times_are_utc() -> None:
    assert utc(datetime(2026, 3, 10, 6, tzinfo=timezone(timedelta(hours=-6)))) == "2026-03-10 12:00:00"


def test_places() -> None:
    assert places(((1, 4), (9, 12))) == "1 to 4, 9 to 12"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë, Łódź 中", "Zoë, Łódź 中"),
        ("a\r\n\tb", "a b"),
        ("\u202e\u2066\u200d\ufeff", "[U+202E][U+2066][U+200D][U+FEFF]"),
        ("\x1b[0m\x00", "[U+001B][0m[U+0000]"),
        ("\ud800\ue000\U000e0041", "[U+D800][U+E000][U+E0041]"),
    ],
)
def test_nothing_hides(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_long_texts_are_shortened_and_say_so() -> None:
    assert visible("a" * 600) == "a" * 500 + "... (shortened, 600 characters)"
