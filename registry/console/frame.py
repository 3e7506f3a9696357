"""The outermost layer: headers that every answer has, the host, a bound on requests at work, the last catch.

Plain ASGI. What escapes the pages ends here: the server above would log it with its text.
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.domain.faults import place_of

MAX_AT_WORK = 32
# Under this key of the scope a route says which page it is.
PAGE = "registry.console.page"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; script-src 'none'"
)
# Nothing here is for a cache, a frame, a sniffer or a referrer. An answer that needs another policy sets its own.
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)

log = structlog.get_logger("registry.console")


class Frame:
    """Wraps the whole console."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        if not _is_local(scope):
            await answer.text(scope, receive, "This console answers to localhost and 127.0.0.1 only.\n", 421)
            return
        if self._at_work >= MAX_AT_WORK:
            await answer.text(scope, receive, "Too many requests are at work. Try again in a moment.\n", 503)
            return
        self._at_work += 1
        started = time.perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            pass  # nobody is there to be answered
        except Exception as error:  # noqa: BLE001 - the last catch: anything else would be logged with its text above
            log_fault(error)
            if answer.status == 0:
                await answer.text(scope, receive, "Something went wrong: a fault of the program.\n", 500)
        finally:
            self._at_work -= 1
            _log_answer(scope, answer.status, time.perf_counter() - started)


class _Answer:
    """One answer on its way out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name.lower() for name, _ in message["headers"]}
            added = [(name, value) for name, value in _HEADERS if name not in present]
            message = {**message, "headers": [*message["headers"], *added]}
        await self._send(message)

    async def text(self, scope: Scope, receive: Receive, text: str, status: int) -> None:
        await PlainTextResponse(text, status)(scope, receive, self.send)


def _is_local(scope: Scope) -> bool:
    """Tell whether the request is for this machine by name: a page elsewhere may point its own name at 127.0.0.1."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    try:
        return len(hosts) == 1 and urlsplit(f"//{hosts[0].decode('ascii')}").hostname in LOOPBACK_NAMES
    except ValueError:
        return False


def log_fault(error: BaseException) -> None:
    """Log a fault by its class and place: its text may quote what was being worked on."""
    log.error("fault", error=type(error).__name__, where=place_of(error))


def _log_answer(scope: Scope, status: int, seconds: float) -> None:
    # The page's template, never the path or the query: a sign-in link is a secret.
    log.info("answered", page=scope.get(PAGE), status=status, milliseconds=round(seconds * 1000, 1))
