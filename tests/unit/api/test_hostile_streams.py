"""Streams of bytes that two readers could take for different requests, whole and byte by byte."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from uvicorn.server import ServerState

from registry.api import pieces
from registry.api.connections import Connections, GuardedProtocol, Serving
from registry.api.states import GONE, LINGER
from tests.unit.api.hostile_streams import MARKER, Stream, streams

ALL = dict(streams())
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class Read:
    """What was read of a stream, and what was sent."""

    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    sent: bytes = b""
    is_closed: bool = False

    @property
    def statuses(self) -> tuple[int, ...]:
        """Those of answers."""
        return tuple(status for status in map(int, _STATUS.findall(self.sent)) if status != 100)


class Wire:
    """A transport that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_read = True
        self.is_ended = False

    def get_extra_info(self, _name: str) -> None:
        return None

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def write_eof(self) -> None:
        self.is_ended = True

    def abort(self) -> None:
        self.is_ended = True


async def _read(raw: bytes, step: int) -> Read:
    read, wire, loop = Read(), Wire(), asyncio.get_running_loop()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        read.asked.append(scope["path"])
        body, message = b"", {"more_body": scope["path"] != "/early"}
        while message["more_body"]:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
        read.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    protocol = GuardedProtocol(Connections(None, 1), Serving(app, ServerState(), {}), loop)
    protocol.connection_made(wire)  # type: ignore[arg-type]  # as much of a transport as is needed
    for at in range(0, len(raw), step):
        for _ in range(50):
            if wire.is_read:
                break
            await asyncio.sleep(0)
        protocol.data_received(raw[at : at + step])
        if protocol.state is LINGER:
            break  # all that follows is thrown away: test_connections.py
        await asyncio.sleep(0)
    for _ in range(12):
        await asyncio.sleep(0)
    read.sent, read.is_closed = b"".join(wire.sent), protocol.state in {LINGER, GONE}
    assert read.is_closed == wire.is_ended
    protocol.connection_lost(None)
    await asyncio.gather(*protocol._serving.state.tasks)
    return read


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(autouse=True)
def no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pass pieces on as they come: how few at a time is for other tests."""
    monkeypatch.setattr(pieces, "PACE", 1_000_000)


def judge(one: Stream, read: Read, *, is_cut: bool) -> None:
    """Check what was made of a stream."""
    assert set(read.asked) <= {"/a", "/next", "/early"}, "a body was read as a request"
    assert all(body in {b"", MARKER} for body in read.bodies), "something else than the body was read as one"
    expected = one.cut if is_cut and one.cut is not None else (one.statuses, one.is_closed)
    assert (read.statuses, read.is_closed) == expected


@pytest.mark.parametrize("name", ALL)
def test_a_stream_has_one_meaning_or_none(loop: asyncio.Runner, name: str) -> None:
    one = ALL[name]
    judge(one, loop.run(_read(one.raw, len(one.raw))), is_cut=False)
    judge(one, loop.run(_read(one.raw, 1 if len(one.raw) < 4_000 else 997)), is_cut=True)
