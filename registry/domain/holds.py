"""Holding notices to a subject back: for how long at most, and what becomes of a hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

DAY_MS = 86_400_000
# What is held is counted over a year that ends with the last hold: a pause makes nobody's count begin anew.
COUNTED_MS = 365 * DAY_MS
# A hold that nobody reviewed within a week is over; it held nothing back.
REVIEW_MS = 7 * DAY_MS


class HoldState(StrEnum):
    """What became of a hold. One whose time is over says so by its time; no row changes for it."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    ENDED = "ended"
    EXPIRED = "expired"


class Statement(StrEnum):
    """How an agency asked for it, as 45 CFR 164.528(a)(2) has it: in writing, for the time that it names, or orally."""

    WRITTEN = "written"
    ORAL = "oral"


# An oral statement counts for 30 days there; a written one for what it names, here for a quarter at most.
LONGEST_DAYS: Mapping[Statement, int] = {Statement.WRITTEN: 90, Statement.ORAL: 30}

# One that only keeps what there is, for a court or an inquiry, and tells nobody less: a year, and then another word.
LONGEST_LEGAL_DAYS = 366


def until_ms(now_ms: int, days: int) -> int:
    """Return when a hold that begins now is over."""
    return now_ms + days * DAY_MS


class Span(NamedTuple):
    """A time for which notices were, or will be, kept back: milliseconds, the end not in it."""

    start: int
    end: int


def held_ms(spans: Iterable[Span]) -> int:
    """Return for how long notices are kept back within the year that ends with the last of some spans.

    Holds that are in force at one time count once.
    """
    ordered = sorted(spans)
    reached = max((span.end for span in ordered), default=0) - COUNTED_MS
    total = 0
    for start, end in ordered:
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def whole_days(ms: int) -> int:
    """Return a length of time in days, a begun day as a whole one."""
    return -(-ms // DAY_MS)
