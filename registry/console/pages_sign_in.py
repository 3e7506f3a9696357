"""Signing in and out: at an issuer's page, with a pasted token or by a one-time link; the token itself decides."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from registry.console.asking import (
    FORM_TOKEN,
    MAX_FORM_BYTES,
    SESSION_COOKIE,
    Console,
    console_of,
    demand_own_page,
    get_cookie,
    network_of,
    receive_form,
    same_text,
    session_id,
    set_cookie,
)
from registry.console.errors import Refusal
from registry.console.forms import Form
from registry.console.frame import PAGE
from registry.console.pages import FieldError, render
from registry.console.sessions import name_of
from registry.domain.errors import Busy, NotFound, TokenRefused, TokenTakenBack
from registry.domain.principals import Claims
from registry.identity.sign_in import SignIn
from registry.identity.sign_in_settings import BACK_PATH
from registry.services.kernel import Caller

_HOME = "/console/"
_SIGN_IN = "/console/sign-in"
_BEGIN = "/console/sign-in/begin"
_LINK = "/console/sign-in/{code}"
# Before there is a session, its form token is kept in a cookie of its own: only our own page knows both halves.
_FORM_COOKIE = "registry-sign-in"
_TICKET_COOKIE = "registry-ticket"
_LINK_REFUSED = "link_unknown"
_T = TypeVar("_T")


async def show_form(request: Request) -> Response:
    """Show the sign-in page."""
    request.scope[PAGE] = _SIGN_IN
    has_ended = bool(session_id(request)) and console_of(request).sessions.find(session_id(request)) is None
    return _form_page(request, has_ended=has_ended)


async def sign_in(request: Request) -> Response:
    """Sign in with a pasted token."""
    request.scope[PAGE] = _SIGN_IN
    token = (await _form_of(request)).text("token")
    return await run_in_threadpool(_signed_in, request, "".join(token.split()))


async def show_link(request: Request) -> Response:
    """Show a one-time link's page. Whatever fetches links ahead of time does not use them up."""
    request.scope[PAGE] = _LINK
    if not console_of(request).links.is_good(request.path_params["code"]):
        raise Refusal(404, _LINK_REFUSED)
    return _with_form_token(request, "sign_in_link", 200, title="Sign in")


async def use_link(request: Request) -> Response:
    """Sign in with a one-time link."""
    request.scope[PAGE] = _LINK
    await _form_of(request)
    console = console_of(request)
    token = console.links.take(request.path_params["code"])
    if token is None:
        await run_in_threadpool(console.application.refusals.record, network_of(request), _LINK_REFUSED)
        raise Refusal(404, _LINK_REFUSED)
    return await run_in_threadpool(_signed_in, request, token)


async def begin(request: Request) -> Response:
    """Send the browser to the issuer's page. Whoever leads somebody here makes them sign in as themselves."""
    request.scope[PAGE] = _BEGIN
    sign_in = _issuer_page(request)
    note = name_of(session_id(request)) if session_id(request) else ""
    strong = request.query_params.get("strong") == "1"
    question = await _at_issuer(request, partial(sign_in.begin, strong=strong, note=note))
    response = RedirectResponse(question.url, 303)
    set_cookie(request, response, _TICKET_COOKIE, question.ticket, is_for_return=True)
    return response


async def come_back(request: Request) -> Response:
    """Sign in with what the issuer's page sent the browser back with."""
    request.scope[PAGE] = BACK_PATH
    return await _at_issuer(request, partial(_come_back, request, _issuer_page(request)))


async def _at_issuer(request: Request, ask: Callable[[], _T]) -> _T:
    """Run what asks the issuer. Anybody may begin: a slow issuer must not hold up those who are signed in.

    Raises:
        Busy: as many ask as may.
    """
    asking = console_of(request).at_issuer
    if not asking.acquire(blocking=False):
        raise Busy
    try:
        return await run_in_threadpool(ask)
    finally:
        asking.release()


