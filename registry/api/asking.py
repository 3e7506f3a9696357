"""What comes before every route, in this order: the token, the role, then the body.

A caller without a valid token or role learns nothing about how a body is read; a body is not even waited for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import NoReturn, TypeVar

from anyio import to_thread
from starlette.requests import Request

from registry.api.door import CONNECTION, visit_of
from registry.api.problems import HttpRefusal, Problem
from registry.bootstrap import Application
from registry.domain.errors import TokenRefused
from registry.domain.ids import is_id
from registry.domain.principals import Principal, Role
from registry.identity.shown import Shown
from registry.services.kernel import Caller
from registry.text.strict_json import MAX_DOCUMENT_BYTES, parse_json

BODY_SECONDS = 60.0
_ID_LENGTH = 32
_KEY = re.compile(r"[!-~]{1,200}")
# The one spelling of JSON: no other charset, no form, no text/plain (which a page may send without asking).
_USUAL_TYPE = [b"application/json"]
_JSON_TYPE = re.compile(r'application/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE)

Id = TypeVar("Id", bound=str)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request whose token and role are in order.

    Attributes:
        application: the registry.
        caller: verified claims and network address.
        principal: who that is in the principals table.
        request: for headers, path and query.
        body: the bytes as received, at most ``limit``; empty for a route without a body.
    """

    application: Application
    caller: Caller
    principal: Principal
    request: Request
    body: bytes = b""
    limit: int = MAX_DOCUMENT_BYTES

    @property
    def today(self) -> date:
        """The day to judge dates by."""
        return self.application.kernel.clock.now().date()

    def document(self) -> object:
        """Read the body as strict JSON.

        Raises:
            UnreadableDocument: it is none.
        """
        return parse_json(self.body, max_bytes=self.limit)

    def path_id(self, name: str, kind: type[Id] | Callable[[str], Id]) -> Id:
        """Return an identifier of the path.

        A text that is no identifier becomes one that nothing has, so that it goes the way of every unknown one: to
        an entry and to 404.
        """
        text = str(self.request.path_params[name])
        return kind(text if is_id(text) and len(text) == _ID_LENGTH else "0" * _ID_LENGTH)

    def idempotency_key(self) -> str | None:
        """Return the key that a write is to be done once for.

        Raises:
            HttpRefusal: 400 ``idempotency_key_form``.
        """
        return self.single_header("idempotency-key", _KEY, "idempotency_key_form")

    def single_header(self, name: str, form: re.Pattern[str], code: str) -> str | None:
        """Return a header that may come once and must have this form.

        Raises:
            HttpRefusal: 400 with the code.
        """
        values = self.request.headers.getlist(name)
        if not values:
            return None
        if len(values) != 1 or form.fullmatch(values[0]) is None:
            raise HttpRefusal(Problem(400, code))
        return values[0]


Gate = Callable[[Request], Awaitable[Ask]]


def without_body(roles: frozenset[Role], action: str) -> Gate:
    """Make the dependency of a route that reads no body.

    Args:
        roles: any of these must be the caller's.
        action: what a refusal's entry says was wanted.
    """

    async def admitted(request: Request) -> Ask:
        return await _admitted(request, roles, action)

    return admitted


def json_body(
    roles: frozenset[Role], action: str, limit: int = MAX_DOCUMENT_BYTES, *, form: re.Pattern[str] = _JSON_TYPE
) -> Gate:
    """Make the dependency of a route with a JSON body of at most ``limit`` bytes, of a content type of this form."""

    async def admitted(request: Request) -> Ask:
        ask = await _admitted(request, roles, action)
        _demand_json(request, form)
        body = await _read(request, limit)
        return Ask(ask.application, ask.caller, ask.principal, request, body, limit)

    return admitted


def file_body(roles: frozenset[Role], action: str) -> Gate:
    """Make the dependency of a route that reads its body itself, line by line, as ``Ask.request`` streams it."""

    async def admitted(request: Request) -> Ask:
        ask = await _admitted(request, roles, action)
        _demand_plain(request)
        return ask

    return admitted


