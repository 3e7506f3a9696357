"""No request hangs: where no answer has begun in time, 503 ``timed_out`` is the answer.

Every wait below has a limit of its own and says what it waited for. This one is for what those do not bound together
(a queue for threads, a disk that does not return) and for whatever nobody thought of.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive

ANSWER_SECONDS = 60.0
# All requests are looked at together, so many times in that time: a timer for each costs more than what it is for.
LOOKS = 60


class Watch:
    """Watches one request: calls for an answer when nothing was heard or said for ``ANSWER_SECONDS``.

    The time that is spent waiting for the client does not count. What is at work is not ended: it may be in a thread
    that nobody can end, and its place at work stays taken until it is done.
    """

    __slots__ = ("_answer", "_heard_at", "_is_listening", "_receive", "task")

    def __init__(self, receive: Receive, answer: Callable[[], Awaitable[None]]) -> None:
        """Begin to watch.

        Args:
            receive: of the request.
            answer: called once when it is late; does nothing when an answer has begun.
        """
        self._receive = receive
        self._answer = answer
        self._is_listening = False
        self._heard_at = time.monotonic()
        self.task: asyncio.Future[None] | None = None

    async def receive(self) -> Message:
        """Receive for the application."""
        self._is_listening = True
        try:
            return await self._receive()
        finally:
            self._is_listening = False
            self._heard_at = time.monotonic()

    def look(self, now: float) -> None:
        """Call for the answer if it is late."""
        if self.task is None and not self._is_listening and now - self._heard_at >= ANSWER_SECONDS:
            self.task = asyncio.ensure_future(self._answer())


class Watches:
    """All requests that are watched, of one event loop at a time."""

    def __init__(self) -> None:
        self._all: set[Watch] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, watch: Watch) -> None:
        """Watch a request."""
        self._all.add(watch)
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.get_running_loop()
            self._loop.call_later(ANSWER_SECONDS / LOOKS, self._look)

    def end(self, watch: Watch) -> None:
        """Watch a request no more."""
        self._all.discard(watch)

    def _look(self) -> None:
        loop, self._loop = self._loop, None
        now = time.monotonic()
        for watch in self._all:
            watch.look(now)
        if self._all and loop is not None:
            self._loop = loop
            loop.call_later(ANSWER_SECONDS / LOOKS, self._look)
