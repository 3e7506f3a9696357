"""Inside the frame, before every route: who is known, whose turn it is, what bodies may hold.

A request whose token was verified before goes straight to its turn. All others are strangers: they spend credit, get
few turns and a small pool of threads, so that what they send, and however much, is theirs to wait for.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.api.errors import problem_of
from registry.api.problems import Problem
from registry.api.turns import AT_WORK, STRANGERS, Turns
from registry.bootstrap import Application
from registry.domain.errors import Busy, RegistryError, TokenRefused
from registry.domain.principals import Claims, Principal
from registry.identity.shown import shown_token

# A stranger without credit gets the answer after a pause: one that waits for it does little meanwhile.
PAUSE_SECONDS = 1.0
# A flood that began at once would be answered at once too, and come again, a second later: one after another instead.
PAUSES_APART_SECONDS = 0.025
MAX_PAUSED = 256
# Signatures of strangers are checked two at a time, whatever the number of them.
STRANGER_THREADS = 2
# Not those of the routes: a lookup must not wait for its admission behind forty traces.
KNOWN_THREADS = 8
# Bodies that have come in and are not yet answered, bytes; nobody has more than what is still free.
BODY_ROOM = 256 << 20

_VISIT = "registry.visit"
CONNECTION = "registry.connection"  # the server's own object for the connection, when there is one
TURNED_AWAY = "registry.turned_away"  # in the scope of a request that was not examined
# Whoever watches must hear the truth at once, and both cost next to nothing.
_ALWAYS = frozenset({"/healthz", "/readyz"})
# Refused for its form: what no service hears of, and so writes no entry of.
_MISREAD = frozenset({400, 408, 413, 415, 422})
_CLOSE = (b"connection", b"close")
_BEARER = b"Bearer "


log = structlog.get_logger("registry.api")


@dataclass(frozen=True, slots=True)
class _Who:
    """Whose turn a request takes, and the claims of its token if that needs no further check.

    ``is_unproved``: the token is bound to a key, and whether it is in the right hands shows later.
    """

    key: str
    claims: Claims | None = None
    is_unproved: bool = False


_STRANGER = _Who(STRANGERS)


class Visit:
    """One request while it is at work.

    Attributes:
        key: whose turn it is.
        claims: of the token, verified a moment ago; None when it must be verified now.
        held: bytes of its body that are kept.
        asked: who asked for what, once token and role are in order.
    """

    def __init__(self, door: Door, who: _Who) -> None:
        self._door = door
        self.key = who.key
        self.claims = who.claims
        self.held = 0
        self.asked: tuple[Principal, str] | None = None

    @property
    def threads(self) -> CapacityLimiter:
        """The threads for deciding who this is and whether they may."""
        return self._door.threads(self.key)

    def hold(self, size: int) -> None:
        """Count bytes of the body that are kept until the request is answered.

        Raises:
            Busy: there is no room for them.
        """
        self._door.hold(self, size)


def visit_of(scope: Scope) -> Visit:
    """Return the visit that a request is."""
    visit: Visit = scope[_VISIT]
    return visit


class Door:
    """Wraps the routes of the API, or the lookup; each has turns, threads and room of its own."""

    def __init__(self, app: ASGIApp, at_work: int = AT_WORK, little: int | None = None) -> None:
        """Wrap ``app``; the bounds are those of ``Turns``."""
        self._app = app
        self._turns = Turns(time.monotonic, at_work, little)
        self._is_strict = little is not None
        self._paused = 0
        self._pause_ends = 0.0
        self._room: dict[str, int] = {}
        self._room_used = 0
        self._threads: dict[bool, CapacityLimiter] = {}

    def threads(self, key: str) -> CapacityLimiter:
        """See ``Visit.threads``."""
        if not self._threads:  # made here, since they belong to an event loop
            self._threads = {True: CapacityLimiter(STRANGER_THREADS), False: CapacityLimiter(KNOWN_THREADS)}
        return self._threads[key == STRANGERS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        application: Application = scope["app"].state.application
        source = _source(scope)
        who = _known(application, scope)
        if who is not _STRANGER and not who.is_unproved:
            application.strangers.vouch(source)
            connection = scope.get(CONNECTION)
            if connection is not None:
                connection.is_vouched = True
        elif not application.strangers.may_ask(source):
            await self._turn_away(scope, receive, send)
            return
        if scope["path"] in _ALWAYS:
            await self._app(scope, receive, send)
            return
        if not self._turns.try_take(who.key):
            try:
                await self._turns.wait(who.key)
            except Busy as busy:
                await _answer(problem_of(busy), scope, receive, send)
                return
        await self._at_work(who, scope, receive, send)

    async def _at_work(self, who: _Who, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request that has its turn; while it waits for its body the turn is somebody else's."""
        visit = scope[_VISIT] = Visit(self, who)
        turns, key = self._turns, who.key
        receive_aside = partial(self._receive_aside, key, receive)

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] in _MISREAD and visit.asked is not None and not _is_noted(message):
                    await _note(scope, visit.asked, message["status"])
                await self._hold_back(scope, key)
            await self._send_aside(scope, key, send, message)

        try:
            await self._app(scope, receive_aside, send_noted)
        finally:
            turns.give(key)
            if visit.held:
                self._let_go(visit)

    async def _receive_aside(self, key: str, receive: Receive) -> Message:
        """Receive; if that means waiting, the turn is somebody else's until something has come.

        What has come already is taken without that: else all who wait would pass through one turn, one after another.

        Raises:
            Busy: there are few turns for this key, and none comes.
        """
        is_aside = False

        def step_aside() -> None:
            nonlocal is_aside
            is_aside = True
            self._turns.give(key)

        stepping = asyncio.get_running_loop().call_soon(step_aside)
        try:
            message = await receive()
        except BaseException:
            stepping.cancel()
            if is_aside:
                self._turns.take_anyway(key)
            raise
        stepping.cancel()
        if is_aside:
            await self._take_again(key)
        return message

    async def _send_aside(self, scope: Scope, key: str, send: Send, message: Message) -> None:
        """Send; while that waits for a client who does not read, the turn is somebody else's: the work is done."""
        connection = scope.get(CONNECTION)
        if connection is None or not connection.flow.write_paused:
            await send(message)
            return
        self._turns.give(key)
        try:
            await send(message)
        finally:
            self._turns.take_anyway(key)

    async def _take_again(self, key: str) -> None:
        """Take a turn for a request that goes on; where little is given, no more at a time than to those that begin."""
        if not self._is_strict:
            self._turns.take_anyway(key)
            return
        if self._turns.try_take(key):
            return
        try:
            await self._turns.wait(key)
        except BaseException:
            self._turns.take_anyway(key)  # the end of the request gives it back
            raise

    async def _hold_back(self, scope: Scope, key: str) -> None:
        """Let an answer wait that comes before the end of its body, when there were many of those."""
        connection = scope.get(CONNECTION)
        if connection is None or not connection.ends_after_this(scope):
            return
        application: Application = scope["app"].state.application
        if application.strangers.may_be_answered(key or _source(scope)):
            return
        self._turns.give(key)
        try:
            await self._pause()
        finally:
            self._turns.take_anyway(key)

    async def _pause(self) -> None:
        if self._paused >= MAX_PAUSED:
            return
        self._paused += 1
        now = time.monotonic()
        self._pause_ends = max(now + PAUSE_SECONDS, self._pause_ends + PAUSES_APART_SECONDS)
        try:
            await asyncio.sleep(self._pause_ends - now)
        finally:
            self._paused -= 1

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[TURNED_AWAY] = True
        application: Application = scope["app"].state.application
        application.refusals.count(_source(scope), "not_examined")
        await self._pause()
        await _answer(problem_of(Busy()), scope, receive, send)

    def hold(self, visit: Visit, size: int) -> None:
        """See ``Visit.hold``."""
        held = self._room.get(visit.key, 0) + size
        if held > BODY_ROOM - self._room_used:
            raise Busy
        self._room[visit.key] = held
        self._room_used += size
        visit.held += size

    def _let_go(self, visit: Visit) -> None:
        self._room_used -= visit.held
        left = self._room[visit.key] - visit.held
        if left:
            self._room[visit.key] = left
        else:
            del self._room[visit.key]


