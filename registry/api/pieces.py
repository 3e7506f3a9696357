"""What clients send, in however many pieces, costs by the piece; here it is made to cost little.

A piece that is passed on wakes the request, which takes some 150 microseconds of the event loop. So a body is gathered
first; and where nobody can tell whether it is whole, and what comes after an answer, it is done a little at a time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

# Passed on at once when so much has gathered; a shorter body when it is whole.
GATHERED_BYTES = 64 << 10
# A longer body, or one of unknown length, is passed on this often however slowly it comes.
GATHERED_SECONDS = 5.0
# So many pieces of work, so often, for all connections of a process together.
PACE, PACE_SECONDS = 2, 0.01


class Body:
    """One body on its way in, from its second piece on."""

    __slots__ = ("_kept", "_left", "_passed_at", "is_queued")

    def __init__(self, left: int | None, now: float) -> None:
        """Begin with nothing.

        Args:
            left: bytes still to come; None when nobody knows, as of a body in chunks.
            now: monotonic seconds.
        """
        self._left = left
        self._passed_at = now
        self._kept = bytearray()
        self.is_queued = False

    def add(self, piece: bytes) -> None:
        """Take a piece."""
        self._kept += piece

    def is_due(self, now: float) -> bool:
        """Tell whether what has gathered is to be passed on."""
        size = len(self._kept)
        if self._left is not None and self._left <= GATHERED_BYTES:
            return size >= self._left
        return size >= GATHERED_BYTES or now - self._passed_at >= GATHERED_SECONDS

    def may_be_whole(self) -> bool:
        """Tell whether this may be the end of a body whose length nobody knows."""
        return self._left is None and self._kept.endswith(b"\n")

    def take(self, now: float) -> bytes:
        """Return what has gathered, to be passed on."""
        passed = bytes(self._kept)
        self._kept.clear()
        self._passed_at = now
        if self._left is not None:
            self._left -= len(passed)
        return passed


def bytes_left(headers: Iterable[tuple[bytes, bytes]], received: int) -> int | None:
    """Return how much of a body is still to come, None when its length was not declared.

    Args:
        headers: of the request, names in lower case.
        received: bytes of the body that have come.
    """
    named = dict(headers)
    if b"transfer-encoding" in named:
        return None
    return int(named.get(b"content-length", b"0")) - received


class Pace:
    """Does things at once when they are few, and one after another at a bounded pace when they are many."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._left = PACE
        self._is_running = False

    def add(self, work: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        """Do it now, or when its turn comes."""
        self._waiting.append(work)
        if not self._is_running:
            self._is_running = True
            loop.call_later(PACE_SECONDS, self._next_tick, loop)
        self._work()

    def _next_tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_running = bool(self._waiting) or self._left < PACE
        self._left = PACE
        if self._is_running:
            loop.call_later(PACE_SECONDS, self._next_tick, loop)
        self._work()

    def _work(self) -> None:
        while self._left and self._waiting:
            self._left -= 1
            self._waiting.popleft()()
