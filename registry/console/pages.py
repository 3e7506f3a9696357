"""From a template and its facts to an answer. Everything is escaped; there is no script and no style in a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from registry.console import words
from registry.console.menu import MENU, Page
from registry.console.sessions import Session
from registry.domain.clock import from_unix_ms, iso
from registry.domain.ids import is_id
from registry.domain.principals import Principal
from registry.reports.as_html import environment_of
from registry.reports.plain import duration, utc, visible
from registry.services.kernel import ReceiptView

STYLE = "console.css"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is at the browser: session and principal as the table says now."""

    session: Session
    principal: Principal

    @property
    def name(self) -> str:
        """The account's name as its issuer gives it."""
        return account_of(self.principal.name).name

    @property
    def roles(self) -> str:
        """Roles in words."""
        return words.role_words(self.principal.roles)

    @property
    def menu(self) -> tuple[Page, ...]:
        """The pages for these roles."""
        return tuple(page for page in MENU if page.roles & self.principal.roles)


@dataclass(frozen=True, slots=True)
class Account:
    """A principal as pages name it: its name and who vouches for it."""

    name: str
    issuer: str


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a form.

    Attributes:
        field: id of the field in the page; the summary links there.
        text: a sentence.
    """

    field: str
    text: str


def account_of(principal: str) -> Account:
    """Split ``issuer#sub``; a text of another form is all name."""
    issuer, mark, name = principal.partition("#")
    return Account(name, issuer) if mark else Account(principal, "")


def render(request: Request, name: str, status: int = 200, **facts: Any) -> Response:
    """Return a page.

    Args:
        request: for who is signed in and where the page is.
        name: the template's name without its ending.
        status: HTTP status.
        facts: what the template needs; ``title`` at least. ``errors`` are the field errors of a form.
    """
    signed_in: SignedIn | None = getattr(request.state, "signed_in", None)
    session = None if signed_in is None else signed_in.session
    common: Mapping[str, Any] = {
        "errors": (),
        "signed_in": signed_in,
        "form_token": "" if session is None else session.form_token,
        "notice": "" if session is None or status != 200 else session.take_notice(),
        "here": request.url.path,
        "style": style_path(),
        "words": words,
    }
    return HTMLResponse(_environment().get_template(f"{name}.html.j2").render({**common, **facts}), status)


def with_receipt(response: Response, receipt: ReceiptView | None) -> Response:
    """Name a receipt's entry in a header of the answer, as the API does."""
    if receipt is not None:
        response.headers["Audit-Receipt"] = receipt.header
    return response


def style_path() -> str:
    """Return the style sheet's address: it changes with the content, so that browsers may keep it."""
    return f"/console/static/{STYLE}?{sha256(style_sheet()).hexdigest()[:16]}"


@cache
def style_sheet() -> bytes:
    """Return the style sheet."""
    return files("registry.console").joinpath("static", STYLE).read_bytes()


def _template(name: str) -> str:
    return files("registry.console").joinpath("templates", name).read_text(encoding="utf-8")


def _moment(milliseconds: int) -> str:
    return utc(from_unix_ms(milliseconds))


@cache
def _environment() -> Environment:
    environment = environment_of(_template)
    environment.filters["account"] = account_of
    environment.filters["moment"] = _moment
    environment.filters["machine_moment"] = lambda milliseconds: iso(from_unix_ms(milliseconds))
    environment.filters["duration"] = duration
    environment.filters["is_id"] = is_id
    environment.filters["utc"] = utc
    environment.filters["iso"] = _iso
    environment.filters["visible"] = visible
    return environment


def _iso(moment: datetime) -> str:
    return iso(moment)
