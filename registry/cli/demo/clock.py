"""The demonstration's time: a working week that is played through and ends at the real now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from registry.domain.clock import Clock

WORKING_DAYS = 5
_SATURDAY = 5


class WeekClock:
    """Stands still until it is moved; once released it follows the machine's clock. It never goes back."""

    def __init__(self, real: Clock, start: datetime) -> None:
        self._real = real
        self._at = start
        self._released = False

    def now(self) -> datetime:
        """Return the simulated time, aware, in UTC."""
        return max(self._at, self._real.now()) if self._released else self._at

    def move_to(self, moment: datetime) -> None:
        """Go forward to a moment; an earlier one changes nothing."""
        self._at = max(self._at, moment)

    def release(self) -> None:
        """From here on the time is the real one."""
        self._released = True


def working_days(today: date) -> tuple[date, ...]:
    """Return the five working days before a day, oldest first."""
    days: list[date] = []
    day = today
    while len(days) < WORKING_DAYS:
        day -= timedelta(days=1)
        if day.weekday() < _SATURDAY:
            days.append(day)
    return tuple(reversed(days))


def moment_in(days: Sequence[date], day: int, second: int) -> datetime:
    """Return the moment of a second of a working day (0 is midnight, UTC)."""
    return datetime.combine(days[day], time(), UTC) + timedelta(seconds=second)
