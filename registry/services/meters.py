"""What one process counts of its own work, for whoever watches it. Numbers under fixed words; nothing about anybody."""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_WORD = re.compile(r"[a-z][a-z_]{0,39}")
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Histogram:
    """Observations by upper bound, the last count being those above every bound; their sum."""

    bounds: Sequence[float]
    counts: Sequence[int]
    total: float


class _Distribution:
    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def histogram(self) -> Histogram:
        return Histogram(self._bounds, tuple(self._counts), self._total)


@dataclass(frozen=True, slots=True)
class Counted:
    """Everything counted since the process began.

    Attributes:
        lookups: outcome (``shown``, the public reason of a refusal, ``failed``) to number.
        answers: (route's template, method, status) to number.
        seconds: route's template to its answers' durations.
        unavailable: cause of a 503 to number.
        batches: how many lookups were answered together.
        waits: seconds that the first of each batch had waited in the lane.
        commits: seconds that each commit took.
        notices: (way out, ``sent`` or ``failed``) to number of attempts.
    """

    lookups: Mapping[str, int]
    answers: Mapping[tuple[str, str, int], int]
    seconds: Mapping[str, Histogram]
    unavailable: Mapping[str, int]
    batches: Histogram
    waits: Histogram
    commits: Histogram
    notices: Mapping[tuple[str, str], int]


class Meters:
    """Counts. Safe to use from any thread. Words that are not of a fixed form are counted as ``other``."""

    def __init__(self, started_at: float = 0.0) -> None:
        """Begin at nothing.

        Args:
            started_at: seconds since 1970 UTC when the process began.
        """
        self.started_at = started_at
        self._lock = threading.Lock()
        self._lookups: Counter[str] = Counter()
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[str, _Distribution] = {}
        self._unavailable: Counter[str] = Counter()
        self._batches = _Distribution(SIZES)
        self._waits = _Distribution(SECONDS)
        self._commits = _Distribution(SECONDS)
        self._notices: Counter[tuple[str, str]] = Counter()

    def looked_up(self, outcome: str) -> None:
        """Count one lookup."""
        with self._lock:
            self._lookups[_word(outcome)] += 1

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one HTTP answer.

        Args:
            route: the template of the route, never a path.
            method: one of HTTP's own.
            status: of the answer.
            seconds: from the request's first byte to the answer's last.
        """
        with self._lock:
            self._answers[route, method, status] += 1
            self._seconds.setdefault(route, _Distribution(SECONDS)).add(seconds)

    def unavailable(self, cause: str) -> None:
        """Count one 503."""
        with self._lock:
            self._unavailable[_word(cause)] += 1

    def batch(self, size: int, waited: float) -> None:
        """Count one batch of the lane.

        Args:
            size: lookups in it.
            waited: seconds since the first of them came.
        """
        with self._lock:
            self._batches.add(size)
            self._waits.add(waited)

    def committed(self, seconds: float) -> None:
        """Count one commit that was acknowledged."""
        with self._lock:
            self._commits.add(seconds)

    def noticed(self, channel: str, outcome: str, number: int) -> None:
        """Count attempts to send notices by one way out."""
        with self._lock:
            self._notices[channel, outcome] += number

    def read(self) -> Counted:
        """Return everything counted so far."""
        with self._lock:
            return Counted(
                dict(self._lookups),
                dict(self._answers),
                {route: found.histogram() for route, found in self._seconds.items()},
                dict(self._unavailable),
                self._batches.histogram(),
                self._waits.histogram(),
                self._commits.histogram(),
                dict(self._notices),
            )


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) else _OTHER
