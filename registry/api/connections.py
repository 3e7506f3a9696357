"""Connections: how many, for how long, how large a head; in the place of uvicorn's own protocol.

Uvicorn's bounds none of this. A connection that says nothing, or says it one byte at a time, costs a client nothing and
this process a file and some memory, so it has to be the one that goes when there are too many.
"""

from __future__ import annotations

import asyncio
import heapq
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import structlog
from starlette.types import ASGIApp, Scope
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from registry.api.door import CONNECTION
from registry.api.exchange import Exchange
from registry.api.heads import Chunks, Head, Malformed, read_head
from registry.api.lingering import Lingering
from registry.api.outgoing import Outgoing, unsent_on
from registry.api.pieces import Body, Pace
from registry.api.states import GONE, HEAD, IDLE, LINGER, WORK, IllegalMove, State
from registry.identity.strangers import Strangers

MAX_CONNECTIONS = 2_048
_FILES_FOR_OTHERS = 256  # database, ledger, key service
# From the first byte of a head to its last, and from the opening of a connection to its first head.
HEAD_SECONDS = 10.0
# Between requests, for whoever has shown a good token on the connection and for whoever has not.
KEPT_SECONDS, IDLE_SECONDS = 30.0, 5.0
MAX_HEAD_BYTES = 16 << 10  # a token has 8 KiB at most
MAX_HEAD_LINES = 100
READ_BYTES = 64 << 10
_SWEEP_SECONDS = 1.0
_CLOSED_AT_ONCE = 64
_TOO_LARGE, _BAD_REQUEST = b"431 Request Header Fields Too Large", b"400 Bad Request"
_REFUSAL = (
    b"HTTP/1.1 %b\r\n%bconnection: close\r\ncache-control: no-store\r\n"
    b"x-content-type-options: nosniff\r\ncontent-length: 0\r\n\r\n"
)
_ASGI = {"version": "3.0", "spec_version": "2.3"}

log = structlog.get_logger("registry.api")


@dataclass(frozen=True, slots=True)
class Serving:
    """What connections serve: the application, uvicorn's lists of what is open and at work, state of the lifespan."""

    app: ASGIApp
    state: ServerState
    lifespan: dict[str, Any]


