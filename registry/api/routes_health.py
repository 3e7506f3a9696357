"""For whoever runs the registry and whoever finds a weakness in it. No token, and nothing about anybody."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from registry.api import describe_health as described
from registry.api.problems import Problem, json_answer
from registry.bootstrap import Application
from registry.domain.clock import iso

router = APIRouter()

_SECURITY_TXT_DAYS = 180


@router.get("/healthz", **described.HEALTHZ.options())
async def healthz() -> Response:
    return json_answer({"status": "ok"})


@router.get("/readyz", **described.READYZ.options())
def readyz(request: Request) -> Response:
    application: Application = request.app.state.application
    checks = application.readiness()
    failed = sorted(name for name, is_ready in checks.items() if not is_ready)
    if failed:
        return Problem(503, "not_ready", {"cause": failed[0], "failed": failed}, {"Retry-After": "5"}).response()
    return json_answer({"status": "ready", "checks": dict.fromkeys(checks, "ok")})


@router.get("/.well-known/security.txt", **described.SECURITY_TXT.options())
def security_txt(request: Request) -> Response:
    application: Application = request.app.state.application
    expires = application.kernel.clock.now() + timedelta(days=_SECURITY_TXT_DAYS)
    lines = [f"Contact: {application.settings.security_contact}", f"Expires: {iso(expires)}", "Preferred-Languages: en"]
    return Response("\n".join(lines) + "\n", 200, media_type="text/plain; charset=utf-8")
