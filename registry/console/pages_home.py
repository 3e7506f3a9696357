"""The first page: who you are here, and what you may do."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown
from registry.console.pages import render

_ANYBODY = Gate(frozenset(), "")


def home(ask: Ask) -> Response:
    """Show the menu in plain words."""
    return render(ask.request, "home", title="Home")


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [shown("/console/", home, _ANYBODY)]
