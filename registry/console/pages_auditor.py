"""The ledger for auditors: entries a page at a time, one entry, and the signed checkpoint."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from registry.audit.kinds import Kind
from registry.console.asking import Ask, Gate, shown
from registry.console.pages import render, with_receipt
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput, NotFound
from registry.services.entry_query import FILTERS, filter_of
from registry.services.read_audit import AUDITORS

PAGE_ENTRIES = 50
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_RECORD = "record."


def entries(ask: Ask) -> Response:
    """Show a page of entries, newest first."""
    given = {name: text for name in FILTERS if (text := ask.request.query_params.get(name, "").strip())}
    before, wrong = _number(ask.request.query_params.get("before", "")), list[FieldProblem]()
    wanted = filter_of(given, wrong)
    if wrong:
        raise InvalidInput(wrong)  # a page that is not what was asked for would be taken for all
    page = ask.application.audit.page(ask.caller, before=before, limit=PAGE_ENTRIES, wanted=wanted)
    facts: dict[str, Any] = {
        "title": "Ledger",
        "page": page,
        "given": given,
        "kinds": list(Kind),
        "purposes": sorted(ask.application.kernel.policy.codes),
        "before": before,
        "query": urlencode(given),
    }
    return with_receipt(render(ask.request, "ledger", **facts), page.receipt)


def entry(ask: Ask) -> Response:
    """Show everything that one entry says."""
    index = _number(ask.request.path_params["index"])
    page = ask.application.audit.page(ask.caller, before=None if index is None else index + 1, limit=1)
    found = page.entries[0] if page.entries else None
    if found is None or found.index != index:
        raise NotFound
    values = {name: text for name, text in (found.values or {}).items() if not name.startswith(_RECORD)}
    facts: dict[str, Any] = {"title": f"Entry {index}", "entry": found, "values": values, "receipt": page.receipt}
    return with_receipt(render(ask.request, "entry", **facts), page.receipt)


def checkpoint(ask: Ask) -> Response:
    """Show the signed checkpoint of the newest entry."""
    return render(ask.request, "checkpoint", title="Checkpoint", checkpoint=ask.application.audit.checkpoint())


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown("/console/ledger", entries, Gate(AUDITORS, "entries")),
        shown("/console/ledger/checkpoint", checkpoint, Gate(AUDITORS, "checkpoint")),
        shown("/console/ledger/{index}", entry, Gate(AUDITORS, "entries")),
    ]


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None