def _come_back(request: Request, sign_in: SignIn) -> Response:
    console = console_of(request)
    answer = request.query_params.multi_items()
    try:
        # A name that comes twice is read by two programs in two ways.
        named = dict(answer) if len(dict(answer)) == len(answer) else {}
        done = sign_in.finish(get_cookie(request, _TICKET_COOKIE), named)
        claims = _verified(request, done.token)
    except TokenRefused as refused:
        _record(request, refused)
        error = FieldError("sign-in", "The sign-in was not accepted. Begin again.")
        response = _form_page(request, status=401, errors=(error,))
    else:
        # Its cookie was not sent: browsers keep it back where another site leads them here.
        console.sessions.end_named(done.note)
        response = render(request, "signed_in", title="Signed in")
        _open(request, response, done.token, claims, _weak(console, claims) if done.was_strong else "")
    set_cookie(request, response, _TICKET_COOKIE, "", is_for_return=True)
    return response


def _weak(console: Console, claims: Claims) -> str:
    if console.application.kernel.now_ms() < claims.step_up_until * 1000:
        return ""
    return "You are signed in, but the page where you did so does not say that it was a strong sign-in."


def _issuer_page(request: Request) -> SignIn:
    sign_in = console_of(request).application.sign_in
    if sign_in is None:
        raise NotFound
    return sign_in


async def sign_out(request: Request) -> Response:
    """End the session. Without one there is nothing to end, and the answer is the same."""
    request.scope[PAGE] = "/console/sign-out"
    demand_own_page(request)
    console = console_of(request)
    session = console.sessions.find(session_id(request))
    if session is not None:
        form = await receive_form(request, MAX_FORM_BYTES)
        if not same_text(form.raw(FORM_TOKEN), session.form_token):
            raise Refusal(403, "form_token")
        console.sessions.end(session_id(request))
    response = RedirectResponse(_SIGN_IN, 303)
    set_cookie(request, response, SESSION_COOKIE, "")
    return response


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        Route("/console/sign-in", show_form, methods=["GET"]),
        Route("/console/sign-in", sign_in, methods=["POST"]),
        Route(_BEGIN, begin, methods=["GET"]),
        Route(BACK_PATH, come_back, methods=["GET"]),
        Route("/console/sign-in/{code}", show_link, methods=["GET"]),
        Route("/console/sign-in/{code}", use_link, methods=["POST"]),
        Route("/console/sign-out", sign_out, methods=["POST"]),
    ]


def _signed_in(request: Request, token: str) -> Response:
    try:
        claims = _verified(request, token)
    except TokenRefused as refused:
        _record(request, refused)
        # One answer for every reason: the reason is for the ledger, not for who guesses tokens.
        error = FieldError("token", "This token was not accepted. Check that all of it was pasted, or get a new one.")
        return _form_page(request, status=401, errors=(error,))
    console_of(request).sessions.end(session_id(request))  # whoever was signed in here before is so no more
    response = RedirectResponse(_HOME, 303)
    _open(request, response, token, claims)
    return response


def _verified(request: Request, token: str) -> Claims:
    application = console_of(request).application
    claims = application.tokens.verify(token)
    application.kernel.recognize(Caller(claims, network_of(request)), "console")
    return claims


def _record(request: Request, refused: TokenRefused) -> None:
    if not isinstance(refused, TokenTakenBack):  # which is an entry already
        console_of(request).application.refusals.record(network_of(request), refused.reason)


def _open(request: Request, response: Response, token: str, claims: Claims, notice: str = "") -> None:
    """Open a session under a new id: one that somebody chose for this browser opens nothing."""
    console = console_of(request)
    identifier = console.sessions.open(token, claims.expires_at, notice)
    set_cookie(request, response, SESSION_COOKIE, identifier)


async def _form_of(request: Request) -> Form:
    demand_own_page(request)
    form = await receive_form(request, MAX_FORM_BYTES)
    kept = get_cookie(request, _FORM_COOKIE)
    if not kept or not same_text(form.raw(FORM_TOKEN), kept):
        raise Refusal(403, "form_token")
    return form


def _form_page(request: Request, status: int = 200, **facts: Any) -> Response:
    return _with_form_token(request, "sign_in", status, **{**_facts(request), **facts})


def _facts(request: Request) -> dict[str, Any]:
    sign_in = console_of(request).application.sign_in
    return {"title": "Sign in", "has_ended": False, "issuer_host": "" if sign_in is None else sign_in.host}


def _with_form_token(request: Request, name: str, status: int, **facts: Any) -> Response:
    form_token = get_cookie(request, _FORM_COOKIE) or secrets.token_urlsafe(32)
    response = render(request, name, status, **facts, form_token=form_token)
    set_cookie(request, response, _FORM_COOKIE, form_token)
    return response
