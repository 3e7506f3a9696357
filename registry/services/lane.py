"""The lane: single lookups that arrive together are answered together, by the same function that answers a batch.

One commit costs as much for sixty cards as for one. A lookup is put into the lane; one thread takes whatever has
gathered and calls ``disclose_many``. So cost per lookup falls as load rises, a slow disk makes batches larger and not
answers rarer, and nothing waits for a batch to fill.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Protocol

from registry.domain.errors import AuditUnavailable, Busy
from registry.services.disclose import Answer, Disclose, DisclosureAsk
from registry.services.kernel import Caller
from registry.services.meters import Meters

CAPACITY = 2_048
AT_ONCE = 256
# A lookup whose turn has not come by then is not made any more.
OVERDUE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """How the lane stands: lookups waiting, batches made, lookups answered, largest batch, the first one's wait (s)."""

    waiting: int
    batches: int
    answered: int
    largest: int
    lag: float = 0.0


class Reply(Protocol):
    """Where the answer to one lookup goes."""

    def claim(self) -> bool:
        """Tell whether somebody still waits for the answer; asked just before the lookup is made."""
        ...


class Replies(Protocol):
    """Hands answers over to those who wait, all of a batch at once."""

    def deliver(self, outcomes: Sequence[tuple[Any, Answer | BaseException]]) -> None:
        """Hand over answers or errors, each with the reply that was given with its ask. Must not raise."""
        ...


class _FutureReply:
    """The reply to a caller in another thread."""

    def __init__(self) -> None:
        self.future: Future[Answer] = Future()

    def claim(self) -> bool:
        return self.future.set_running_or_notify_cancel()


class _Futures:
    """Answers to callers in other threads."""

    def deliver(self, outcomes: Sequence[tuple[_FutureReply, Answer | BaseException]]) -> None:
        for reply, outcome in outcomes:
            if isinstance(outcome, BaseException):
                reply.future.set_exception(outcome)
            else:
                reply.future.set_result(outcome)


@dataclass(slots=True)  # a frozen one takes three times as long to make
class _Waiting:
    caller: Caller
    ask: DisclosureAsk
    reply: Reply
    replies: Replies
    since: float


class Lane:
    """Gathers single lookups into batches. Safe to use from any thread."""

    def __init__(
        self, disclose: Disclose, meters: Meters | None = None, *, capacity: int = CAPACITY, at_once: int = AT_ONCE
    ) -> None:
        self._disclose = disclose
        self._meters = Meters() if meters is None else meters
        self._capacity = capacity
        self._at_once = at_once
        self._futures = _Futures()
        self._waiting: deque[_Waiting] = deque()
        self._lock = threading.Lock()
        # Holds something while lookups wait or the lane is to end: waiting for it is one call, a condition takes ten.
        self._news: SimpleQueue[None] = SimpleQueue()
        self._is_closed = False
        self._figures = LaneFigures(0, 0, 0, 0)
        self._thread = threading.Thread(target=self._work, name="lane", daemon=True)
        self._thread.start()

    def submit(self, caller: Caller, ask: DisclosureAsk) -> Future[Answer]:
        """Put one lookup into the lane.

        Returns:
            Its answer to come, or the error that ``disclose_many`` raised for its batch, or ``timed_out`` when its turn
            did not come in ``OVERDUE_SECONDS``.

        Raises:
            Busy: the lane is full or closed; nothing was taken.
        """
        reply = _FutureReply()
        self.put(caller, ask, reply, self._futures)
        return reply.future

    def put(self, caller: Caller, ask: DisclosureAsk, reply: Reply, replies: Replies) -> None:
        """Put one lookup into the lane, to be answered through ``replies`` from the lane's thread.

        Raises:
            Busy: the lane is full or closed; nothing was taken.
        """
        with self._lock:
            if self._is_closed or len(self._waiting) >= self._capacity:
                raise Busy
            self._waiting.append(_Waiting(caller, ask, reply, replies, time.perf_counter()))
            is_first = len(self._waiting) == 1
        if is_first:  # else the thread is told already
            self._news.put(None)

    def close(self) -> None:
        """Take no more, answer all that wait, and end."""
        with self._lock:
            self._is_closed = True
        self._news.put(None)
        self._thread.join()

    def figures(self) -> LaneFigures:
        """Return how the lane stands."""
        with self._lock:
            done = self._figures
            lag = time.perf_counter() - self._waiting[0].since if self._waiting else 0.0
            return LaneFigures(len(self._waiting), done.batches, done.answered, done.largest, lag)

    def _work(self) -> None:
        while not self._is_done():
            self._news.get()
            while batch := self._take():
                self._answer(batch)

    def _is_done(self) -> bool:
        with self._lock:
            return self._is_closed and not self._waiting

    def _take(self) -> list[_Waiting]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), self._at_once))]

    def _answer(self, batch: list[_Waiting]) -> None:
        # A caller who went away before its turn is not looked up; from here on, one who goes away is on record.
        claimed = [one for one in batch if one.reply.claim()]
        # Behind a batch that hung, the next one may hang as long: nobody is made to wait for both.
        overdue = time.perf_counter() - OVERDUE_SECONDS
        late = [one for one in claimed if one.since < overdue]
        _deliver(late, [AuditUnavailable("timed_out")] * len(late))
        live = [one for one in claimed if one.since >= overdue]
        if not live:
            return
        waited = time.perf_counter() - live[0].since
        outcomes: Sequence[Answer | BaseException]
        try:
            outcomes = self._disclose.disclose_many([(one.caller, one.ask) for one in live])
        except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            outcomes = [error] * len(live)
        else:
            self._count(len(live), waited)
        _deliver(live, outcomes)

    def _count(self, size: int, waited: float) -> None:
        self._meters.batch(size, waited)
        with self._lock:
            before = self._figures
            self._figures = LaneFigures(0, before.batches + 1, before.answered + size, max(before.largest, size))


def _deliver(live: Sequence[_Waiting], outcomes: Sequence[Answer | BaseException]) -> None:
    grouped: dict[int, tuple[Replies, list[tuple[Any, Answer | BaseException]]]] = {}
    for one, outcome in zip(live, outcomes, strict=True):
        grouped.setdefault(id(one.replies), (one.replies, []))[1].append((one.reply, outcome))
    for replies, told in grouped.values():
        replies.deliver(told)
