"""The end of a connection: the last answer arrives whole, and nobody is waited for who does not go."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest
from uvicorn.server import ServerState

from registry.api import connections, lingering, outgoing
from registry.api.connections import Connections, GuardedProtocol, Serving
from tests.unit.api.clients import Client, Piped, answered_to, asked, says_ok, settled

_BEHIND = b"GET /behind HTTP/1.1\r\nHost: a\r\n\r\n" * 20_000
_LAST = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


async def _ended(raw: bytes, app: Any, *, is_closed_at_once: bool = True) -> bytes:
    """Send, then read to the end, and wait until the server has let the connection go; gives what came."""
    async with asked(app, raw) as (connection, all_of_them, _):
        loop, came = asyncio.get_running_loop(), b""
        await asyncio.sleep(0.05)
        while some := await loop.sock_recv(connection, 1 << 20):
            came += some
        if is_closed_at_once:
            connection.close()
        async with asyncio.timeout(60):
            while all_of_them:  # noqa: ASYNC110 - there is no event for this
                await asyncio.sleep(0.005)
    return came


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"200 OK"),
        (b"GET / HTTP/1.0\r\n\r\n", b"200 OK"),
        (_LAST + b"0\r\n\r\n", b"200 OK"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n", b"200 OK"),
        (b"no http\r\n\r\n", b"400 Bad Request"),
        (b"X" * connections.MAX_HEAD_BYTES, b"431 Request Header Fields Too Large"),
    ],
)
def test_what_is_sent_behind_a_last_answer_takes_nothing_of_it_away(raw: bytes, answer: bytes) -> None:
    came = asyncio.run(_ended(raw + _BEHIND, says_ok))
    assert came.startswith(b"HTTP/1.1 " + answer)
    assert came.count(b"HTTP/1.1") == 1
    assert came.endswith(b"ok" * 50_000 if b"200" in answer else b"\r\n\r\n")


def test_chunks_that_are_none_get_their_answer_whole_too() -> None:
    async def reads(_scope: Any, receive: Any, _send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    came = asyncio.run(_ended(_LAST + b"zz\r\n" + _BEHIND, reads))
    assert came.startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_who_was_answered_last_and_does_not_go_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 0.1)
    raw = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    assert asyncio.run(_ended(raw, says_ok, is_closed_at_once=False)).endswith(b"ok")


def test_who_was_answered_last_and_sends_on_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER_BYTES", len(_BEHIND) // 2)

    async def run() -> None:
        loop, transport = asyncio.get_running_loop(), Piped()
        protocol: Any = GuardedProtocol(Connections(None, 1), Serving(says_ok, ServerState(), {}), loop)
        protocol.connection_made(transport)
        protocol.data_received(b"GET / HTTP/1.0\r\n\r\n")
        await settled()
        protocol.data_received(_BEHIND[: len(_BEHIND) // 3])
        assert not transport.is_aborted
        protocol.data_received(_BEHIND[: len(_BEHIND) // 3])
        assert transport.is_aborted

    asyncio.run(run())


def test_a_slow_client_gets_its_last_answer_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 0.1)
    size, read = 16 << 20, 0

    async def slow(connection: socket.socket, _: Connections) -> None:
        nonlocal read
        loop, until = asyncio.get_running_loop(), time.monotonic() + 1.0
        await loop.sock_sendall(connection, _BEHIND[:100_000])  # unread: a close of ours would be a reset
        while some := await loop.sock_recv(connection, 64 << 10):
            read += len(some)
            if time.monotonic() < until:
                await asyncio.sleep(0.01)

    asyncio.run(answered_to(slow, 1, size, b"Connection: close\r\n"))
    assert read > size


def test_the_time_to_close_begins_when_all_of_the_last_answer_has_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        loop, unsent = asyncio.get_running_loop(), 1
        monkeypatch.setattr(connections, "unsent_on", lambda _transport, *, is_last: unsent if is_last else 0)
        protocol: Any = GuardedProtocol(Connections(None, 1), Serving(says_ok, ServerState(), {}), loop)
        protocol.connection_made(Piped())
        protocol.data_received(b"GET / HTTP/1.0\r\n\r\n")
        await settled()
        arrived = loop.time() + 20
        assert not protocol.is_late(arrived)  # some of it is on its way
        unsent = 0
        assert not protocol.is_late(arrived + lingering.LINGER_SECONDS)
        assert protocol.is_late(arrived + lingering.LINGER_SECONDS + 0.1)

    asyncio.run(run())


async def _end_with(client: Client, raw: bytes, app: Any) -> int:
    """Ask, let the client be, and tell that the server ends; gives how many connections are left after a while."""
    async with asked(app, raw) as (connection, all_of_them, serving):
        await client(connection, all_of_them)
        await asyncio.sleep(0.3)
        assert len(all_of_them) == 1, "it is waited for while the server goes on"
        all_of_them.is_ending = True
        for one in list(serving.state.connections):
            one.shutdown()
        for _ in range(200):
            await asyncio.sleep(0.01)
            if not all_of_them:
                break
        return len(all_of_them)


async def _reads_all(connection: socket.socket, _: Connections) -> None:
    while await asyncio.get_running_loop().sock_recv(connection, 1 << 20):
        pass


async def _reads_nothing(_: socket.socket, __: Connections) -> None:
    """Take no answer."""


async def _says_much(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": bytes(16 << 20)})


async def _says_much_in_pieces(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for left in range(16, 0, -1):
        await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": left > 1})


@pytest.mark.parametrize(
    ("client", "more", "app"),
    [
        (_reads_all, b"Connection: close\r\n", says_ok),  # answered last, and its own side stays open
        (_reads_nothing, b"Connection: close\r\n", _says_much),
        (_reads_nothing, b"", _says_much),  # between requests
        (_reads_nothing, b"", _says_much_in_pieces),  # at work
    ],
)
def test_the_end_of_the_server_waits_for_nobody_who_takes_nothing_and_does_not_close(
    monkeypatch: pytest.MonkeyPatch, client: Client, more: bytes, app: Any
) -> None:
    monkeypatch.setattr(connections, "_SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 60.0)
    monkeypatch.setattr(lingering, "LINGER_AT_END_SECONDS", 0.1)
    monkeypatch.setattr(outgoing, "STALLED_AT_END_SECONDS", 0.1)
    raw = b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n" % more
    assert asyncio.run(_end_with(client, raw, app)) == 0
