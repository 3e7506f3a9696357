"""Connections: how many, for how long, how large a head; on top of uvicorn's own protocol.

Uvicorn bounds none of this. A connection that says nothing, or says it one byte at a time, costs a client nothing and
this process a file and some memory, so it has to be the one that goes when there are too many.
"""

from __future__ import annotations

import asyncio
import heapq
import resource
import socket
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from registry.api.door import CONNECTION
from registry.api.pieces import Body, Pace, bytes_left
from registry.identity.strangers import Strangers

MAX_CONNECTIONS = 2_048
_FILES_FOR_OTHERS = 256  # database, ledger, key service
# From the first byte of a head to its last, and from the opening of a connection to its first head.
HEAD_SECONDS = 10.0
# Between requests: uvicorn's own 30 s, and this for whoever has shown no good token on the connection.
IDLE_SECONDS = 5.0
MAX_HEAD_BYTES = 16 << 10  # a token has 8 KiB at most
MAX_HEAD_LINES = 100
READ_BYTES = 64 << 10
# After an answer before the end of its body, so that the answer is not lost in a reset.
LINGER_SECONDS, LINGER_BYTES = 2.0, 4 << 20
_SWEEP_SECONDS = 1.0
_CLOSED_AT_ONCE = 64
_REFUSED_AT_ONCE = 8
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncache-control: no-store\r\n"
    b"x-content-type-options: nosniff\r\ncontent-length: 0\r\n\r\n"
)


class Listening(socket.socket):
    """A listening socket that closes connections of sources that are cut off as soon as they are taken.

    A transport, a task and a protocol for each would make them ten times as expensive.

    Attributes:
        is_refused: tells so of an address.
        on_refused: told of an address whose connection is about to be closed.
    """

    is_refused: Callable[[str], bool] | None = None
    on_refused: Callable[[str], object] | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        """Take a connection.

        Raises:
            BlockingIOError: there is none, or there were only such as are refused.
        """
        for _ in range(_REFUSED_AT_ONCE):
            connection, address = super().accept()
            if self.is_refused is None or not self.is_refused(address[0]):
                return connection, address
            if self.on_refused is not None:
                self.on_refused(address[0])  # first: whoever sees the connection closed comes again at once
            connection.close()
        raise BlockingIOError


class Connections:
    """The connections of one process."""

    def __init__(self, strangers: Strangers | None, most: int | None = None) -> None:
        """Begin without any.

        Args:
            strangers: says which sources are cut off; None when nobody is.
            most: how many at a time; when not given, what the limit on open files leaves, 2,048 at most.
        """
        self._strangers = strangers
        self.most = _affordable() if most is None else most
        self.pace = Pace()
        self._open: set[GuardedProtocol] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    def __call__(self, *args: Any, **named: Any) -> GuardedProtocol:
        """Make the protocol of one connection; uvicorn calls this as if it were the class."""
        protocol = GuardedProtocol(*args, **named)
        protocol.all = self
        return protocol

    def admits(self, protocol: GuardedProtocol, source: str) -> bool:
        """Take a new connection in, closing others for it if need be; False when it is to be closed unread."""
        if self.refuses(source):
            return False
        if len(self._open) >= self.most and not self._close_some():
            return False
        self._open.add(protocol)
        if self._sweeping is None:
            self._sweeping = protocol.loop.call_later(_SWEEP_SECONDS, self._sweep, protocol.loop)
        return True

    def refuses(self, source: str) -> bool:
        """Tell whether connections from there are not even taken."""
        return self._strangers is not None and self._strangers.is_cut_off(source)

    def discard(self, protocol: GuardedProtocol) -> None:
        """Forget a connection that is gone."""
        self._open.discard(protocol)

    def annoyed_by(self, source: str) -> None:
        """Note a request that could not be read at all."""
        if self._strangers is not None:
            self._strangers.may_ask(source)

    def __len__(self) -> int:
        return len(self._open)

    def _close_some(self) -> bool:
        """Close those that have been waiting longest, strangers first; False when all are at work."""
        waiting = [one for one in self._open if one.waiting_since is not None]
        for one in heapq.nsmallest(_CLOSED_AT_ONCE, waiting, key=GuardedProtocol.usefulness):
            self._open.discard(one)
            one.transport.abort()
        return bool(waiting)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for one in [one for one in self._open if one.is_late(now)]:
            one.transport.abort()
        self._sweeping = loop.call_later(_SWEEP_SECONDS, self._sweep, loop) if self._open else None


