"""Small formatting: times, durations, places, and text from outside made safe to look at."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LONGEST = 500  # code points of one text from outside; the ledger holds the whole
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def utc(moment: datetime) -> str:
    """Return ``2026-03-10 12:00:00``; every report says once that times are UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: int) -> str:
    """Return the two largest units of a length of time: ``3 days 4 hours``, ``0 seconds``."""
    parts: list[str] = []
    rest = abs(seconds)
    for name, size in _UNITS:
        count, rest = divmod(rest, size)
        if count or (name == "second" and not parts):
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts[:2])


def relative(seconds_before: int | None) -> str:
    """Say where a moment stands to publication; positive seconds are before it."""
    if seconds_before is None:
        return "not known"
    if seconds_before == 0:
        return "at the same second"
    return f"{duration(seconds_before)} {'before' if seconds_before > 0 else 'after'}"


def places(spans: Iterable[tuple[int, int]]) -> str:
    """Return ``10 to 40, 55 to 60``."""
    return ", ".join(f"{start} to {end}" for start, end in spans)


def visible(text: str) -> str:
    """Make text from outside safe to look at, in one line.

    White space becomes a blank; characters that are not seen (controls, direction marks, zero widths, surrogates,
    unassigned) become their number, so that nothing can hide, reorder or colour what stands around it.
    """
    flat = " ".join(text.split())
    seen = whole(flat[:_LONGEST])
    return seen if len(flat) <= _LONGEST else f"{seen}... (shortened, {len(flat)} characters)"


def whole(text: str) -> str:
    """Make text from outside safe to look at as ``visible`` does, and leave nothing of it out."""
    flat = " ".join(text.split())
    return "".join(code_point(one) if unicodedata.category(one) in _HIDDEN else one for one in flat)


def code_point(character: str) -> str:
    """Return ``[U+202E]``."""
    return f"[U+{ord(character):04X}]"
