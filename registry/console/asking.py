"""What comes before every page, in this order: where the request comes from, the session, the role, then the form.

Whoever lacks a session or a role learns nothing about a form, and a body is not even waited for.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from threading import BoundedSemaphore
from typing import Literal
from urllib.parse import urlsplit

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from registry.bootstrap import Application
from registry.console.errors import Refusal, SignInNeeded
from registry.console.forms import Form, read_form
from registry.console.frame import PAGE
from registry.console.pages import SignedIn, with_receipt
from registry.console.sessions import Session, Sessions, SignInLinks
from registry.domain.errors import TokenRefused, TokenTakenBack
from registry.domain.ids import is_id
from registry.domain.principals import Principal, Role
from registry.services.kernel import Caller, ReceiptView

MAX_FORM_BYTES = 64 << 10
BODY_SECONDS = 60.0
MOST_AT_ISSUER = 8  # requests, of whomever
FORM_TOKEN = "form_token"  # noqa: S105 - the name of a field, not a secret
SESSION_COOKIE = "registry-console"


@dataclass(frozen=True, slots=True)
class Console:
    """What every page is made from.

    Attributes:
        application: the registry.
        sessions: who is signed in.
        links: one-time sign-in links.
        at_issuer: turns of requests that ask the issuer whose page people sign in at.
    """

    application: Application
    sessions: Sessions
    links: SignInLinks
    at_issuer: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MOST_AT_ISSUER))


@dataclass(frozen=True, slots=True)
class Ask:
    """One request whose session and role are in order.

    Attributes:
        application: the registry.
        caller: verified claims and network address.
        principal: who that is in the principals table.
        request: for path and query.
        form: what was submitted; empty for a page that is only shown.
    """

    application: Application
    caller: Caller
    principal: Principal
    request: Request
    form: Form

    @property
    def today(self) -> date:
        """The day to judge dates by."""
        return self.application.kernel.clock.now().date()

    def path_id(self, name: str) -> str:
        """Return an id of the path; a text of another form is taken for an id that nobody has."""
        text = str(self.request.path_params[name])
        return text if is_id(text) else "0" * 32

    def done(self, what: str, receipt: ReceiptView, path: str) -> Response:
        """Send the browser on after a write, so that reloading does not repeat it; the next page says what was done."""
        self.session.notice = f"{what} Receipt {receipt.code}, entry {receipt.index} of the ledger."
        return with_receipt(RedirectResponse(path, 303), receipt)

    @property
    def session(self) -> Session:
        """The browser's session."""
        signed_in: SignedIn = self.request.state.signed_in
        return signed_in.session


@dataclass(frozen=True, slots=True)
class Gate:
    """Who may come to a page.

    Attributes:
        roles: any of these must be the caller's; none means that being signed in is enough.
        action: what a refusal's entry says was wanted.
    """

    roles: frozenset[Role]
    action: str


Handler = Callable[[Ask], Response]


def console_of(request: Request) -> Console:
    """Return what the pages of this request are made from."""
    console: Console = request.app.state.console
    return console


def shown(path: str, handler: Handler, gate: Gate) -> Route:
    """Make the route of a page that only shows something."""

    async def endpoint(request: Request) -> Response:
        request.scope[PAGE] = path
        ask = await run_in_threadpool(_admit, request, gate)
        return await run_in_threadpool(handler, ask)

    return Route(path, endpoint, methods=["GET"])


def submitted(path: str, handler: Handler, gate: Gate, limit: int = MAX_FORM_BYTES) -> Route:
    """Make the route of a form: it does something, or shows values, which no link can ever ask for."""

    async def endpoint(request: Request) -> Response:
        request.scope[PAGE] = path
        demand_own_page(request)
        ask = await run_in_threadpool(_admit, request, gate)
        form = await receive_form(request, limit)
        if not same_text(form.raw(FORM_TOKEN), ask.session.form_token):
            raise Refusal(403, "form_token")
        return await run_in_threadpool(handler, Ask(ask.application, ask.caller, ask.principal, request, form))

    return Route(path, endpoint, methods=["POST"])


