"""Is this value protected? One bit, for who is about to release something, and for investigators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render, with_receipt
from registry.console.words import CATEGORIES, problem_words
from registry.domain.categories import Category
from registry.domain.enrollment import FieldProblem
from registry.services.check_value import CHECKERS
from registry.text.rules.reading import Reading
from registry.text.rules.values import read_value

PATH = "/console/check"
# Category -> key of its value; a plate names its state too.
_KEYS = {
    Category.HOME_ADDRESS: "line",
    Category.PHONE: "number",
    Category.SSN: "number",
    Category.PAYMENT_CARD: "number",
    Category.EMAIL: "address",
    Category.VEHICLE_PLATE: "plate",
}
# A number is found whatever kind of telephone it is enrolled as.
_BESIDE = {Category.PHONE: {"kind": "mobile"}}


def check_form(ask: Ask) -> Response:
    """Show the form."""
    return _page(ask, Form())


def check(ask: Ask) -> Response:
    """Answer with one bit; the value is not shown again."""
    checks = Checks(ask.form)
    category = checks.one("category", "Choose what kind of value it is.", _KEYS)
    text = checks.required("value", "Value", lambda _: None)
    if checks.errors or category is None:
        return _page(ask, ask.form, tuple(checks.errors))
    given = {_KEYS[category]: text} | _BESIDE.get(category, {})
    if category is Category.VEHICLE_PLATE:
        given["state"] = ask.form.text("state")
    reading = Reading(ask.today)
    value = read_value(category, given, "", reading)
    if reading.problems:
        return _page(ask, ask.form, _field_errors(reading.problems))
    checked = ask.application.check_value.check(ask.caller, category, value)
    status = 429 if checked.is_protected is None else 200
    facts: dict[str, Any] = {"title": "Is it protected?", "form": Form(), "categories": _choices()}
    facts |= {"checked": checked, "category": CATEGORIES[category]}
    return with_receipt(render(ask.request, "check", status, **facts), checked.receipt)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [shown(PATH, check_form, Gate(CHECKERS, "check")), submitted(PATH, check, Gate(CHECKERS, "check"))]


def _page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    facts: dict[str, Any] = {"title": "Is it protected?", "form": form, "errors": errors, "checked": None}
    return render(ask.request, "check", 422 if errors else 200, **facts, categories=_choices())


def _choices() -> list[tuple[Category, str]]:
    return [(category, CATEGORIES[category]) for category in _KEYS]


def _field_errors(problems: Sequence[FieldProblem]) -> tuple[FieldError, ...]:
    found: dict[str, FieldError] = {}
    for problem in problems:
        field = "state" if problem.pointer.endswith("/state") else "value"
        found.setdefault(field, FieldError(field, f"Your input {problem_words(problem.code)}."))
    return tuple(found.values())
