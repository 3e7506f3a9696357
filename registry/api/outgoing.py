"""Answers on their way out: whether the client takes any of them.

A connection at work is not closed for being idle, and an answer that waits for its client holds a turn: who asks and
does not read would keep both for good.
"""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios

# Of what waits to be sent so much must go in this time, or all of it.
TAKEN_BYTES, STALLED_SECONDS = 16 << 10, 30.0
STALLED_AT_END_SECONDS = 5.0  # the server's end, which waits for answers and not for who takes none


class Outgoing:
    """What waits to be sent on one connection.

    Attributes:
        moved_at: when it was last seen that some of it had gone, or that there was more; 0 when there never was any.
    """

    __slots__ = ("_left", "moved_at")

    def __init__(self) -> None:
        self._left = 0
        self.moved_at = 0.0

    def look(self, unsent: int, now: float) -> None:
        """Take note of how many bytes wait, those included that the kernel holds."""
        has_moved = unsent > self._left or self._left - unsent >= TAKEN_BYTES
        if has_moved or (self._left and not unsent):
            self._left, self.moved_at = unsent, now

    def is_stalled(self, now: float, *, is_ending: bool = False) -> bool:
        """Tell whether something waits and too little of it has gone; the server's end waits less."""
        patience = min(STALLED_AT_END_SECONDS, STALLED_SECONDS) if is_ending else STALLED_SECONDS
        return self._left > 0 and now - self.moved_at > patience


def unsent_on(transport: asyncio.Transport, *, is_last: bool) -> int:
    """Return how many bytes wait that nobody has taken.

    What the kernel holds is megabytes on a quick line, and it takes more when a third of it is gone: looked at alone,
    the transport's own buffer would stand still for a client that reads all the time.

    Args:
        transport: of the connection.
        is_last: whether nothing more is going to be sent. Else it is none where the kernel has all: it sends that
            without us.
    """
    waiting = transport.get_write_buffer_size()
    if not waiting and not is_last:
        return 0
    try:
        held = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):  # no socket of this kind, or it is closed
        return waiting
    return waiting + int.from_bytes(held, sys.byteorder)
