"""Serving over HTTP with uvicorn: on loopback only in the development profile, drained before it ends."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from registry.api.app import create_app
from registry.api.connections import Connections
from registry.api.draining import CLOSE_SECONDS, DRAIN_SECONDS, DrainingServer
from registry.api.dropping import Dropping
from registry.api.listening import Listening
from registry.api.logs import configure_logs
from registry.bootstrap import Application
from registry.domain.errors import MisconfiguredHome
from registry.settings import DEVELOPMENT

_BACKLOG = 2048
_ACCEPTED_AT_ONCE = 4
_START_SECONDS = 20.0


def run(
    application: Application,
    host: str,
    port: int,
    *,
    app: ASGIApp | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then end as draining.py says.

    Args:
        application: the opened registry; closed at the end.
        host: address or name to listen on; loopback in the development profile.
        port: 0 takes a free one.
        app: what to serve, when more than the API; its lifespan must be the API's.
        ready: told the base address before the first request is taken.

    Raises:
        MisconfiguredHome: not a loopback address in the development profile, or the port cannot be had.
    """
    listening = listen(application, host, port)
    if ready is not None:
        ready(base_url(listening))
    run_on(listening, application, app or create_app(application))


def run_on(listening: socket.socket, application: Application, app: ASGIApp) -> None:
    """Serve on an open socket, alone or beside other processes that have it too, until SIGINT or SIGTERM.

    Args:
        listening: from ``listen``.
        application: the opened registry; closed at the end.
        app: what to serve; its lifespan must be the API's.
    """
    configure_logs()
    server = _server(application, app)
    settle_heap()
    # Before and after the server minds signals, they must end this function and not the process.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def serving(application: Application, app: ASGIApp | None = None) -> Iterator[str]:
    """Serve on a free loopback port in a thread of this process, and give the base address.

    The registry is closed at the end.
    """
    listening = listen(application, "127.0.0.1", 0)
    server = _server(application, app or create_app(application))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="http", daemon=True)
    thread.start()
    try:
        _wait(server, thread)
        yield base_url(listening)
    finally:
        server.should_exit = True
        thread.join(DRAIN_SECONDS + CLOSE_SECONDS + _START_SECONDS)
        listening.close()


def listen(application: Application, host: str, port: int) -> socket.socket:
    """Open the listening socket.

    Raises:
        MisconfiguredHome: see ``run``.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise MisconfiguredHome("the address to listen on is not one of this machine") from None
    if application.profile == DEVELOPMENT and not ipaddress.ip_address(address[0]).is_loopback:
        raise MisconfiguredHome("the development profile listens on a loopback address only (127.0.0.1 or ::1)")
    # Named as TCP: asyncio switches Nagle's algorithm off (40 ms an answer) only on sockets that say so.
    listening = Listening(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise MisconfiguredHome(f"port {port} cannot be had; choose another with --port") from None
    listening.set_inheritable(True)
    return listening


def base_url(listening: socket.socket) -> str:
    """Return the base address of a listening socket."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def settle_heap() -> None:
    """Take what start-up made out of the collector's rounds: full collections over it are the tail of the latency."""
    gc.collect()
    gc.freeze()
    # Answered lookups leave no cycles; a refused token and its connection leave ninety objects of them. What a round
    # finds is freed in one stop of all threads: 2 us each, so 50,000 at a time were stops of 70 to 180 ms in a flood.
    gc.set_threshold(2_000, 10, 1_000)


def _server(application: Application, app: ASGIApp) -> DrainingServer:
    connections = Connections(application.strangers)
    config = uvicorn.Config(
        app,
        http=connections,  # type: ignore[arg-type]  # called like the class that uvicorn expects
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,  # logs.py sets up logging; uvicorn's own would print paths and exceptions
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who sent a request is who opened the connection
        timeout_graceful_shutdown=int(DRAIN_SECONDS),
        backlog=_ACCEPTED_AT_ONCE,
    )
    return _SharingServer(config, application, connections)


class _SharingServer(DrainingServer):
    """Takes few connections at a time, so that processes on one socket share a rush of them."""

    def __init__(self, config: uvicorn.Config, application: Application, connections: Connections) -> None:
        super().__init__(config, application.ending, application.settings.stop_notice_seconds)
        self._all = connections
        self._refusals = application.refusals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and put back the queue of connections: asyncio has one number for it and for how many it takes."""
        for listening in sockets or ():
            if isinstance(listening, Listening):
                dropping = Dropping(listening, self._all.refuses, asyncio.get_running_loop().call_later)
                listening.is_refused = self._all.refuses
                listening.on_refused = partial(self._drop, dropping)
        await super().startup(sockets)
        for listening in sockets or ():
            listening.listen(_BACKLOG)

    async def on_tick(self, counter: int) -> bool:
        """Tell whether it is time to close; connections hear of the end from when new requests are refused."""
        is_over = await super().on_tick(counter)
        self._all.is_ending = is_over or self._ending.is_refusing
        return is_over

    def _drop(self, dropping: Dropping, source: str) -> None:
        if dropping.add(source):
            self._refusals.count(source, "cut_off")  # nothing of it is heard from here on, so the ledger says when


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    waiting = threading.Event()
    for _ in range(int(_START_SECONDS * 100)):
        if server.started:
            return
        if not thread.is_alive():
            break
        waiting.wait(0.01)
    raise MisconfiguredHome("the server did not start")
