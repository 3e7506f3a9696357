"""Counting what happens often, for a minute each: the first is an entry at once, the rest become one entry later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from registry.domain.errors import AuditUnavailable

WINDOW_SECONDS = 60.0
# So often is an entry tried that could not be written; all between are answered as the last one was.
AGAIN_SECONDS = 1.0
MAX_SOURCES = 1_000
# So many immediate entries a minute at most, whatever the number of sources; the rest is only counted.
MAX_IMMEDIATE = 200


@dataclass(slots=True)
class Count:
    started: float
    more: int = 0
    # Why the entry of the first one could not be written, and from when on that is tried again.
    cause: str | None = None
    again_at: float = 0.0


class Windows:
    """Counts by key and by what happened, for a minute each."""

    def __init__(self, monotonic: Callable[[], float], other: Hashable) -> None:
        self._monotonic = monotonic
        self._other = other
        self._lock = threading.Lock()
        self._counts: dict[tuple[Hashable, str], Count] = {}
        self._window_started = monotonic()
        self._immediate = 0

    def is_first(self, who: Hashable, what: str) -> bool:
        """Count one; True when it deserves an entry at once, and is not in the count then.

        Raises:
            AuditUnavailable: such an entry could not be written a moment ago.
        """
        now = self._monotonic()
        with self._lock:
            if now - self._window_started >= WINDOW_SECONDS:
                self._window_started, self._immediate = now, 0
            key = self._key(who, what)
            count = self._counts.get(key)
            if count is not None and count.cause is not None and now < count.again_at:
                count.more += 1
                raise AuditUnavailable(count.cause)
            if count is not None and now - count.started < WINDOW_SECONDS:
                count.more += 1
                return False
            if self._immediate >= MAX_IMMEDIATE:
                self._counts.setdefault((self._other, what), Count(now)).more += 1
                return False
            self._immediate += 1
            self._counts[key] = Count(now, 0 if count is None else count.more)
            return True

    def add(self, who: Hashable, what: str) -> None:
        """Count one that needs no entry at once."""
        now = self._monotonic()
        with self._lock:
            self._counts.setdefault(self._key(who, what), Count(now)).more += 1

    def owe(self, who: Hashable, what: str, cause: str) -> None:
        """Keep count of one whose entry could not be written: until one is, nobody is refused but sent away."""
        now = self._monotonic()
        with self._lock:
            count = self._counts.setdefault(self._key(who, what), Count(now))
            count.more += 1
            count.started, count.cause, count.again_at = now - WINDOW_SECONDS, cause, now + AGAIN_SECONDS

    def take(self, *, only_over: bool) -> dict[tuple[Hashable, str], Count]:
        """Take out the counts whose minute is over, or all."""
        now = self._monotonic()
        with self._lock:
            over = [
                key for key, count in self._counts.items() if not only_over or now - count.started >= WINDOW_SECONDS
            ]
            return {key: self._counts.pop(key) for key in over}

    def put_back(self, taken: Mapping[tuple[Hashable, str], Count]) -> None:
        """Put back what could not be written."""
        with self._lock:
            for key, count in taken.items():
                self._counts.setdefault(key, Count(count.started)).more += count.more

    def _key(self, who: Hashable, what: str) -> tuple[Hashable, str]:
        is_known = (who, what) in self._counts or len(self._counts) < MAX_SOURCES
        return (who if is_known else self._other, what)