def lookup_body(roles: frozenset[Role], action: str, limit: int = MAX_DOCUMENT_BYTES) -> Gate:
    """Make the dependency of the hot route: as ``json_body``, without a thread for who was admitted a moment ago."""

    async def admitted(request: Request) -> Ask:
        ask = _recalled(request, roles, action)
        if ask is None:
            ask = await _admitted(request, roles, action)
        _demand_json(request)
        body = await _read(request, limit)
        return Ask(ask.application, ask.caller, ask.principal, request, body, limit)

    return admitted


async def _admitted(request: Request, roles: frozenset[Role], action: str) -> Ask:
    visit = visit_of(request.scope)
    ask = await to_thread.run_sync(_admit, request, roles, action, limiter=visit.threads)
    visit.asked = (ask.principal, action)
    if visit.claims is None:
        ask.application.strangers.vouch(ask.caller.network)
    return ask


def _recalled(request: Request, roles: frozenset[Role], action: str) -> Ask | None:
    application: Application = request.app.state.application
    visit = visit_of(request.scope)
    claims = visit.claims
    if claims is None:
        return None  # the long way verifies the token, or refuses it and writes the entry
    caller = Caller(claims, _source(request))
    principal = application.admissions.recall(caller, roles)
    if principal is None:
        return None
    visit.asked = (principal, action)
    return Ask(application, caller, principal, request)


def _source(request: Request) -> str:
    # The peer of the connection itself: a forwarded address is whatever the sender likes it to be.
    return request.client.host if request.client is not None else ""


def _admit(request: Request, roles: frozenset[Role], action: str) -> Ask:
    application: Application = request.app.state.application
    source = _source(request)
    try:
        claims = application.possession.verify(_shown(request))
    except TokenRefused as refused:
        application.refusals.record(source, refused.reason)
        raise
    caller = Caller(claims, source)
    return Ask(application, caller, application.admissions.admit(caller, roles, action), request)


def _shown(request: Request) -> Shown:
    headers = request.headers
    return Shown(headers.getlist("authorization"), headers.getlist("dpop"), request.method, request.scope["path"])


def _demand_json(request: Request, form: re.Pattern[str] = _JSON_TYPE) -> None:
    types = _raw(request, b"content-type")
    is_usual = form is _JSON_TYPE and types == _USUAL_TYPE
    if not is_usual and (len(types) != 1 or form.fullmatch(types[0].decode("latin-1")) is None):
        raise HttpRefusal(Problem(415, "not_application_json"))
    _demand_plain(request)


def _demand_plain(request: Request) -> None:
    if any(value.strip().lower() != b"identity" for value in _raw(request, b"content-encoding")):
        raise HttpRefusal(Problem(415, "content_encoding"))


def _raw(request: Request, name: bytes) -> list[bytes]:
    return [value for one, value in request.scope["headers"] if one == name]


async def _read(request: Request, limit: int) -> bytes:
    # Most bodies came with their heads: nobody waits for those, no timer is needed, and no turn given away meanwhile.
    connection = request.scope.get(CONNECTION)
    whole: bytes | None = None if connection is None else connection.body_at_hand(request.scope)
    if whole is not None:
        if len(whole) > limit:
            refuse_large()
        visit_of(request.scope).hold(len(whole))
        return whole
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        refuse_large()
    received = bytearray()
    visit = visit_of(request.scope)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                if len(received) + len(chunk) > limit:
                    refuse_large()
                visit.hold(len(chunk))
                received += chunk
    except TimeoutError:
        refuse_slow()
    return bytes(received)


def refuse_slow() -> NoReturn:
    """Refuse a body that does not come.

    Raises:
        HttpRefusal: 408.
    """
    raise HttpRefusal(Problem(408, "body_too_slow", headers={"Connection": "close"})) from None


def refuse_large() -> NoReturn:
    """Refuse a body for its length.

    Raises:
        HttpRefusal: 413.
    """
    raise HttpRefusal(Problem(413, "too_large", headers={"Connection": "close"}))
