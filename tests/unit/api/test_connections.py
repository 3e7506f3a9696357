"""A connection whose client was quicker, or sends ahead."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.server import ServerState

from registry.api.connections import READ_BYTES, Connections, GuardedProtocol, Serving
from registry.api.door import CONNECTION


class Gone:
    """A transport of a client that has reset its connection."""

    is_aborted = False

    def is_closing(self) -> bool:
        return False

    def write_eof(self) -> None:
        raise OSError

    def abort(self) -> None:
        self.is_aborted = True


def test_a_client_that_is_gone_is_let_go_without_a_fault() -> None:
    loop: Any = None
    serving: Any = None
    protocol: Any = GuardedProtocol(Connections(None, 1), serving, loop)
    protocol.transport = Gone()
    protocol._linger()
    assert protocol.transport.is_aborted


class Piped:
    """A transport that notes whether it is read."""

    is_read = True

    def get_extra_info(self, _name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return False

    def write(self, _data: bytes) -> None:
        """Send nothing."""

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def abort(self) -> None:
        """End."""


def test_what_is_sent_ahead_is_one_request_after_another_and_not_read_on_meanwhile() -> None:
    asked: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await receive()
        await released.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def run() -> None:
        loop = asyncio.get_running_loop()
        transport: Any = Piped()
        protocol = GuardedProtocol(Connections(None, 1), Serving(app, ServerState(), {}), loop)
        protocol.connection_made(transport)
        protocol.data_received(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(3)))
        await asyncio.sleep(0.01)
        assert asked == ["/0"]
        assert not transport.is_read
        assert len(protocol._next) < READ_BYTES
        released.set()
        await asyncio.sleep(0.01)
        assert asked == ["/0", "/1", "/2"]
        assert transport.is_read

    released = asyncio.Event()
    asyncio.run(run())


def test_who_was_answered_for_being_late_takes_no_body_of_the_next_request() -> None:
    taken: list[Any] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        connection = scope[CONNECTION]
        if scope["path"] == "/late":  # the watch answers, and what it waited for goes on
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            await asyncio.sleep(0.01)
            taken.append((connection.body_at_hand(scope), connection.ends_after_this(scope)))
        else:
            await asyncio.sleep(0.02)
            taken.append((connection.body_at_hand(scope), connection.ends_after_this(scope)))

    async def run() -> None:
        transport: Any = Piped()
        loop = asyncio.get_running_loop()
        protocol = GuardedProtocol(Connections(None, 1), Serving(app, ServerState(), {}), loop)
        protocol.connection_made(transport)
        for path, body in ((b"/late", b"mine"), (b"/next", b"ours")):
            protocol.data_received(b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n%b" % (path, body))
        await asyncio.sleep(0.05)

    asyncio.run(run())
    assert taken == [(None, False), (b"ours", False)]
