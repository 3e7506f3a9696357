"""Emergencies: opening a card at once, and the review that follows without fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import CASE_RULE, REASON_RULE, Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render, with_receipt
from registry.domain.break_glass import Finding
from registry.domain.categories import Category
from registry.domain.clock import from_unix_ms
from registry.domain.errors import NotFound
from registry.domain.ids import BreakGlassId
from registry.reports.plain import utc
from registry.services.break_glass import BREAKERS, REVIEWERS, WATCHERS, Emergency, Judgement

PATH = "/console/emergencies"
_OPEN = Gate(BREAKERS, "break glass")


def emergency_form(ask: Ask) -> Response:
    """Show the form, filled with what a lookup asked for when it came from one."""
    return _form(ask, ask.form)


def open_card(ask: Ask) -> Response:
    """Open a card for a short time."""
    checks = Checks(ask.form)
    subject, tag = checks.person(ask.application.kernel.number_tag)
    categories = checks.several("categories", "Choose at least one kind of value.", Category)
    reason = checks.required("reason", "Reason", REASON_RULE)
    case = checks.optional("case", "Case reference", CASE_RULE)
    if checks.errors:
        return _form(ask, ask.form, tuple(checks.errors))
    try:
        row, receipt = ask.application.break_glass.open(ask.caller, Emergency(subject, tag, categories, reason, case))
    except NotFound:
        return _form(ask, ask.form, (FieldError("employee_number", "Nobody with this number is enrolled."),))
    until, review = utc(from_unix_ms(row.until)), utc(from_unix_ms(row.review_by))
    what = f"The card is open to you until {until}. Look up now. The review is due by {review}."
    return ask.done(what, receipt, "/console/look-up")


def emergencies(ask: Ask) -> Response:
    """List emergencies: the most urgent reviews first."""
    views = ask.application.break_glass.listing(ask.caller)
    now = ask.application.kernel.now_ms()
    return render(ask.request, "emergencies", title="Emergencies", views=views, now=now, own=ask.principal.id)


def emergency(ask: Ask) -> Response:
    """Show whom one emergency was about and why."""
    return _detail(ask, Form())


def review(ask: Ask) -> Response:
    """Take what a reviewer finds."""
    checks = Checks(ask.form)
    finding = checks.one("finding", "Choose what you find.", Finding)
    note = checks.required("note", "Note", REASON_RULE)
    if checks.errors or finding is None:
        return _detail(ask, ask.form, tuple(checks.errors))
    judgement = Judgement(BreakGlassId(ask.path_id("glass")), finding, note)
    _, receipt = ask.application.break_glass.review(ask.caller, judgement)
    return ask.done("The review is recorded.", receipt, PATH)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown(PATH, emergencies, Gate(WATCHERS, "break-glass")),
        shown(f"{PATH}/new", emergency_form, _OPEN),
        submitted(f"{PATH}/from-lookup", emergency_form, _OPEN),
        submitted(f"{PATH}/new", open_card, _OPEN),
        shown(f"{PATH}/{{glass}}", emergency, Gate(WATCHERS, "break-glass")),
        submitted(f"{PATH}/{{glass}}", review, Gate(REVIEWERS, "review")),
    ]


def _form(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    rules = ask.application.kernel.rules
    facts: dict[str, Any] = {"title": "In an emergency", "form": form, "errors": errors, "categories": list(Category)}
    minutes, hours = rules.emergency_minutes, rules.review_hours
    return render(ask.request, "emergency_form", 422 if errors else 200, **facts, minutes=minutes, hours=hours)


def _detail(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    found = ask.application.break_glass.get(ask.caller, BreakGlassId(ask.path_id("glass")))
    row = found.view.row
    may_review = bool(ask.principal.roles & REVIEWERS) and not row.finding and row.principal != ask.principal.id
    facts: dict[str, Any] = {"title": "Emergency", "found": found, "form": form, "errors": errors}
    facts |= {"may_review": may_review, "now": ask.application.kernel.now_ms()}
    return with_receipt(render(ask.request, "emergency", 422 if errors else 200, **facts), found.receipt)
