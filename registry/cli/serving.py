"""What `registry serve` and the demonstration serve: the API, and in the development profile the console beside it.

The two rooms do not know each other; the paths under ``/console`` go to one, everything else to the other. Several
processes have the API alone: sign-ins to the console are kept in one process.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from registry.api.app import create_app
from registry.api.draining import CLOSE_SECONDS, DRAIN_SECONDS
from registry.api.logs import configure_logs
from registry.api.metrics import metrics_url, serving_metrics
from registry.api.server import base_url, listen, run_on
from registry.api.workers import Workers
from registry.bootstrap import Application, opened
from registry.cli.failures import exit_with
from registry.console.app import create_console
from registry.console.sessions import SignInLinks
from registry.settings import DEVELOPMENT, Settings

SIGN_IN_PATH = "/console/sign-in"

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Site:
    """One registry as it is served.

    Attributes:
        app: the ASGI application; its lifespan is the API's, which closes the registry at the end.
        links: issues one-time sign-in links of the console; None where there is no console.
    """

    app: _App
    links: SignInLinks | None


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 takes a free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Sockets:
    """What is listened on: one socket for the API, and one for the metrics of each process, where they are wanted."""

    api: socket.socket
    metrics: tuple[socket.socket, ...]

    @property
    def url(self) -> str:
        """The base address of the API."""
        return base_url(self.api)

    @property
    def metrics_urls(self) -> list[str]:
        """The address of each process's metrics."""
        return [metrics_url(one) for one in self.metrics]

    def close(self) -> None:
        """Close this process's copies."""
        for one in (self.api, *self.metrics):
            one.close()


def open_sockets(application: Application, api: Address, metrics: Address | None, workers: int) -> Sockets:
    """Listen: for the API, and for the metrics of each process on a port of its own, one after the other.

    Raises:
        MisconfiguredHome: not a loopback address in the development profile, or a port cannot be had.
    """
    ports = [] if metrics is None else [metrics.port + number * (metrics.port > 0) for number in range(workers)]
    host = "" if metrics is None else metrics.host
    return Sockets(listen(application, api.host, api.port), tuple(listen(application, host, port) for port in ports))


def serve_alone(application: Application, app: _App, sockets: Sockets, number: int = 0) -> None:
    """Serve until told to end, as the process of this number."""
    with ExitStack() as beside:
        if sockets.metrics:
            beside.enter_context(serving_metrics(application, sockets.metrics[number]))
        run_on(sockets.api, application, app)


def serve_together(settings: Settings, sockets: Sockets, workers: int, started: Callable[[], None]) -> int:
    """Serve the API from so many processes until told to end; gives the exit code.

    The registry must not be open in this one.
    """

    def work(number: int) -> int:
        try:
            with opened(settings) as application:
                serve_alone(application, create_app(application), sockets, number)
        except Exception as error:  # noqa: BLE001 - the last catch: what escapes would be printed with its text
            return exit_with(error)
        return 0

    configure_logs()
    end_seconds = settings.stop_notice_seconds + DRAIN_SECONDS + 2 * CLOSE_SECONDS
    return Workers(workers, work, end_seconds=end_seconds).run(started=started, stopping=sockets.close)


def build_site(application: Application) -> Site:
    """Build what is served over an opened registry. In the production profile there is no console."""
    api: _App = create_app(application)
    if application.profile != DEVELOPMENT:
        return Site(api, None)
    links = SignInLinks(application.kernel.clock)
    console: _App = create_console(application, links)

    async def root(scope: _Message, receive: _Receive, send: _Send) -> None:
        await (console if _is_console(scope) else api)(scope, receive, send)

    return Site(root, links)


def _is_console(scope: _Message) -> bool:
    path = str(scope.get("path", ""))
    if scope["type"] != "http":
        return False
    return path == "/console" or path.startswith("/console/") or (path == "/" and _is_browser(scope))


def _is_browser(scope: _Message) -> bool:
    """Tell whether a page is wanted: the bare address shows people the console and programs where the API is."""
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
