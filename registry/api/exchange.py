"""One request and its answer: what ASGI calls receive and send, over one connection."""

from __future__ import annotations

import asyncio
import http
from collections.abc import Iterable
from typing import Protocol

import structlog
from starlette.types import ASGIApp, Message, Scope
from uvicorn.protocols.http.flow_control import FlowControl

from registry.domain.faults import place_of

# Read no more of a body while so much of it waits for whoever reads it.
HIGH_WATER = 64 << 10
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BODILESS = frozenset({204, 304})


def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


_STATUS_LINES = {status: _status_line(status) for status in range(200, 600)}

log = structlog.get_logger("registry.api")


def _log_fault(error: Exception) -> None:
    # Never with its traceback, which may quote what was being worked on.
    log.error("fault", error=type(error).__name__, where=place_of(error))


def _refuse_framing(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refuse headers that say otherwise than the server, or twice, where an answer ends."""
    names = [name for name, _ in headers]
    if b"transfer-encoding" in names or names.count(b"content-length") > 1:
        raise RuntimeError("where an answer ends is said once, and how it is sent is not the application's to say")


class Line(Protocol):
    """The connection, as its exchange uses it."""

    @property
    def flow(self) -> FlowControl:
        """Whether to read and write."""
        ...

    def default_headers(self) -> bytes:
        """Return the lines that every answer begins with, if any."""
        ...

    def write(self, data: bytes) -> None:
        """Send."""
        ...

    def answered(self, exchange: Exchange) -> None:
        """Take note that an answer is whole."""
        ...

    def abort(self) -> None:
        """End the connection at once."""
        ...


class Exchange:
    """One request and its answer.

    Attributes:
        scope: of ASGI.
        more_body: whether the body has not come in whole.
        is_kept_alive: whether the connection may be used further.
        is_complete: whether the answer is whole.
        is_gone: whether the client is.
    """

    __slots__ = (
        "_body",
        "_expects_continue",
        "_has_news",
        "_is_chunked",
        "_is_open_ended",
        "_left",
        "_line",
        "_start",
        "_waiter",
        "is_complete",
        "is_gone",
        "is_kept_alive",
        "more_body",
        "scope",
    )

    def __init__(self, line: Line, scope: Scope, *, is_kept_alive: bool, expects_continue: bool) -> None:
        self._line = line
        self.scope = scope
        self.is_kept_alive = is_kept_alive
        self._expects_continue = expects_continue
        self._body = b""
        self._has_news = False
        self._waiter: asyncio.Future[None] | None = None
        self.more_body = True
        self._start: Message | None = None
        self._is_chunked = self._is_open_ended = False
        self._left = -1  # bytes of the answer still to come; -1 until the answer has begun
        self.is_complete = self.is_gone = False

    @property
    def has_begun(self) -> bool:
        """Whether something of the answer was sent."""
        return self._left >= 0

    def add(self, piece: bytes, *, is_last: bool) -> None:
        """Take a piece of the body."""
        if self.is_complete:
            return
        self._body = self._body + piece if self._body else piece
        self.more_body = not is_last
        if len(self._body) > HIGH_WATER:
            self._line.flow.pause_reading()
        self._wake()

    def leave(self) -> None:
        """Note that the client is gone."""
        self.is_gone = True
        self._wake()

    def body_at_hand(self) -> bytes | None:
        """Return the whole body if it has come; None when it must be received."""
        if self.more_body or self.is_gone or not self._has_news or self._expects_continue:
            return None
        self._has_news = False
        body, self._body = self._body, b""
        return body

    async def run(self, app: ASGIApp) -> None:
        """Let an application answer."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception as error:  # noqa: BLE001 - the last catch
            _log_fault(error)
        finally:
            if not self.is_complete and not self.is_gone:
                self._line.abort()

    async def receive(self) -> Message:
        """See ASGI."""
        if self._expects_continue and not self.has_begun and self.more_body and not self.is_gone:
            self._line.write(_CONTINUE)
        self._expects_continue = False
        if not self._has_news and not self.is_gone and not self.is_complete:
            if self.more_body:
                self._line.flow.resume_reading()
            if self._waiter is not None and not self._waiter.done():
                raise RuntimeError("one at a time receives: another would never be woken")
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        self._has_news = False
        if self.is_gone or self.is_complete:
            return {"type": "http.disconnect"}
        body, self._body = self._body, b""
        if self.more_body:
            self._line.flow.resume_reading()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Message) -> None:
        """See ASGI. The head goes out with the first piece of the body."""
        if self._line.flow.write_paused and not self.is_gone:
            await self._line.flow.drain()
        if self.is_gone or self.is_complete:  # what came behind an answer would be taken for the next one
            return
        is_start = message["type"] == "http.response.start"
        if is_start == (self._start is not None or self.has_begun):
            raise RuntimeError("an answer begins once, with its start")
        if is_start:
            self._start = message
            return
        piece, is_last = message.get("body", b""), not message.get("more_body", False)
        written: list[bytes] = []
        if self._start is not None:
            written.append(self._head(self._start, len(piece) if is_last else None))
            self._start = None
        self._cut(piece, written, is_last=is_last)
        self._line.write(b"".join(written))
        if is_last:
            self.is_complete = True
            self._wake()
            self._line.answered(self)

    def _wake(self) -> None:
        self._has_news = True
        if self._waiter is not None:
            if not self._waiter.done():
                self._waiter.set_result(None)
            self._waiter = None

    def _head(self, start: Message, length: int | None) -> bytes:
        status, headers = start["status"], start["headers"]
        dated = self._line.default_headers()
        lines = [_STATUS_LINES[status], dated]
        lines += [b"%b: %b\r\n" % header for header in headers]
        named = dict(headers)
        is_bodiless = self.scope["method"] == "HEAD" or status in _BODILESS
        declared = named.get(b"content-length")
        if b"transfer-encoding" in named or len(named) != len(headers):
            _refuse_framing(headers)
        self._left = 0 if is_bodiless else int(declared or length or 0)
        if declared is None and not is_bodiless:
            if length is not None:
                lines.append(b"content-length: %d\r\n" % length)
            elif self.scope["http_version"] == "1.1":
                self._is_chunked = True
                lines.append(b"transfer-encoding: chunked\r\n")
            else:
                self._is_open_ended, self.is_kept_alive = True, False
        if self.more_body:  # which is not going to be read
            self.is_kept_alive = False
        if named.get(b"connection", b"").lower() == b"close":
            self.is_kept_alive = False
        elif not self.is_kept_alive:
            lines.append(b"connection: close\r\n")
        elif self.scope["http_version"] == "1.0":
            lines.append(b"connection: keep-alive\r\n")
        lines.append(b"\r\n")
        head = b"".join(lines)
        # A line break within a header would begin another one.
        breaks = len(lines) - 1 + dated.count(b"\n")
        if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
            raise RuntimeError("no header of an answer has a line break in it")
        return head

    def _cut(self, piece: bytes, written: list[bytes], *, is_last: bool) -> None:
        if self.scope["method"] == "HEAD":
            return
        if self._is_chunked:
            if piece:
                written += (b"%x\r\n" % len(piece), piece, b"\r\n")
            if is_last:
                written.append(b"0\r\n\r\n")
            return
        self._left -= 0 if self._is_open_ended else len(piece)
        if self._left < 0 or (is_last and self._left):
            raise RuntimeError("an answer is as long as it says")
        written.append(piece)