def demand_own_page(request: Request) -> None:
    """Check that a page of this console sent the request.

    Browsers say so in Sec-Fetch-Site, which no page can set; older ones at least name the sending origin.

    Raises:
        Refusal: another site, another port, or a client that says neither.
    """
    site = request.headers.getlist("sec-fetch-site")
    if site:
        is_own = site == ["same-origin"]
    else:
        own = urlsplit(str(request.url))
        is_own = request.headers.getlist("origin") == [f"{own.scheme}://{own.netloc}"]
    if not is_own:
        raise Refusal(403, "other_site")


async def receive_form(request: Request, limit: int) -> Form:
    """Read a form of at most ``limit`` bytes into memory.

    Raises:
        Refusal: too large, too slow, or no form.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise Refusal(413, "too_large")
    received = bytearray()
    try:
        with anyio.fail_after(BODY_SECONDS):
            async for chunk in request.stream():
                received += chunk
                if len(received) > limit:
                    raise Refusal(413, "too_large")
    except TimeoutError:
        raise Refusal(408, "too_slow") from None
    return await run_in_threadpool(read_form, request.headers.get("content-type", ""), bytes(received))


def same_text(given: str, expected: str) -> bool:
    """Compare secrets without telling by the time taken how much of them was right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def session_id(request: Request) -> str:
    """Return the session id that the browser sent, or an empty text."""
    return get_cookie(request, SESSION_COOKIE)


def get_cookie(request: Request, name: str) -> str:
    """Return a cookie of ours, or an empty text."""
    return request.cookies.get(_full_name(request, name), "")


def set_cookie(request: Request, response: Response, name: str, value: str, *, is_for_return: bool = False) -> None:
    """Set a cookie that ends with the browser, is invisible to scripts and is never sent from another site.

    Args:
        request: that is answered.
        response: the answer.
        name: of the cookie.
        value: empty to take it away.
        is_for_return: it is sent also when another site leads the browser here, as an issuer's page does.
    """
    is_secure = request.url.scheme == "https"
    path = "/" if is_secure else "/console"  # a __Host- cookie must have the path /
    site: Literal["lax", "strict"] = "lax" if is_for_return else "strict"
    response.set_cookie(_full_name(request, name), value, path=path, secure=is_secure, httponly=True, samesite=site)


def _full_name(request: Request, name: str) -> str:
    # Over HTTPS the prefix makes browsers refuse such a cookie from another host or from plain HTTP (RFC 6265bis).
    return f"__Host-{name}" if request.url.scheme == "https" else name


def network_of(request: Request) -> str:
    """Return the peer of the connection itself: a forwarded address is whatever the sender likes it to be."""
    return "" if request.client is None else request.client.host


def may_step_up(request: Request, needs_step_up: bool) -> bool:  # noqa: FBT001 - what is asked about
    """Tell whether a page should offer a strong sign-in: it is wanted, and there is an issuer's page for it."""
    sign_in = console_of(request).application.sign_in
    return needs_step_up and sign_in is not None and sign_in.can_be_strong


def identify(request: Request) -> Caller:
    """Find out who is signed in, and note it for the page's head.

    Raises:
        SignInNeeded: no session, or it is over.
    """
    console, identifier = console_of(request), session_id(request)
    session = console.sessions.find(identifier) if identifier else None
    if session is None:
        raise SignInNeeded
    application = console.application
    try:
        claims = application.tokens.verify(session.token)
    except TokenRefused as refused:
        # Not merely expired, since the session would have ended with it: a key was withdrawn, or the issuer changed.
        console.sessions.end(identifier)
        application.refusals.record(network_of(request), refused.reason)
        raise SignInNeeded from None
    caller = Caller(claims, network_of(request))
    try:
        principal = application.kernel.recognize(caller, "console")
    except TokenTakenBack:
        console.sessions.end(identifier)
        raise SignInNeeded from None
    request.state.signed_in = SignedIn(session, principal)
    return caller


def _admit(request: Request, gate: Gate) -> Ask:
    caller = identify(request)
    application = console_of(request).application
    principal = request.state.signed_in.principal
    if gate.roles:
        principal = application.kernel.admit(caller, gate.roles, gate.action)
    return Ask(application, caller, principal, request, Form())
