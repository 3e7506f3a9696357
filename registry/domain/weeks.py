"""Weeks by ISO 8601, in UTC: which moments belong to one, and its name."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from registry.domain.clock import unix_ms

_NAME = re.compile(r"([0-9]{4})-W([0-9]{2})", re.ASCII)


class Week(NamedTuple):
    """One week: its name, such as ``2026-W48``, and its first moment and the first one after it, milliseconds."""

    name: str
    start_ms: int
    end_ms: int


def week_named(name: str) -> Week | None:
    """Return a week by its name; None when there is none of that name."""
    told = _NAME.fullmatch(name)
    try:
        return None if told is None else week_of(datetime.fromisocalendar(int(told[1]), int(told[2]), 1))
    except (ValueError, OverflowError):
        return None


def week_of(moment: datetime) -> Week:
    """Return the week that a moment (UTC) belongs to."""
    year, number, _ = moment.isocalendar()
    monday = datetime.fromisocalendar(year, number, 1).replace(tzinfo=UTC)
    return Week(f"{year:04}-W{number:02}", unix_ms(monday), unix_ms(monday + timedelta(weeks=1)))


def week_before(week: Week) -> Week:
    """Return the week before one."""
    return week_of(datetime.fromtimestamp(week.start_ms / 1000, UTC) - timedelta(days=1))
