"""The HTTP application: routes, error answers, and what runs beside them."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from registry.api import (
    routes_audit,
    routes_brakes,
    routes_break_glass,
    routes_disclosures,
    routes_health,
    routes_holds,
    routes_keys,
    routes_me,
    routes_petitions,
    routes_policies,
    routes_principals,
    routes_releases,
    routes_requests,
    routes_sample,
    routes_subjects,
    routes_traces,
)
from registry.api.door import Door
from registry.api.errors import failure_response
from registry.api.frame import Frame
from registry.api.importing import ImportTurns
from registry.api.lookup import LOOKUP_PATH, LOOKUPS_AT_WORK, Api, answer_lookup
from registry.api.openapi import openapi_document
from registry.api.problems import TITLES, HttpRefusal, Problem
from registry.api.readiness import Readiness
from registry.api.scim import routes_bulk as scim_bulk
from registry.api.scim import routes_discovery as scim_discovery
from registry.api.scim import routes_groups as scim_groups
from registry.api.scim import routes_search as scim_search
from registry.api.scim import routes_users as scim_users
from registry.api.scim.answers import scim_error
from registry.api.scim.names import BASE as SCIM_BASE
from registry.api.turns import LITTLE
from registry.bootstrap import Application
from registry.domain.errors import RegistryError
from registry.services.send_notices import Sender
from registry.services.witnesses import EVERY_ENTRIES

FLUSH_SECONDS = 60.0
FLUSH_PAUSE_SECONDS = 0.1
LOOK_SECONDS = 1.0  # how often it is looked whether witnesses are to be asked
SHORTEN_SECONDS = 0.25
SEND_SECONDS = 1.0
OUTCOME_SECONDS = 1.0
DIGEST_SECONDS = 60.0
_CODES = {404: "not_found", 405: "method_not_allowed"}
_ROUTERS = (
    routes_subjects.router,
    routes_disclosures.router,
    routes_policies.router,
    routes_keys.router,
    routes_traces.router,
    routes_releases.router,
    routes_me.router,
    routes_petitions.router,
    routes_audit.router,
    routes_principals.router,
    routes_brakes.router,
    routes_requests.router,
    routes_sample.router,
    routes_break_glass.router,
    routes_holds.router,
    routes_health.router,
)
# SCIM describes itself, at /scim/v2/Schemas.
_SCIM_ROUTERS = (scim_users.router, scim_groups.router, scim_search.router, scim_bulk.router, scim_discovery.router)

log = structlog.get_logger("registry.api")


def create_app(application: Application) -> FastAPI:
    """Build the HTTP application over an opened registry; its lifespan closes the registry at the end."""
    app = Api(
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        lifespan=_lifespan(application),
    )
    app.state.application = application
    app.state.import_turns = ImportTurns()
    app.state.readiness = Readiness(application.readiness())
    for router in (*_ROUTERS, *_SCIM_ROUTERS):
        app.include_router(router)
    app.add_middleware(Door)
    app.add_middleware(Frame)  # the last one added is the outermost
    app.add_exception_handler(RegistryError, _registry_error)
    app.add_exception_handler(HttpRefusal, _http_refusal)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)
    # Whatever wraps the whole application must wrap the short way too.
    app.shorten(_lookup_route(), Frame(Door(answer_lookup, LOOKUPS_AT_WORK, LITTLE)))
    document = openapi_document(_ROUTERS)
    app.openapi = lambda: document  # type: ignore[method-assign]  # FastAPI's documented way to replace it
    return app


def _lookup_route() -> BaseRoute:
    return next(route for route in routes_disclosures.router.routes if getattr(route, "path", "") == LOOKUP_PATH)


def _lifespan(application: Application) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        ended = threading.Event()
        await run_in_threadpool(_ask_witnesses, application)  # before anybody is answered
        beside = [
            threading.Thread(target=work, args=(application, ended), name=work.__name__.strip("_"), daemon=True)
            for work in (_flush_refusals, _go_on_asking, _shorten_log, _make_digests, _beat, _stamp, _tell_outcomes)
        ]
        beside += [
            threading.Thread(target=_send_notices, args=(sender, ended), name=f"send_{sender.name}", daemon=True)
            for sender in application.notices.senders
        ]
        for thread in beside:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            await run_in_threadpool(_close, application, beside)

    return lifespan


def _flush_refusals(application: Application, ended: threading.Event) -> None:
    while not ended.wait(FLUSH_SECONDS):
        try:
            application.refusals.flush(lambda: ended.wait(FLUSH_PAUSE_SECONDS))
            application.tiles.flush()
        except RegistryError as error:
            # Nothing is lost: the counts stay and are tried again in a minute.
            log.warning("refusals not written", error=type(error).__name__)


def _ask_witnesses(application: Application) -> None:
    if application.witnesses is None:
        return
    try:
        for asked in application.witnesses.round(application.kernel.clock):
            if asked.failure:
                log.warning("witness did not cosign", witness=asked.witness, cause=asked.failure)
    except RegistryError as error:
        log.warning("no round of witnesses", error=type(error).__name__, cause=getattr(error, "cause", None))


def _go_on_asking(application: Application, ended: threading.Event) -> None:
    panel, waited, seen = application.witnesses, 0.0, _entries_of(application)
    while panel is not None and not ended.wait(LOOK_SECONDS):
        waited, size = waited + LOOK_SECONDS, _entries_of(application)
        if waited >= panel.every_seconds or size - seen >= EVERY_ENTRIES:
            _ask_witnesses(application)
            waited, seen = 0.0, size


def _entries_of(application: Application) -> int:
    """Return how long the ledger was a second ago, without asking the database."""
    return 0 if application.high_water is None else application.high_water.size


def _shorten_log(application: Application, ended: threading.Event) -> None:
    while not ended.wait(SHORTEN_SECONDS):
        try:
            application.database.shorten_log()
        except RegistryError as error:
            # Commits go on, and do it themselves when the log is long; whatever is wrong they will name.
            log.warning("write-ahead log not shortened", error=type(error).__name__)


def _beat(application: Application, ended: threading.Event) -> None:
    heartbeat = application.heartbeat
    while heartbeat.every_seconds and not ended.wait(max(1.0, heartbeat.every_seconds / 4)):
        try:
            heartbeat.beat()
        except Exception as error:  # noqa: BLE001 - a thread that ended would be the silence that it is to prevent
            log.warning("no sign of life", error=type(error).__name__)


def _tell_outcomes(application: Application, ended: threading.Event) -> None:
    outcomes = application.outcomes
    while outcomes.is_told and not ended.wait(OUTCOME_SECONDS):
        try:
            outcomes.flush()
        except Exception as error:  # noqa: BLE001 - as with signs of life: it must go on, and nothing is forgotten
            log.warning("outcomes not written", error=type(error).__name__)


def _stamp(application: Application, ended: threading.Event) -> None:
    anchors = application.anchors
    while anchors is not None and not ended.wait(anchors.every_seconds):
        try:
            for asked in anchors.round():
                if asked.failure:
                    log.warning("checkpoint not time-stamped", authority=asked.name, cause=asked.failure)
        except Exception as error:  # noqa: BLE001 - as with signs of life: it must go on
            log.warning("no round of authorities", error=type(error).__name__)


def _make_digests(application: Application, ended: threading.Event) -> None:
    while application.kernel.outlets.channels and not ended.wait(DIGEST_SECONDS):
        try:
            application.digests.make_due()
        except Exception as error:  # noqa: BLE001 - as with notices: a thread that ended would tell nobody
            log.warning("digests not made", error=type(error).__name__)


def _send_notices(sender: Sender, ended: threading.Event) -> None:
    while not ended.wait(SEND_SECONDS):
        try:
            sender.send_due(ended.is_set)
        except Exception as error:  # noqa: BLE001 - a thread that ended would send nothing more, and nobody would hear
            # They wait in the outbox, and what was claimed is free again when the claim is over.
            log.warning("notices not sent", error=type(error).__name__)


def _close(application: Application, beside: Sequence[threading.Thread]) -> None:
    for thread in beside:
        thread.join()
    try:
        application.close()
    except RegistryError as error:
        log.warning("counted refusals not written at shutdown", error=type(error).__name__)


async def _registry_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RegistryError):
        raise error
    return failure_response(request.app.state.application, error)


async def _http_refusal(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HttpRefusal):
        raise error
    return error.problem.response()


async def _http_exception(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: unknown paths and methods. Its own text is not passed on."""
    if not isinstance(error, HTTPException):
        raise error
    status = error.status_code if error.status_code in TITLES else 400
    allowed = {name: text for name, text in (error.headers or {}).items() if name.lower() == "allow"}
    response = Problem(status, _CODES.get(status, "bad_request"), headers=allowed).response()
    return scim_error(response) if request.url.path.startswith(f"{SCIM_BASE}/") else response


async def _validation_error(_request: Request, _error: Exception) -> Response:
    # No route lets the framework validate anything; should one ever, its report would quote what was sent.
    return Problem(422, "invalid").response()
