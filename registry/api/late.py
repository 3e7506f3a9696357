"""No request hangs: where no answer has begun in time, 503 ``timed_out`` is the answer.

Every wait below has a limit of its own and says what it waited for. This one is for what those do not bound together
(a queue for threads, a disk that does not return) and for whatever nobody thought of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive

ANSWER_SECONDS = 60.0


class Watch:
    """Watches one request: calls for an answer when nothing was heard or said for ``ANSWER_SECONDS``.

    The time that is spent waiting for the client does not count. What is at work is not ended: it may be in a thread
    that nobody can end, and its place at work stays taken until it is done.
    """

    __slots__ = ("_answer", "_handle", "_heard_at", "_is_listening", "_loop", "_receive", "_task")

    def __init__(self, receive: Receive, answer: Callable[[], Awaitable[None]]) -> None:
        """Begin to watch.

        Args:
            receive: of the request.
            answer: called once when it is late; does nothing when an answer has begun.
        """
        self._receive = receive
        self._answer = answer
        self._is_listening = False
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._task: asyncio.Future[None] | None = None
        self._handle = self._loop.call_later(ANSWER_SECONDS, self._look)

    async def receive(self) -> Message:
        """Receive for the application."""
        self._is_listening = True
        try:
            return await self._receive()
        finally:
            self._is_listening = False
            self._heard_at = self._loop.time()

    def end(self) -> None:
        """Watch no more."""
        self._handle.cancel()

    def _look(self) -> None:
        heard_at = self._loop.time() if self._is_listening else self._heard_at
        left = heard_at + ANSWER_SECONDS - self._loop.time()
        if left > 0:
            self._handle = self._loop.call_later(left, self._look)
        else:
            self._task = asyncio.ensure_future(self._answer())
