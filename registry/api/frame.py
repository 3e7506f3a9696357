"""The outermost layer: request ids, headers that every answer has, the last catch.

Plain ASGI. What escapes the routes ends here: the server above would log it with its text.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from functools import partial

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.api.door import CONNECTION, TURNED_AWAY
from registry.api.errors import INTERNAL, problem_of
from registry.api.late import Watch, Watches
from registry.api.logs import say_answered
from registry.api.problems import Problem
from registry.domain.errors import AuditUnavailable
from registry.domain.faults import place_of
from registry.services.meters import Meters
from registry.services.outcomes import released_by

# Told to the end: whoever watches must hear the truth, and both cost next to nothing.
_UNENDING = frozenset({"/healthz", "/readyz"})
_OK, _UNAVAILABLE = 200, 503
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# Nothing here is for a cache, a frame, a sniffer or a referrer. A route that needs another policy sets its own.
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
_NAMES = frozenset(name for name, _ in _HEADERS)

_ENDING = Problem(503, "ending", {"cause": "ending"}, {"Retry-After": "1", "Connection": "close"})
# Of a caller who names the request: 128 bits in hexadecimal or a UUID, because it goes to the log and back.
_REQUEST_ID = re.compile(rb"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Taken or not, nobody knows: as after a connection that was cut.
_LATE = problem_of(AuditUnavailable("timed_out"))

# A name for the log and no secret: the kernel's random numbers cost a call of it, and the interpreter's lock, for each.
_NUMBERS = random.Random()  # noqa: S311 - no secret
os.register_at_fork(after_in_child=_NUMBERS.seed)

log = structlog.get_logger("registry.api")


class Frame:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._watches = Watches()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, _request_id(scope))
        if scope["app"].state.application.ending.is_refusing and scope["path"] not in _UNENDING:
            await answer.problem(scope, receive, _ENDING)
            _tell(scope, answer, 0.0)
            return
        started = time.perf_counter()
        watch = Watch(receive, partial(answer.late, scope, receive))
        self._watches.begin(watch)
        try:
            await self._app(scope, watch.receive, answer.send)
            if answer.status == _OK and not answer.is_late and _has_left(scope):
                scope["app"].state.application.outcomes.handed_over(released_by(scope))
        except ClientDisconnect:
            pass  # nobody is there to be answered
        except Exception as error:  # noqa: BLE001 - the last catch: anything else would be logged with its text above
            log_fault(error, answer.request_id)
            if not answer.is_started:
                await answer.problem(scope, receive, INTERNAL)
        finally:
            self._watches.end(watch)
            _tell(scope, answer, time.perf_counter() - started)


class _Answer:
    """One answer on its way out."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0
        self.cause: str | None = None
        self.is_late = False

    @property
    def is_started(self) -> bool:
        return self.status != 0

    async def send(self, message: Message) -> None:
        """Send for the application; what comes too late is dropped."""
        if not self.is_late:
            await self._send(self._completed(message))

    async def late(self, scope: Scope, receive: Receive) -> None:
        """Answer that it takes too long, unless another answer has begun."""
        if not self.is_started:
            self.is_late = True
            await _LATE.response()(scope, receive, self._pass_on)

    async def problem(self, scope: Scope, receive: Receive, problem: Problem) -> None:
        await problem.response()(scope, receive, self.send)

    async def _pass_on(self, message: Message) -> None:
        await self._send(self._completed(message))

    def _completed(self, message: Message) -> Message:
        """Return a message with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name.lower() for name, _ in message["headers"]}
            is_usual = present.isdisjoint(_NAMES)
            added = _HEADERS if is_usual else [one for one in _HEADERS if one[0] not in present]
            named = (b"x-request-id", self.request_id.encode())
            return {**message, "headers": [*message["headers"], *added, named]}
        if self.status == _UNAVAILABLE and self.cause is None:
            self.cause = _cause(message.get("body", b""))
        return message


def _has_left(scope: Scope) -> bool:
    """Tell whether a whole answer was sent: to a client that is gone it is not, and nobody hears of that."""
    connection = scope.get(CONNECTION)
    return connection is None or not connection.is_at_work(scope)


def _request_id(scope: Scope) -> str:
    given = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return (
        given[0].decode()
        if len(given) == 1 and _REQUEST_ID.fullmatch(given[0])
        else f"{_NUMBERS.getrandbits(128):032x}"
    )


def log_fault(error: BaseException, request_id: str) -> None:
    """Log a fault by its class and place: its text may quote what was being worked on."""
    log.error("fault", error=type(error).__name__, where=place_of(error), request_id=request_id)


def _cause(body: bytes) -> str:
    """Return the cause that a 503 of ours names: the one place that every such answer passes."""
    try:
        document = json.loads(body)
        return str(document.get("cause") or document["code"])
    except (ValueError, KeyError, AttributeError):
        return "other"


def _tell(scope: Scope, answer: _Answer, seconds: float) -> None:
    """Log an answer and count it, under the route's template and never the path."""
    meters: Meters = scope["app"].state.application.meters
    # The route's template, never the path or the query: those are the caller's words, as an odd method is.
    route = getattr(scope.get("route"), "path", None)
    method = scope["method"] if scope["method"] in _METHODS else None
    meters.answered(route or "none", method or "none", answer.status, seconds)
    if answer.cause is not None:
        meters.unavailable(answer.cause)
    if TURNED_AWAY not in scope:  # those are counted; a line for each would be a way to fill the disk
        say_answered(
            method=method,
            route=route,
            status=answer.status,
            milliseconds=round(seconds * 1000, 1),
            request_id=answer.request_id,
        )
