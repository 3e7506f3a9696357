"""Who may act: the principals table, and changes to it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import UNIT_RULE, Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render
from registry.domain.errors import InvalidInput
from registry.domain.principals import Role
from registry.identity.claims import is_plain_text
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import ADMINS, Grant
from registry.text.rules.employee_number import employee_number_problem


def principals(ask: Ask) -> Response:
    """List every principal, and show the form for a change."""
    return _page(ask, Form())


def grant(ask: Ask) -> Response:
    """Make a principal or replace its roles."""
    checks = Checks(ask.form)
    issuer = checks.required("issuer", "Issuer", _plain_problem)
    sub = checks.required("sub", "Name", _plain_problem)
    number = checks.optional("employee_number", "Employee number", employee_number_problem)
    unit = checks.optional("unit", "Unit", UNIT_RULE)
    roles = frozenset(Role(role) for role in ask.form.texts("roles") if role in frozenset(Role))
    if checks.errors:
        return _page(ask, ask.form, tuple(checks.errors))
    try:
        _, receipt = ask.application.principals.grant(ask.caller, Grant(issuer, sub, roles, number or None, unit))
    except InvalidInput:
        return _page(ask, ask.form, (FieldError("roles", "Nobody may hold these roles together."),))
    what = "Roles were saved" if roles else "The principal was ended"
    ask.session.notice = f"{what}. Receipt {receipt.code}, entry {receipt.index} of the ledger."
    return RedirectResponse("/console/principals", 303)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown("/console/principals", principals, Gate(ADMINS, "list principals")),
        submitted("/console/principals", grant, Gate(ADMINS, "grant")),
    ]


def _page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    rows = sorted(ask.application.principals.read(ask.caller), key=lambda row: (row.state, row.sub, row.issuer))
    facts = {"title": "Principals", "rows": rows, "form": form, "errors": errors, "roles": list(Role)}
    return render(ask.request, "principals", 422 if errors else 200, **facts, default_issuer=DEVELOPMENT_ISSUER)


def _plain_problem(text: str) -> str | None:
    return None if is_plain_text(text) else "not_plain_text"