class Connections:
    """The connections of one process.

    Attributes:
        most: how many at a time.
        pace: at which what clients send is read on, for all of them together.
        is_ending: whether the server ends: clients that take no answer, or do not close behind it, have less time.
    """

    def __init__(self, strangers: Strangers | None, most: int | None = None) -> None:
        """Begin without any.

        Args:
            strangers: says which sources are cut off; None when nobody is.
            most: how many at a time; when not given, what the limit on open files leaves, 2,048 at most.
        """
        self._strangers = strangers
        self.most = _affordable() if most is None else most
        self.pace = Pace()
        self.is_ending = False
        self._open: set[GuardedProtocol] = set()
        self._dated: Sequence[tuple[bytes, bytes]] = ()
        self._date_line = b""
        self._sweeping: asyncio.TimerHandle | None = None

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> GuardedProtocol:
        """Make the protocol of one connection; uvicorn calls this as if it were the class."""
        serving = Serving(config.loaded_app, server_state, app_state)
        return GuardedProtocol(self, serving, _loop or asyncio.get_running_loop())

    def date_line(self, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """Write uvicorn's own headers, which it makes once a second."""
        if self._dated is not headers:
            self._dated = headers
            self._date_line = b"".join(b"%b: %b\r\n" % header for header in headers)
        return self._date_line

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
        waiting = [one for one in self._open if one.state is not WORK]
        for one in heapq.nsmallest(_CLOSED_AT_ONCE, waiting, key=GuardedProtocol.usefulness):
            self._open.discard(one)
            one.abort()
        return bool(waiting)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        # First, so that no fault below ends it: nobody else closes who says nothing.
        self._sweeping = loop.call_later(_SWEEP_SECONDS, self._sweep, loop) if self._open else None
        now = loop.time()
        for one in [one for one in self._open if one.is_late(now)]:
            one.abort()


class GuardedProtocol(asyncio.Protocol):
    """One connection.

    Attributes:
        all: the connections of this process.
        flow: whether it reads and writes.
        state: what it is about; only ``_move`` changes it.
        since: when it began to wait, for a request or for its client to close; not kept while a request is at work.
        is_vouched: whether a good token came over it.
    """

    flow: FlowControl
    transport: asyncio.Transport
    client: tuple[str, int] | None = None

    def __init__(self, connections: Connections, serving: Serving, loop: asyncio.AbstractEventLoop) -> None:
        """Begin without a transport.

        Args:
            connections: of this process.
            serving: what is served, and uvicorn's lists of what is open and at work.
            loop: that this runs on.
        """
        self.all = connections
        self.loop = loop
        self.state: State = HEAD
        self.since = 0.0
        self.is_vouched = False
        self._serving = serving
        self._head = b""
        self._exchange: Exchange | None = None
        self._body: Body | None = None
        self._chunks: Chunks | None = None
        self._next = b""
        self._outgoing = Outgoing()
        self._lingering = Lingering(0.0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as asyncio calls it
        """Take the connection in, or close it unread."""
        self.transport = transport
        self.flow = FlowControl(transport)
        self.client = get_remote_addr(transport)
        self._server = get_local_addr(transport)
        self._serving.state.connections.add(self)  # type: ignore[arg-type]  # uvicorn only calls its shutdown
        transport.max_size = READ_BYTES  # type: ignore[attr-defined]  # of asyncio's own: 256 KiB, new memory each time
        self.since = self.loop.time()
        if not self.all.admits(self, self.client[0] if self.client else ""):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the parameter is asyncio's
        """Forget the connection."""
        self._move(GONE)
        self.all.discard(self)
        self._serving.state.connections.discard(self)
        if self._exchange is not None:
            self._exchange.leave()
        self.flow.resume_writing()

    def pause_writing(self) -> None:
        """Let answers wait for the client."""
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        """Let answers go on."""
        self.flow.resume_writing()

    def shutdown(self) -> None:
        """Close, after the answer that is at work; uvicorn calls this at the end."""
        if self.state is WORK and self._exchange is not None:
            self._exchange.is_kept_alive = False
        elif self.state is not LINGER:  # that ends, and soon
            self._move(GONE)
            self.transport.close()

    def eof_received(self) -> None:
        """Take a client that sends no more for one that is gone: asyncio closes the transport, and nothing is sent."""
        if self._exchange is not None:
            self._exchange.leave()

    def data_received(self, data: bytes) -> None:
        """Pass on what came in, if it may."""
        state = self.state
        if state is WORK:
            self._receive_more(data)
        elif state is LINGER:
            if self._lingering.throw_away(len(data)):
                self._read_at_a_pace()
            else:
                self.abort()
        elif state is not GONE:
            self._receive_head(data)

    def default_headers(self) -> bytes:
        """Return the line that every answer begins with."""
        return self.all.date_line(self._serving.state.default_headers)

    def write(self, data: bytes) -> None:
        """Send."""
        self.transport.write(data)

    def abort(self) -> None:
        """End the connection at once."""
        self._move(GONE)
        self.transport.abort()

    def answered(self, exchange: Exchange) -> None:
        """Wait for the next request, which may be here already; the request stays at work if the answer was lost."""
        if self.transport.is_closing():  # it could not be written
            return
        self._exchange = self._body = self._chunks = None
        if exchange.more_body:
            self._linger()
            self._read_at_a_pace()
        elif not exchange.is_kept_alive:
            self._linger()
        else:
            self._move(IDLE)
            self.since = self.loop.time()
            self.flow.resume_reading()
            data, self._next = self._next, b""
            if data:
                self._receive_head(data)

    def is_at_work(self, scope: Scope) -> bool:
        """Tell whether a request of this connection has not been answered in whole."""
        # Another one may be at work by now: who was answered for being late goes on for a while.
        return self._exchange is not None and self._exchange.scope is scope

    def body_at_hand(self, scope: Scope) -> bytes | None:
        """Return the whole body of a request, if it has come; None when it must be received."""
        return self._exchange.body_at_hand() if self._exchange is not None and self.is_at_work(scope) else None

    def ends_after_this(self, scope: Scope) -> bool:
        """Tell whether the body of a request that is at work has not come in whole."""
        return self._exchange is not None and self.is_at_work(scope) and self._exchange.more_body

    def usefulness(self) -> tuple[bool, float]:
        """Order connections that wait: the least useful first."""
        return self.is_vouched, self.since

    def is_late(self, now: float) -> bool:
        """Tell whether a head has been coming, an answer been going or nothing been coming for too long."""
        state = self.state
        unsent = unsent_on(self.transport, is_last=state is LINGER)
        self._outgoing.look(unsent, now)
        if unsent:
            self._lingering.wait_for_answer(now)
            return self._outgoing.is_stalled(now, is_ending=self.all.is_ending)
        if state is LINGER:
            return self._lingering.is_over(now, is_ending=self.all.is_ending)
        if state is HEAD:
            return now - self.since > HEAD_SECONDS
        since = max(self.since, self._outgoing.moved_at)
        return state is IDLE and now - since > (KEPT_SECONDS if self.is_vouched else IDLE_SECONDS)

    def _move(self, to: State) -> None:
        if to not in self.state.leads_to:
            self.transport.abort()
            raise IllegalMove(f"{self.state.name} to {to.name}")
        self.state = to

    def _receive_head(self, data: bytes) -> None:
        """Take more of a head. It is parsed when it is whole, and only if it is small."""
        if not self._head:
            data = data.lstrip(b"\r\n")  # RFC 9112, section 2.2
            if not data:
                return
        seen = max(0, len(self._head) - 3)
        head = self._head + data if self._head else data
        end = head.find(b"\r\n\r\n", seen)
        till = len(head) if end < 0 else end
        if till > MAX_HEAD_BYTES or head.count(b"\n", 0, till) > MAX_HEAD_LINES:
            self._end_with(_TOO_LARGE)
        elif end >= 0:
            self._head = b""
            self._begin(head[: end + 4], head[end + 4 :])
        elif b"\n\n" in head:  # no end that anybody may mean would ever come
            self._refuse(_BAD_REQUEST)
        else:
            self._head = head
            if self.state is IDLE:
                self._move(HEAD)
                self.since = self.loop.time()

    def _begin(self, raw: bytes, rest: bytes) -> None:
        try:
            head, self._chunks = read_head(raw)
        except Malformed:
            self._refuse(_BAD_REQUEST)
            return
        self._move(WORK)
        exchange = Exchange(
            self, self._scope(head), is_kept_alive=head.is_kept_alive, expects_continue=head.expects_continue
        )
        self._exchange = exchange
        self._body = Body(head.length)
        if head.length == 0:
            exchange.add(b"", is_last=True)
        task = self.loop.create_task(exchange.run(self._serving.app))
        tasks = self._serving.state.tasks
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if rest:
            self._receive_first(rest)

    def _scope(self, head: Head) -> dict[str, Any]:
        raw_path, _, query = head.target.partition(b"?")
        path = raw_path.decode("ascii")
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": head.version,
            "server": self._server,
            "client": self.client,
            "scheme": "http",
            "method": head.method,
            "root_path": "",
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": head.fields,
            "state": self._serving.lifespan.copy(),
            CONNECTION: self,
        }

    def _receive_first(self, data: bytes) -> None:
        """Take what came with the head: of a long body it is passed on at once."""
        body = self._body_with(data)
        if body is not None and (body.is_due() or not body.is_short()):
            self._pass_on()

    def _receive_more(self, data: bytes) -> None:
        """Take more of a body; or of the next request, which waits."""
        body = self._body_with(data)
        if body is None:
            return
        if body.is_due():
            self._pass_on()
        elif not body.is_short() and not body.is_queued:
            body.is_queued = True
            self.all.pace.add(self._pass_on, self.loop)

    def _body_with(self, data: bytes) -> Body | None:
        """Add to the body of the request at work; None where that is whole, and what came is of the next request."""
        body, exchange = self._body, self._exchange
        if body is None or exchange is None or not exchange.more_body:
            self._keep_next(data)
            return None
        body.add(data)
        return body

    def _keep_next(self, data: bytes) -> None:
        self._next += data
        self.flow.pause_reading()  # one read of them is enough until this request is answered

    def _pass_on(self) -> None:
        body, exchange = self._body, self._exchange
        if body is None or exchange is None or self.state is not WORK or self.transport.is_closing():
            return
        body.is_queued = False
        gathered, rest = body.take()
        if gathered:  # else it went on its way meanwhile
            self._add(exchange, gathered, is_last=body.is_whole())
        if rest:
            self._keep_next(rest)

    def _add(self, exchange: Exchange, piece: bytes, *, is_last: bool) -> None:
        chunks = self._chunks
        if chunks is None:
            exchange.add(piece, is_last=is_last)
            return
        try:
            read = chunks.read(piece)
        except Malformed:
            exchange.leave()
            self._refuse(b"" if exchange.has_begun else _BAD_REQUEST)  # no second answer within the first
            return
        if chunks.is_overrun:
            exchange.is_kept_alive = False  # whatever it was, it is not read
        if read or chunks.is_whole:
            exchange.add(read, is_last=chunks.is_whole)

    def _read_at_a_pace(self) -> None:
        """Read no more until this connection's turn comes, for one piece."""
        self.transport.pause_reading()
        self.all.pace.add(self.transport.resume_reading, self.loop)

    def _refuse(self, status: bytes) -> None:
        """Answer what is no HTTP."""
        log.warning("not http")
        self._end_with(status)

    def _end_with(self, status: bytes) -> None:
        """Give the last answer, or none where one has begun."""
        self.all.annoyed_by(self.client[0] if self.client else "")
        if status:
            self.transport.write(_REFUSAL % (status, self.default_headers()))
        self._linger()

    def _linger(self) -> None:
        """Send no more, and throw away what still comes, until the client closes or has had its time for it."""
        self._move(LINGER)
        self.since = self.loop.time()
        self._lingering = Lingering(self.since)
        self._body, self._head, self._next = None, b"", b""
        try:
            self.transport.write_eof()
        except OSError:  # reset by the client meanwhile
            self.abort()
            return
        self.flow.resume_reading()


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