class GuardedProtocol(H11Protocol):
    """One connection.

    Attributes:
        all: the connections of this process.
        waiting_since: when it began to wait for a request; None while one is at work.
        is_vouched: whether a good token came over it.
    """

    all: Connections
    waiting_since: float | None = None
    is_vouched = False
    _head_since: float | None = None
    _head = b""
    _body: Body | None = None
    _lingering = -1

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection in, or close it unread."""
        super().connection_made(transport)
        transport.max_size = READ_BYTES  # type: ignore[attr-defined]  # of asyncio's own: 256 KiB, new memory each time
        self.waiting_since = self._head_since = self.loop.time()
        if not self.all.admits(self, self.client[0] if self.client else ""):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.all.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass on what came in, if it may."""
        if self._lingering >= 0:
            self._lingering -= len(data)
            if self._lingering < 0:
                self.transport.abort()
            else:
                self._read_at_a_pace()
            return
        if self.waiting_since is None:
            self._receive_more(data)
            return
        if not self._is_small_head(data):
            self._refuse_head()
            return
        super().data_received(data)
        self._note_request()

    def on_response_complete(self) -> None:
        """Wait for the next request, which may be here already."""
        self.waiting_since = self.loop.time()
        if self._lingering >= 0:
            return
        pipelined, _ = self.conn.trailing_data
        if pipelined and not self._is_small_head(pipelined):
            self._refuse_head()
            return
        super().on_response_complete()
        self._note_request()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self.all.annoyed_by(self.client[0] if self.client else "")
        super().send_400_response(msg)

    def ends_after_this(self) -> bool:
        """Tell whether the body of the request at work has not come in whole; see ``frame.Connection``."""
        if not self.cycle.more_body:
            return False
        self.cycle.transport = _Lingering(self.transport, self._linger)  # type: ignore[assignment]  # what it calls
        return True

    def usefulness(self) -> tuple[bool, float]:
        """Order connections that wait: the least useful first."""
        return self.is_vouched, self.waiting_since or 0.0

    def is_late(self, now: float) -> bool:
        """Tell whether a head has been coming for too long, or a stranger has been silent for too long."""
        if self._lingering >= 0 or self.waiting_since is None:
            return False
        if self._head_since is not None:
            return now - self._head_since > HEAD_SECONDS
        return not self.is_vouched and now - self.waiting_since > IDLE_SECONDS

    def _note_request(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            return
        self._head, self._head_since, self.waiting_since = b"", None, None
        scope: dict[str, Any] = cycle.scope  # type: ignore[assignment]  # a member of ours, for the frame and the door
        scope[CONNECTION] = self
        self._body = None
        if cycle.more_body:
            self._body = Body(bytes_left(scope["headers"], len(cycle.body)))

    def _receive_more(self, data: bytes) -> None:
        """Take more of a body; or of the next request, which waits."""
        body = self._body
        if body is None or not self.cycle.more_body:
            super().data_received(data)
            return
        body.add(data)
        if body.is_due():
            self._pass_on()
        elif not body.is_short() and not body.is_queued:
            body.is_queued = True
            self.all.pace.add(self._pass_on, self.loop)

    def _pass_on(self) -> None:
        if self._body is None or self._lingering >= 0 or self.transport.is_closing():
            return
        self._body.is_queued = False
        gathered = self._body.take()
        if gathered:  # else it went on its way meanwhile
            super().data_received(gathered)

    def _read_at_a_pace(self) -> None:
        """Read no more until this connection's turn comes, for one piece."""
        self.transport.pause_reading()
        self.all.pace.add(self.transport.resume_reading, self.loop)

    def _is_small_head(self, data: bytes) -> bool:
        """Look at a head before it is parsed: parsing takes time by the line, and sees whatever came in one piece."""
        self._head += data[: MAX_HEAD_BYTES + 1 - len(self._head)]
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            if self._head_since is None:
                self._head_since = self.loop.time()
            end = len(self._head)
        return end <= MAX_HEAD_BYTES and self._head.count(b"\n", 0, end) <= MAX_HEAD_LINES

    def _refuse_head(self) -> None:
        self.all.annoyed_by(self.client[0] if self.client else "")
        self.transport.write(_TOO_LARGE)
        self._linger()

    def _linger(self) -> None:
        """End the connection without a reset: what the client still sends is thrown away for a while."""
        if self._lingering >= 0 or self.transport.is_closing():
            return
        self._lingering = LINGER_BYTES
        self._body = None
        try:
            self.transport.write_eof()
        except OSError:  # reset by the client meanwhile
            self.transport.abort()
            return
        self._read_at_a_pace()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


class _Lingering:
    """Stands for the transport of an answer that comes before the end of its body."""

    def __init__(self, transport: asyncio.Transport, linger: Callable[[], None]) -> None:
        self._transport = transport
        self.close = linger
        self.write = transport.write
        self.is_closing = transport.is_closing


def _affordable() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _FILES_FOR_OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        soft = limit
    if soft == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(16, min(MAX_CONNECTIONS, soft - _FILES_FOR_OTHERS))
