"""What a connection is about, and that nothing else comes of it than what may."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from uvicorn.server import ServerState

from registry.api.connections import Connections, GuardedProtocol, Serving
from registry.api.states import GONE, HEAD, IDLE, LINGER, WORK, IllegalMove, State

_MAY = {
    (IDLE, HEAD),
    (IDLE, WORK),
    (HEAD, WORK),
    (WORK, IDLE),
    *((one, LINGER) for one in (IDLE, HEAD, WORK)),
    *((one, GONE) for one in State),
}


class Wire:
    """A transport that notes whether it was ended."""

    is_ended = False

    def __init__(self) -> None:
        self.sent = b""

    def get_extra_info(self, _name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self.is_ended

    def write(self, data: bytes) -> None:
        self.sent += data

    def write_eof(self) -> None:
        """Send no more."""

    def close(self) -> None:
        self.is_ended = True

    abort = close


async def _says_ok(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def connected() -> tuple[Any, Wire, ServerState]:
    """Return a connection that has just been made; on an event loop."""
    state, wire = ServerState(), Wire()
    protocol: Any = GuardedProtocol(Connections(None, 1), Serving(_says_ok, state, {}), asyncio.get_running_loop())
    protocol.connection_made(wire)
    return protocol, wire, state


async def settled(state: ServerState) -> None:
    while state.tasks:
        await asyncio.gather(*state.tasks)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(State, State)))
def test_only_what_may_come_comes_and_anything_else_ends_the_connection(before: State, after: State) -> None:
    async def run() -> None:
        protocol, wire, _ = connected()
        protocol.state = before
        if (before, after) in _MAY:
            protocol._move(after)
            assert protocol.state is after
            assert not wire.is_ended
        else:
            with pytest.raises(IllegalMove, match=f"{before.name} to {after.name}"):
                protocol._move(after)
            assert wire.is_ended
            assert protocol.state is before

    asyncio.run(run())


def test_what_a_connection_goes_through() -> None:
    async def run() -> None:
        ask = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        protocol, _, state = connected()
        assert protocol.state is HEAD
        protocol.data_received(ask)
        assert protocol.state is WORK
        await settled(state)
        assert protocol.state is IDLE
        protocol.data_received(ask[:7])
        assert protocol.state is HEAD
        protocol.data_received(ask[7:])
        await settled(state)
        assert protocol.state is IDLE
        protocol.data_received(b"no http\r\n\r\n")
        assert protocol.state is LINGER
        protocol.connection_lost(None)
        assert protocol.state is GONE

    asyncio.run(run())


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"no http\r\n\r\n"])
def test_the_end_closes_what_waits_for_a_request_and_nothing_else(begun: bytes) -> None:
    async def run() -> None:
        protocol, wire, state = connected()
        if begun:
            protocol.data_received(begun)
        protocol.shutdown()
        assert wire.is_ended == (not begun)
        assert protocol.state is (GONE if not begun else WORK if begun.startswith(b"GET") else LINGER)
        if protocol.state is WORK:
            await settled(state)
            assert wire.sent.endswith(b"ok")
            assert b"connection: close" in wire.sent
            assert protocol.state is LINGER

    asyncio.run(run())


@pytest.mark.parametrize(("raw", "status"), [(b"no http\r\n\r\n", b"400"), (b"a" * (17 << 10), b"431")])
def test_a_refusal_says_when(raw: bytes, status: bytes) -> None:
    async def run() -> None:
        protocol, wire, state = connected()
        state.default_headers = [(b"date", b"Fri, 27 Nov 2026 23:00:00 GMT")]
        protocol.data_received(raw)
        assert wire.sent.startswith(b"HTTP/1.1 " + status)
        assert wire.sent.count(b"\r\ndate: Fri, 27 Nov 2026 23:00:00 GMT\r\n") == 1
        assert wire.sent.endswith(b"\r\ncontent-length: 0\r\n\r\n")

    asyncio.run(run())
