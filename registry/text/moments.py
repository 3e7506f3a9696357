"""Moments as people and clients write them."""

from __future__ import annotations

import re
from datetime import datetime

from registry.domain.clock import unix_ms

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# RFC 3339 with an offset; date arithmetic on a time without one would shift by hours unseen.
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_LAST_YEAR = 9998  # whatever the offset, it can be written again


def read_moment(text: str) -> datetime | None:
    """Read an RFC 3339 moment with an offset; None for anything else."""
    if _MOMENT.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def moment_ms(text: str) -> int | None:
    """Read a day (its first moment, UTC) or a moment, in milliseconds since 1970; None for anything else."""
    moment = read_moment(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    if moment is None or moment.year > _LAST_YEAR or unix_ms(moment) < 0:
        return None
    return unix_ms(moment)
