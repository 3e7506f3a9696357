"""Time is an argument: everything that needs the time is given a clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)


def unix_ms(moment: datetime) -> int:
    """Return whole milliseconds since 1970-01-01T00:00:00Z."""
    return int(moment.timestamp() * 1000)


def from_unix_ms(milliseconds: int) -> datetime:
    """Return the aware UTC time of a millisecond count."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def iso(moment: datetime) -> str:
    """Return RFC 3339 text with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
