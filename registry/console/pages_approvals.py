"""Requests for approval: the list, one request, an approver's word, and how approvers decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import NOTE_RULE, Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render, with_receipt
from registry.domain.approvals import State, Verdict
from registry.domain.ids import RequestId
from registry.services.approvals import APPROVERS, ASKERS, WATCHERS, Word
from registry.services.read_audit import AUDITORS

PATH = "/console/requests"
_DONE = {
    State.APPROVED: "The request is approved.",
    State.REFUSED: "The request is refused.",
    State.PENDING: "Your approval is recorded; the request waits for another one.",
}


def requests(ask: Ask) -> Response:
    """List requests: those that wait first."""
    views = ask.application.approvals.listing(ask.caller)
    ordered = sorted(views, key=lambda view: view.state is not State.PENDING)
    watches = bool(ask.principal.roles & WATCHERS)
    facts: dict[str, Any] = {"title": "Approvals", "views": ordered, "watches": watches, "own": ask.principal.id}
    return render(ask.request, "requests", **facts, audits=bool(ask.principal.roles & AUDITORS))


def request(ask: Ask) -> Response:
    """Show what one request asks for and why."""
    return _page(ask, Form())


def decide(ask: Ask) -> Response:
    """Take an approver's word."""
    checks = Checks(ask.form)
    verdict = checks.one("verdict", "Choose whether you approve or refuse.", Verdict)
    note = checks.optional("note", "Note", NOTE_RULE)
    if checks.errors or verdict is None:
        return _page(ask, ask.form, tuple(checks.errors))
    word = Word(RequestId(ask.path_id("request")), verdict, note)
    view, receipt = ask.application.approvals.decide(ask.caller, word)
    return ask.done(_DONE[view.state], receipt, PATH)


def statistics(ask: Ask) -> Response:
    """Show how each approver decided: who approves everything within seconds reads nothing."""
    figures = ask.application.approvals.statistics(ask.caller)
    return render(ask.request, "request_statistics", title="How approvers decide", figures=figures)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown(PATH, requests, Gate(ASKERS | WATCHERS, "requests")),
        shown(f"{PATH}/statistics", statistics, Gate(AUDITORS, "approval statistics")),
        shown(f"{PATH}/{{request}}", request, Gate(ASKERS | WATCHERS, "request")),
        submitted(f"{PATH}/{{request}}", decide, Gate(APPROVERS, "decide request")),
    ]


def _page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    found = ask.application.approvals.get(ask.caller, RequestId(ask.path_id("request")))
    may_decide = (
        bool(ask.principal.roles & APPROVERS)
        and found.view.state is State.PENDING
        and found.view.row.principal != ask.principal.id
    )
    facts: dict[str, Any] = {"title": "Request", "found": found, "form": form, "errors": errors}
    response = render(ask.request, "request", 422 if errors else 200, **facts, may_decide=may_decide)
    return with_receipt(response, found.receipt)
