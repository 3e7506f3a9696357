"""Confidentiality marks as submitted: ``confidentiality``, ``basis`` and three days."""

from __future__ import annotations

from datetime import date

from registry.domain.marks import Mark, Tier
from registry.text.rules.dates import day_of, day_problem
from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import one_line, one_of

MARK_KEYS = frozenset({"confidentiality", "basis", "starts_on", "ends_on", "review_on"})

_TIER = one_of(frozenset(Tier))
_BASIS = one_line(200)


def read_mark(holder: ObjectReader) -> Mark:
    """Read the mark that stands among the members of an object; omitted confidentiality is ``confidential``.

    Codes: ``not_one_of``, ``not_a_date``, ``too_long_ago``, ``ends_before_start`` and those of a one-line text.
    """
    tier = holder.optional("confidentiality", _TIER)
    basis = holder.optional("basis", _BASIS)
    starts_on = _day(holder, "starts_on")
    ends_on = _day(holder, "ends_on")
    if starts_on and ends_on and ends_on < starts_on:
        holder.refuse("ends_before_start", "ends_on")
    return Mark(Tier(tier) if tier else Tier.CONFIDENTIAL, basis, starts_on, ends_on, _day(holder, "review_on"))


def _day(holder: ObjectReader, key: str) -> date | None:
    text = holder.optional(key, day_problem)
    return day_of(text) if text else None
