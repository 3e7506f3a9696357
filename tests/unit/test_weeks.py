"""Weeks by ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from registry.domain.clock import from_unix_ms, iso
from registry.domain.weeks import week_before, week_named, week_of


@pytest.mark.parametrize(
    ("moment", "name", "start"),
    [
        ("2026-03-02T00:00:00", "2026-W10", "2026-03-02"),
        ("2026-03-08T23:59:59", "2026-W10", "2026-03-02"),
        ("2027-01-03T12:00:00", "2026-W53", "2026-12-28"),
        ("2024-12-30T12:00:00", "2025-W01", "2024-12-30"),
    ],
)
def test_a_moment_is_in_its_week(moment: str, name: str, start: str) -> None:
    week = week_of(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert (week.name, iso(from_unix_ms(week.start_ms))[:10]) == (name, start)
    assert week_named(name) == week
    assert week.end_ms - week.start_ms == 7 * 86_400_000
    following = week_of(from_unix_ms(week.end_ms))
    assert following != week
    assert week_before(following) == week


@pytest.mark.parametrize(
    "name", ["2026-W00", "2026-W54", "2027-W53", "2026-W1", "2026W10", "2026-W10 ", "0000-W01", ""]
)
def test_what_is_no_week_is_none(name: str) -> None:
    assert week_named(name) is None
