"""What clients send, in however many pieces, costs by the piece; here it is made to cost little.

A piece that is passed on wakes the request, which takes some 150 microseconds of the event loop. So a short body is
gathered first, and pieces of a long one, or of one whose length nobody knows, are passed on a few at a time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

# Passed on at once when so much has gathered; a shorter body when it is whole.
GATHERED_BYTES = 64 << 10
# So many pieces of work, so often, for all connections of a process together.
PACE, PACE_SECONDS = 2, 0.01


class Body:
    """One body on its way in.

    Attributes:
        is_queued: whether what has gathered is going to be passed on at a pace.
    """

    __slots__ = ("_kept", "_left", "is_queued")

    def __init__(self, left: int | None) -> None:
        """Begin with nothing.

        Args:
            left: bytes still to come; None when nobody knows, as of a body in chunks.
        """
        self._left = left
        self._kept = bytearray()
        self.is_queued = False

    def add(self, piece: bytes) -> None:
        """Take a piece."""
        self._kept += piece

    def is_due(self) -> bool:
        """Tell whether what has gathered is to be passed on at once."""
        return len(self._kept) >= (GATHERED_BYTES if self._left is None else min(self._left, GATHERED_BYTES))

    def is_short(self) -> bool:
        """Tell whether nobody needs it before it is whole."""
        return self._left is not None and self._left <= GATHERED_BYTES

    def take(self) -> tuple[bytes, bytes]:
        """Return what has gathered of the body, to be passed on, and what came behind the body's end."""
        taken = bytes(self._kept)
        self._kept.clear()
        if self._left is None:
            return taken, b""
        passed = taken[: self._left]
        self._left -= len(passed)
        return passed, taken[len(passed) :]

    def is_whole(self) -> bool:
        """Tell whether all of it was passed on; never of one whose length nobody knows."""
        return self._left == 0


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
