"""A connection whose client was quicker, or sends ahead."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from uvicorn.server import ServerState

from registry.api import connections, outgoing, pieces
from registry.api.connections import READ_BYTES, Connections, GuardedProtocol, Serving
from registry.api.door import CONNECTION
from registry.api.outgoing import Outgoing
from tests.unit.api.clients import Gone, Piped, answered_to, says_ok, settled


def test_a_client_that_is_gone_is_let_go_without_a_fault() -> None:
    async def run() -> None:
        serving: Any = None
        protocol: Any = GuardedProtocol(Connections(None, 1), serving, asyncio.get_running_loop())
        protocol.transport = Gone()
        protocol._linger()
        assert protocol.transport.is_aborted

    asyncio.run(run())


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
        await settled()
        assert asked == ["/0"]
        assert not transport.is_read
        assert len(protocol._next) < READ_BYTES
        released.set()
        await settled()
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


def test_what_waits_to_be_sent_must_go_at_some_pace() -> None:
    one = Outgoing()
    one.look(100_000, 1)
    one.look(100_000 - outgoing.TAKEN_BYTES + 1, 20)  # drop by drop is not at all
    assert not one.is_stalled(31)
    assert one.is_stalled(31.1)
    one.look(100_000 - outgoing.TAKEN_BYTES, 31.1)
    assert not one.is_stalled(61.1)
    assert one.is_stalled(61.2)
    one.look(0, 61.2)
    assert not one.is_stalled(1_000)
    assert one.moved_at == 61.2


def test_who_asks_and_does_not_read_keeps_no_connection_and_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(outgoing, "STALLED_SECONDS", 0.1)

    async def silent(_: socket.socket, all_of_them: Connections) -> None:
        for _ in range(500):
            await asyncio.sleep(0.02)
            if not all_of_them:
                break

    assert asyncio.run(answered_to(silent, 16, 1 << 20)) == {"lost", "0 open"}  # within an answer
    assert asyncio.run(answered_to(silent, 1, 16 << 20)) == {"sent", "0 open"}  # behind it


def test_a_slow_client_gets_its_answer_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(outgoing, "STALLED_SECONDS", 1.0)
    size, read = 16 << 20, 0

    async def slow(connection: socket.socket, _: Connections) -> None:
        nonlocal read
        loop, until = asyncio.get_running_loop(), time.monotonic() + 1.5  # while the kernel alone sends
        while read <= size:
            some = await loop.sock_recv(connection, 64 << 10)
            assert some, "the answer was cut off"
            read += len(some)
            if time.monotonic() < until:
                await asyncio.sleep(0.01)

    assert "sent" in asyncio.run(answered_to(slow, 1, size))
    assert read > size


@pytest.mark.parametrize(("begins", "answer"), [(False, b"HTTP/1.1 400 Bad Request"), (True, b"HTTP/1.1 200 OK")])
def test_what_are_no_chunks_gets_no_second_answer_within_the_first(begins: bool, answer: bytes) -> None:
    async def app(_scope: Any, receive: Any, send: Any) -> None:
        if begins:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await receive()
        await receive()
        raise AssertionError

    async def run() -> bytes:
        transport: Any = Piped()
        loop = asyncio.get_running_loop()
        protocol = GuardedProtocol(Connections(None, 1), Serving(app, ServerState(), {}), loop)
        protocol.connection_made(transport)
        protocol.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.sleep(0.01)
        protocol.data_received(b"no chunk\r\n")
        await asyncio.sleep(0.03)
        return bytes(transport.sent)

    sent = asyncio.run(run())
    assert sent.startswith(answer)
    assert sent.count(b"HTTP/1.1") == 1


_Seen = tuple[str, bytes]


def _request(draw: random.Random, number: int, *, is_last: bool) -> tuple[bytes, _Seen]:
    """Return one request and what an application is to see of it; what looks like another one is in its body."""
    body = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n" * draw.choice([0, 1, 3, 3_000])
    begin = b"POST /%d HTTP/1.1\r\nHost: a\r\n" % number
    if is_last and draw.random() < 0.5:  # behind chunks a connection that was sent more is closed
        step = draw.choice([7, 5_000])
        chunks = [body[at : at + step] for at in range(0, len(body), step)]
        told = b"".join(b"%x;a=b\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
        raw = begin + b"Transfer-Encoding: chunked\r\n\r\n" + told + b"0\r\nGET: /hidden\r\n\r\n"
    else:
        raw = begin + b"Content-Length: %d\r\n\r\n" % len(body) + body
    return raw, (f"/{number}", body)


def test_however_what_is_sent_is_cut_the_same_requests_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PACE_SECONDS", 0.0001)
    draw = random.Random(20)
    seen: list[_Seen] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if draw.random() < 0.5:
            await asyncio.sleep(0)
        body = scope[CONNECTION].body_at_hand(scope) if draw.random() < 0.5 else None
        is_whole = body is not None
        while not is_whole:
            message = await receive()
            body = (body or b"") + message["body"]
            is_whole = not message["more_body"]
        seen.append((scope["path"], body or b""))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def one_round() -> None:
        transport: Any = Piped()
        loop, count = asyncio.get_running_loop(), draw.randint(1, 4)
        protocol = GuardedProtocol(Connections(None, 1), Serving(app, ServerState(), {}), loop)
        protocol.connection_made(transport)
        made = [_request(draw, number, is_last=number == count - 1) for number in range(count)]
        raw = b"".join(sent for sent, _ in made)
        seen.clear()
        step = draw.choice([1, 17, 400] if len(raw) < 2_000 else [9_000, READ_BYTES])
        for at in range(0, len(raw), step):
            while not transport.is_read:  # noqa: ASYNC110 - there is no event for this
                await asyncio.sleep(0.0002)
            protocol.data_received(raw[at : at + step])
            if draw.random() < 0.3:
                await asyncio.sleep(0)
        async with asyncio.timeout(5):
            while len(seen) < count:  # noqa: ASYNC110 - there is no event for this
                await asyncio.sleep(0.0002)
        assert seen == [expected for _, expected in made]

    async def rounds() -> None:
        for _ in range(60):
            await one_round()

    asyncio.run(rounds())


async def _left_to(leaving: Callable[[GuardedProtocol], None], transport: Any) -> list[bool]:
    """Ask over a transport, let the client leave, then answer; gives whether the request was at work to the end."""
    lost: list[bool] = []
    released = asyncio.Event()

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        await released.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        lost.append(scope[CONNECTION].is_at_work(scope))

    serving = Serving(app, ServerState(), {})
    protocol = GuardedProtocol(Connections(None, 1), serving, asyncio.get_running_loop())
    protocol.connection_made(transport)
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await settled()
    leaving(protocol)
    released.set()
    await settled()
    return lost


def test_what_was_said_to_a_client_that_has_just_closed_was_not_handed_over() -> None:
    transport = Piped()
    assert asyncio.run(_left_to(lambda protocol: protocol.eof_received(), transport)) == [True]
    assert transport.sent == b""


def test_what_could_not_be_written_was_not_handed_over() -> None:
    class Broken(Piped):
        """A transport whose socket was reset, which shows when it is written to."""

        def is_closing(self) -> bool:
            return bool(self.sent)

    assert asyncio.run(_left_to(lambda _: None, Broken())) == [True]
    assert asyncio.run(_left_to(lambda _: None, Piped())) == [False]


def test_a_fault_ends_no_sweeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SWEEP_SECONDS", 0.01)
    looks: list[float] = []

    def failing(_self: GuardedProtocol, now: float) -> bool:
        looks.append(now)
        raise ValueError

    monkeypatch.setattr(GuardedProtocol, "is_late", failing)

    async def run() -> None:
        loop, transport = asyncio.get_running_loop(), Piped()
        loop.set_exception_handler(lambda *_: None)
        serving = Serving(says_ok, ServerState(), {})
        protocol: Any = GuardedProtocol(Connections(None, 1), serving, loop)
        protocol.connection_made(transport)
        async with asyncio.timeout(5):
            while len(looks) < 3:  # noqa: ASYNC110 - there is no event for this
                await asyncio.sleep(0.005)

    asyncio.run(run())
