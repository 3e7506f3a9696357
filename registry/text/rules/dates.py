"""Calendar days in the one form that nobody can read two ways: YYYY-MM-DD."""

from __future__ import annotations

import re
from datetime import date

from registry.text.rules.reading import TextRule

EARLIEST_YEAR = 1900
MAX_AGE_YEARS = 125

# date.fromisoformat alone also takes 20240229 and 2024-W09-4, and digits of other scripts.
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day_of(text: str) -> date | None:
    """Return the day that a text names, or None when it is not a real day in ISO form."""
    if _FORM.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def day_problem(text: str) -> str | None:
    """Check a day of a mark: real and not before 1900. Codes ``not_a_date``, ``too_long_ago``."""
    day = day_of(text)
    if day is None:
        return "not_a_date"
    return "too_long_ago" if day.year < EARLIEST_YEAR else None


def born_by(today: date) -> TextRule:
    """Make the rule of a living person's birth date.

    Codes: ``not_a_date``, ``in_the_future`` (today is allowed), ``too_long_ago`` (before 1900 or over 125 years).
    """

    def rule(text: str) -> str | None:
        day = day_of(text)
        if day is None:
            return "not_a_date"
        if day > today:
            return "in_the_future"
        if day.year < max(EARLIEST_YEAR, today.year - MAX_AGE_YEARS):
            return "too_long_ago"
        return None

    return rule
