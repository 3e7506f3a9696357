"""Approval by other people: how many a record's tier takes, and how long a request and an approval stand."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from registry.domain.marks import Tier

_HOUR_MS = 3_600_000
# A request that nobody decided within a week is asked again, by somebody who still needs it.
DECIDE_MS = 7 * 24 * _HOUR_MS
# An approval is for the lookup at hand, not for a habit.
USE_MS = 24 * _HOUR_MS


class State(StrEnum):
    """What became of a request. One whose time is over says so by its time; no row changes for it."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"


class Verdict(StrEnum):
    """What an approver says."""

    APPROVE = "approve"
    REFUSE = "refuse"


class Needs(NamedTuple):
    """Who must approve: so many people, one of them of another unit than who asks."""

    approvals: int
    other_unit: bool


def needs_of(tiers: Iterable[Tier]) -> Needs:
    """Return what the strictest of some tiers takes."""
    held = frozenset(tiers)
    if Tier.SEALED in held:
        return Needs(2, other_unit=True)
    return Needs(int(Tier.RESTRICTED in held), other_unit=False)