def _source(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""  # a client that is gone has no address any more


def _known(application: Application, scope: Scope) -> _Who:
    """Tell who asks, if the token was verified before."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) == 1 and given[0].startswith(_BEARER):
        # What is remembered was well-formed when it was verified, and this is the same, byte for byte.
        claims = application.tokens.recall(given[0][len(_BEARER) :].decode("latin-1"))
        if claims is not None:
            return _Who(f"{claims.issuer}#{claims.subject}", claims)
    values = [value.decode("latin-1") for value in given]
    try:
        shown = shown_token(values)
    except TokenRefused:
        return _STRANGER  # the route says so, and writes the entry
    claims = None if shown.is_bound else application.tokens.recall(shown.token)
    named = application.tokens.knew(shown.token) if claims is None else claims
    return _STRANGER if named is None else _Who(f"{named.issuer}#{named.subject}", claims, bool(named.key_thumbprint))


def _is_noted(message: Message) -> bool:
    """Tell whether an answer has the receipt of an entry: it says what was wrong already."""
    return any(name == b"audit-receipt" for name, _ in message["headers"])


async def _note(scope: Scope, asked: tuple[Principal, str], status: int) -> None:
    """Write down that a principal's request was refused for its form, before the answer says so."""
    application: Application = scope["app"].state.application
    try:
        await to_thread.run_sync(application.refusals.misread, *asked, status)
    except RegistryError as error:
        # Nothing was opened or changed, and it is counted: the answer may go, the entry follows.
        log.warning("misread request not written", error=type(error).__name__)


async def _answer(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    response = problem.response()
    response.raw_headers.append(_CLOSE)
    await response(scope, receive, send)
