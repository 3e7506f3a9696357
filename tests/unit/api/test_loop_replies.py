"""Answers of a batch come to the event loop that waits for them, in one call, and to nobody who went away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from registry.api.lookup import LoopReplies, LoopReply
from registry.domain.errors import AuditUnavailable
from registry.services.disclose import Answer, Refused
from registry.services.kernel import ReceiptView

REFUSED = Refused("not_permitted", ReceiptView("registry.example", 7, 8, "K7QF-2M9D"))


def from_another_thread(replies: LoopReplies, outcomes: Sequence[tuple[LoopReply, Answer | BaseException]]) -> None:
    thread = threading.Thread(target=replies.deliver, args=(outcomes,))
    thread.start()
    thread.join()


def test_each_waiter_gets_its_own_answer_or_error() -> None:
    async def wait() -> list[object]:
        loop = asyncio.get_running_loop()
        replies, first, second = LoopReplies(loop), LoopReply(loop), LoopReply(loop)
        from_another_thread(replies, [(first, REFUSED), (second, AuditUnavailable("disk_full"))])
        return list(await asyncio.gather(first.future, second.future, return_exceptions=True))

    answer, error = asyncio.run(wait())
    assert answer is REFUSED
    assert isinstance(error, AuditUnavailable)
    assert error.cause == "disk_full"


def test_a_whole_batch_wakes_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait() -> int:
        loop = asyncio.get_running_loop()
        woken: list[object] = []
        real = loop.call_soon_threadsafe

        def counted(*call: Any) -> object:
            woken.append(call)
            return real(*call)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        waiting = [LoopReply(loop) for _ in range(50)]
        from_another_thread(LoopReplies(loop), [(reply, REFUSED) for reply in waiting])
        await asyncio.gather(*(reply.future for reply in waiting))
        return len(woken)

    assert asyncio.run(wait()) == 1


def test_one_who_went_away_is_not_claimed_and_hurts_nobody() -> None:
    async def wait() -> tuple[bool, bool, Answer]:
        loop = asyncio.get_running_loop()
        gone, here = LoopReply(loop), LoopReply(loop)
        before = gone.claim()
        gone.future.cancel()
        from_another_thread(LoopReplies(loop), [(gone, REFUSED), (here, REFUSED)])
        return before, gone.claim(), await here.future

    assert asyncio.run(wait()) == (True, False, REFUSED)


def test_a_loop_that_is_closed_stops_no_lane() -> None:
    loop = asyncio.new_event_loop()
    reply = LoopReply(loop)
    loop.close()
    LoopReplies(loop).deliver([(reply, REFUSED)])
    assert not reply.future.done()
