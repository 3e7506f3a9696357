"""Confidentiality marks: what a record's mark says and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Tier(StrEnum):
    """How closely a record is held. ``none`` is still encrypted and logged."""

    NONE = "none"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"  # one approval
    SEALED = "sealed"  # two approvals


# By text, for what is read many times.
TIERS: Mapping[str, Tier] = {one.value: one for one in Tier}


@dataclass(frozen=True, slots=True)
class Mark:
    """A record's confidentiality mark.

    Attributes:
        tier: how closely the record is held.
        basis: the policy or statute it rests on, in the agency's words; may be empty.
        starts_on, ends_on: the days between which the mark holds; None means open.
        review_on: the day somebody should look again. A passed review day never unprotects by itself.
    """

    tier: Tier = Tier.CONFIDENTIAL
    basis: str = field(default="", repr=False)
    starts_on: date | None = None
    ends_on: date | None = None
    review_on: date | None = None
