"""The console: server-rendered pages over an opened registry, in the development profile."""

from __future__ import annotations

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from registry.bootstrap import Application
from registry.console import (
    pages_approvals,
    pages_auditor,
    pages_brakes,
    pages_cases,
    pages_changes,
    pages_check,
    pages_contact,
    pages_emergencies,
    pages_enroller,
    pages_holds,
    pages_home,
    pages_investigator,
    pages_oversight,
    pages_petitions,
    pages_reader,
    pages_release,
    pages_security_admin,
    pages_sign_in,
    pages_subject,
    pages_trace_acts,
)
from registry.console.asking import Console, may_step_up
from registry.console.errors import (
    METHOD_UNKNOWN,
    PAGE_UNKNOWN,
    Problem,
    Refusal,
    SignInNeeded,
    problem_of,
    problem_of_refusal,
)
from registry.console.frame import PAGE, Frame
from registry.console.pages import STYLE, render, style_sheet, with_receipt
from registry.console.sessions import Sessions, SignInLinks
from registry.domain.errors import AccessDenied, KeyUnavailable, MisconfiguredHome, RegistryError, TokenTakenBack
from registry.services.kernel import ReceiptView
from registry.settings import DEVELOPMENT

log = structlog.get_logger("registry.console")


def create_console(application: Application, links: SignInLinks | None = None) -> Starlette:
    """Build the console over an opened registry. It answers to paths under ``/console`` and does not close anything.

    Args:
        application: the opened registry.
        links: one-time sign-in links, for whoever starts the server to give out.

    Raises:
        MisconfiguredHome: not in the development profile; pasting tokens is no way to sign in anywhere else.
    """
    if application.profile != DEVELOPMENT:
        raise MisconfiguredHome("the console works in the development profile only")
    clock = application.kernel.clock
    app = Starlette(
        routes=_routes(),
        exception_handlers={
            SignInNeeded: _sign_in_needed,
            Refusal: _refusal,
            RegistryError: _registry_error,
            HTTPException: _http_exception,
        },
    )
    app.router.redirect_slashes = False
    app.state.console = Console(application, Sessions(clock), SignInLinks(clock) if links is None else links)
    app.add_middleware(Frame)
    return app


def _routes() -> list[BaseRoute]:
    return [
        Route("/", _to_home, methods=["GET"]),
        Route("/console", _to_home, methods=["GET"]),
        Route("/console/static/{name}", _static, methods=["GET"]),
        *pages_sign_in.routes(),
        *pages_home.routes(),
        *pages_reader.routes(),
        *pages_subject.routes(),
        *pages_investigator.routes(),
        *pages_trace_acts.routes(),
        *pages_cases.routes(),
        *pages_auditor.routes(),
        *pages_enroller.routes(),
        *pages_security_admin.routes(),
        *pages_changes.routes(),
        *pages_approvals.routes(),
        *pages_emergencies.routes(),
        *pages_holds.routes(),
        *pages_petitions.routes(),
        *pages_contact.routes(),
        *pages_oversight.routes(),
        *pages_brakes.routes(),
        *pages_check.routes(),
        *pages_release.routes(),
    ]


async def _to_home(_request: Request) -> Response:
    return RedirectResponse("/console/", 303)


async def _static(request: Request) -> Response:
    request.scope[PAGE] = "/console/static/{name}"
    if request.path_params["name"] != STYLE:
        raise HTTPException(404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}  # its address changes with its content
    return Response(style_sheet(), 200, headers, "text/css; charset=utf-8")


async def _sign_in_needed(_request: Request, _error: Exception) -> Response:
    return RedirectResponse("/console/sign-in", 303)


async def _refusal(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    response = problem_page(request, problem_of_refusal(error))
    if error.status in (408, 413):
        response.headers["Connection"] = "close"  # the rest of the body is not read
    return response


async def _registry_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RegistryError):
        raise error
    if isinstance(error, KeyUnavailable):
        log.error("key unavailable", cause=error.cause)
    receipt = None
    if isinstance(error, AccessDenied | TokenTakenBack):
        # A refusal is appended alone, so its entry was the last one of the tree that it was committed with.
        receipt = request.app.state.console.application.kernel.view(error.entry, error.entry + 1)
    return problem_page(request, problem_of(error), receipt)


async def _http_exception(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: unknown pages and methods. Its own text is not passed on."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    return problem_page(request, METHOD_UNKNOWN if status == 405 else PAGE_UNKNOWN)


def problem_page(request: Request, problem: Problem, receipt: ReceiptView | None = None) -> Response:
    """Return the page of a problem, with the receipt of its entry if it has one."""
    facts = {"title": problem.heading, "problem": problem, "receipt": receipt}
    response = render(request, "problem", problem.status, **facts, step_up=may_step_up(request, problem.needs_step_up))
    if problem.status == 503:
        response.headers["Retry-After"] = "5"
    return with_receipt(response, receipt)
