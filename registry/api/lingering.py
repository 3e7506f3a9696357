"""The end of a connection: what still comes is read and thrown away until the client has closed, or for a while.

To close while something unread is there is a reset, and a reset takes an answer away that is still on its way or lies
unread at the client (RFC 9112, section 9.6).
"""

from __future__ import annotations

# From the time when all of the answer has arrived.
LINGER_SECONDS, LINGER_BYTES = 2.0, 4 << 20
LINGER_AT_END_SECONDS = 0.5  # when the server itself ends, which waits for nobody to close


class Lingering:
    """A connection that is answered in whole and not closed yet."""

    __slots__ = ("_left", "_since")

    def __init__(self, now: float) -> None:
        self._left = LINGER_BYTES
        self._since = now

    def throw_away(self, size: int) -> bool:
        """Count what came; False when it is too much."""
        self._left -= size
        return self._left >= 0

    def wait_for_answer(self, now: float) -> None:
        """Count the time from now on: the client has not had all of the answer."""
        self._since = now

    def is_over(self, now: float, *, is_ending: bool = False) -> bool:
        """Tell whether the client has had its time to close; the server's end gives it less."""
        return now - self._since > (min(LINGER_AT_END_SECONDS, LINGER_SECONDS) if is_ending else LINGER_SECONDS)
