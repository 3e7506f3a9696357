"""Holding notices to a subject back: for how long at most, and what becomes of a hold."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

_DAY_MS = 86_400_000
# A hold that nobody reviewed within a week is over; it held nothing back.
REVIEW_MS = 7 * _DAY_MS


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
    return now_ms + days * _DAY_MS
