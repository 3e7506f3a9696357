"""The first page: who you are here, and what you may do."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown
from registry.console.pages import render
from registry.services.awaiting import Task

_ANYBODY = Gate(frozenset(), "")
# Where each task is done, and how many of it are said.
_PLACES: Mapping[Task, tuple[str, str, str]] = {
    Task.REQUESTS: ("/console/requests", "request to decide", "requests to decide"),
    Task.EMERGENCIES: ("/console/emergencies", "emergency to review", "emergencies to review"),
    Task.HOLDS: ("/console/holds", "hold to review", "holds to review"),
    Task.DISPUTES: ("/console/disputes", "dispute to answer", "disputes to answer"),
    Task.CORRECTIONS: ("/console/corrections", "correction to answer", "corrections to answer"),
    Task.SAMPLE: (
        "/console/sample",
        "lookup of last week's sample to review",
        "lookups of last week's sample to review",
    ),
}


def home(ask: Ask) -> Response:
    """Show what waits, and the menu in plain words."""
    awaited = [(one, _PLACES[one.task]) for one in ask.application.awaiting.of(ask.principal)]
    now = ask.application.kernel.now_ms()
    return render(ask.request, "home", title="Home", awaited=awaited, now=now, account=ask.principal.id)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [shown("/console/", home, _ANYBODY)]
