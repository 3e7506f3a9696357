"""For whoever runs the registry and whoever finds a weakness in it. No token, and nothing about anybody."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from registry.api import describe_health as described
from registry.api.problems import Problem, json_answer
from registry.api.readiness import OK, Causes
from registry.bootstrap import Application
from registry.domain.clock import iso

router = APIRouter()

_SECURITY_TXT_DAYS = 180


@router.get("/", **described.POINTER.options())
async def pointer() -> Response:
    return json_answer(described.POINTERS)


@router.get("/healthz", **described.HEALTHZ.options())
async def healthz() -> Response:
    return json_answer({"status": "ok"})


@router.get("/readyz", **described.READYZ.options())
async def readyz(request: Request) -> Response:
    application: Application = request.app.state.application
    if application.ending.is_announced:
        return _not_ready("ending", {})
    checks = await request.app.state.readiness.causes()
    failed = [cause for cause in checks.values() if cause != OK]
    return _not_ready(failed[0], checks) if failed else json_answer({"status": "ready", "checks": checks})


def _not_ready(cause: str, checks: Causes) -> Response:
    failed = [name for name, found in checks.items() if found != OK]
    told = {"cause": cause, "failed": failed, "checks": checks}
    return Problem(503, "not_ready", told, {"Retry-After": "5"}).response()


@router.get("/.well-known/security.txt", **described.SECURITY_TXT.options())
def security_txt(request: Request) -> Response:
    application: Application = request.app.state.application
    expires = application.kernel.clock.now() + timedelta(days=_SECURITY_TXT_DAYS)
    lines = [f"Contact: {application.settings.security_contact}", f"Expires: {iso(expires)}", "Preferred-Languages: en"]
    return Response("\n".join(lines) + "\n", 200, media_type="text/plain; charset=utf-8")
