"""Turns of requests that wait for their clients."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from registry.api.door import CONNECTION, Door


class Line:
    """A connection of a client who does not read for now."""

    is_vouched = False

    def __init__(self) -> None:
        self.flow = SimpleNamespace(write_paused=True)

    def ends_after_this(self, _scope: Any) -> bool:
        return False


def scope_of(line: Line) -> dict[str, Any]:
    strangers = SimpleNamespace(may_ask=lambda _source: True)
    tokens = SimpleNamespace(recall=lambda _token: None, knew=lambda _token: None)
    application = SimpleNamespace(strangers=strangers, tokens=tokens)
    app = SimpleNamespace(state=SimpleNamespace(application=application))
    return {"type": "http", "path": "/", "headers": [], "client": ("127.0.0.1", 1), "app": app, CONNECTION: line}


def test_an_answer_that_waits_for_its_client_has_no_turn() -> None:
    answered: list[str] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        answered.append("one")

    async def run() -> None:
        door, reads = Door(app, at_work=1), asyncio.Event()

        async def waiting(_message: Any) -> None:
            await reads.wait()

        async def taken(_message: Any) -> None:
            """Send to a client who reads."""

        receive: Any = None
        slow, other = Line(), Line()
        other.flow.write_paused = False
        first = asyncio.create_task(door(scope_of(slow), receive, waiting))
        await asyncio.sleep(0)
        async with asyncio.timeout(1):
            await door(scope_of(other), receive, taken)
        assert answered == ["one"]
        reads.set()
        await first
        assert door._turns.try_take("")  # each was given back once
        assert not door._turns.try_take("")

    asyncio.run(run())
    assert answered == ["one", "one"]
