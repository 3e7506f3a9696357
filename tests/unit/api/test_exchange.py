"""One request and its answer: what goes over the line, in one piece, and what may never go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from registry.api.exchange import HIGH_WATER, Exchange

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
BODY: Message = {"type": "http.response.body", "body": b"ok"}


class Flow:
    """Notes whether is read; never full."""

    write_paused = False
    is_reading = True

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True


class Line:
    """A connection that keeps what is written."""

    def __init__(self) -> None:
        self.flow: Any = Flow()
        self.pieces: list[bytes] = []
        self.ends: list[str] = []

    dated = b"date: now\r\n"

    def default_headers(self) -> bytes:
        return self.dated

    def write(self, data: bytes) -> None:
        self.pieces.append(data)

    def answered(self, exchange: Exchange) -> None:
        self.ends.append("answered" if exchange.is_kept_alive else "closed")

    def abort(self) -> None:
        self.ends.append("aborted")


def answered(
    app: Callable[[Any, Any, Any], Awaitable[None]],
    method: str = "GET",
    version: str = "1.1",
    given: Callable[[Exchange], None] = lambda exchange: exchange.add(b"", is_last=True),
) -> Line:
    line = Line()

    async def run() -> None:
        exchange = Exchange(
            line, {"method": method, "http_version": version}, is_kept_alive=version == "1.1", expects_continue=False
        )
        given(exchange)
        await exchange.run(app)

    asyncio.run(run())
    return line


def saying(*messages: Message) -> Callable[[Any, Any, Any], Awaitable[None]]:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


def test_an_answer_is_one_piece() -> None:
    line = answered(saying(START, BODY))
    assert line.pieces == [b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\nok"]
    assert line.ends == ["answered"]


@pytest.mark.parametrize("dated", [b"", b"date: now\r\nserver: x\r\n"])
def test_an_answer_is_whole_before_the_server_has_the_time_too(dated: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "dated", dated)
    assert answered(saying(START, BODY)).pieces == [b"HTTP/1.1 200 OK\r\n" + dated + b"content-length: 2\r\n\r\nok"]


def test_an_answer_of_unknown_length_is_chunks_or_ends_with_the_connection() -> None:
    start = {**START, "headers": []}
    pieces = [{**BODY, "more_body": True}, {**BODY, "more_body": True}, {**BODY, "body": b""}]
    head, *rest = answered(saying(start, *pieces)).pieces
    assert b"transfer-encoding: chunked\r\n" in head
    assert head.endswith(b"\r\n\r\n2\r\nok\r\n")
    assert rest == [b"2\r\nok\r\n", b"0\r\n\r\n"]
    old = answered(saying(start, *pieces), version="1.0")
    assert b"chunked" not in old.pieces[0]
    assert b"connection: close\r\n" in old.pieces[0]
    assert old.ends == ["closed"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304), ("DELETE", 204)])
def test_what_has_no_body_has_none(method: str, status: int) -> None:
    body = BODY if method == "HEAD" else {**BODY, "body": b""}
    start = {"type": "http.response.start", "status": status, "headers": []}
    (piece,) = answered(saying(start, body), method).pieces
    assert piece.endswith(b"\r\n\r\n")
    assert b"transfer-encoding" not in piece


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb: c", b"a\rb", b"a\0b"])
def test_no_header_begins_another_one(value: bytes) -> None:
    line = answered(saying({**START, "headers": [*START["headers"], (b"x", value)]}, BODY))
    assert (line.pieces, line.ends) == ([], ["aborted"])


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize(
    "headers",
    [
        [(b"transfer-encoding", b"chunked")],
        [(b"content-length", b"2"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"2"), (b"content-length", b"3")],
        [(b"content-length", b"2"), (b"content-length", b"2")],
    ],
)
def test_an_application_does_not_say_how_its_answer_is_sent(headers: list[tuple[bytes, bytes]], version: str) -> None:
    line = answered(saying({**START, "headers": headers}, {**BODY, "body": b"2\r\nok\r\n0\r\n\r\n"}), version=version)
    assert (line.pieces, line.ends) == ([], ["aborted"])
    two = [(b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"content-length", b"2")]
    assert answered(saying({**START, "headers": two}, BODY)).ends == ["answered"]


@pytest.mark.parametrize("body", [b"", b"o", b"oks"])
def test_an_answer_is_as_long_as_it_says(body: bytes) -> None:
    assert answered(saying(START, {**BODY, "body": body})).ends == ["aborted"]


def test_an_answer_before_the_end_of_a_body_ends_the_connection() -> None:
    line = answered(saying(START, BODY), "POST", given=lambda exchange: exchange.add(b"some", is_last=False))
    assert b"connection: close\r\n" in line.pieces[0]
    assert line.ends == ["closed"]


def test_who_says_nothing_leaves_nobody_waiting() -> None:
    assert answered(saying()).ends == ["aborted"]
    assert answered(saying(START)).ends == ["aborted"]


@pytest.mark.parametrize("start", [START, {"type": "http.response.start", "status": 200, "headers": []}])
def test_nothing_comes_behind_an_answer(start: Message) -> None:
    line = answered(saying(start, BODY, start, BODY))
    assert line.ends == ["answered"]
    assert line.pieces == answered(saying(start, BODY)).pieces


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("messages", [(BODY,), (START, START, BODY), (START, {**BODY, "more_body": True}, START, BODY)])
def test_an_answer_begins_once_and_first(messages: tuple[Message, ...], method: str) -> None:
    line = answered(saying(*messages), method)
    assert line.ends == ["aborted"]
    assert sum(piece.count(b"HTTP/1.1") for piece in line.pieces) <= 1


def test_two_at_a_time_receive_nothing() -> None:
    told: list[str] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        first = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        try:
            await receive()  # one of the two would never hear anything
        except RuntimeError:
            told.append("refused")
        first.cancel()

    answered(app, given=lambda _: None)
    assert told == ["refused"]


def test_a_fault_is_logged_without_what_was_worked_on() -> None:
    async def failing(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ValueError("816-555-0142")

    with capture_logs() as said:
        assert answered(failing).ends == ["aborted"]
    (line,) = said
    assert line.keys() == {"event", "log_level", "error", "where"}


def test_a_body_is_received_once() -> None:
    seen: list[Any] = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        seen.append(await receive())
        await send(START)
        await send(BODY)
        seen.append(await receive())

    answered(app, "POST", given=lambda exchange: exchange.add(b"all", is_last=True))
    assert seen == [{"type": "http.request", "body": b"all", "more_body": False}, {"type": "http.disconnect"}]


def test_a_body_is_at_hand_when_it_is_whole_and_once() -> None:
    line = Line()
    exchange = Exchange(line, {"method": "POST", "http_version": "1.1"}, is_kept_alive=True, expects_continue=False)
    exchange.add(b"a" * (HIGH_WATER + 1), is_last=False)
    assert not line.flow.is_reading
    assert exchange.body_at_hand() is None
    exchange.add(b"b", is_last=True)
    assert exchange.body_at_hand() == b"a" * (HIGH_WATER + 1) + b"b"
    assert exchange.body_at_hand() is None
    waiting = Exchange(line, {}, is_kept_alive=True, expects_continue=True)
    waiting.add(b"", is_last=True)
    assert waiting.body_at_hand() is None  # it waits for a word
