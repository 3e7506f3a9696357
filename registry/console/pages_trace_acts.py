"""What follows from a trace, by two people: the name behind a label, and draws opened for a defence.

Both are asked for on the trace's page, wait for an approver, and are done by sending exactly the same again.
"""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, submitted
from registry.console.checks import REASON_RULE, Checks
from registry.console.pages import FieldError, render, with_receipt
from registry.console.pages_investigator import label_of, report_page, trace_of
from registry.domain.errors import Conflict
from registry.services.match import INVESTIGATORS
from registry.services.naming import NameAsk

_PATH = "/console/traces/{trace}"
_MOST_ACCOUNTS = 999_999


def name_account(ask: Ask) -> Response:
    """Name the account behind a label that the report calls strong or more; whose it is is told."""
    trace, checks = trace_of(ask.request), Checks(ask.form)
    label = ""
    if ask.form.text("account"):
        # A number that the page does not offer goes on to the service, whose refusal is an entry.
        label = label_of(checks.number("account", "Account", _MOST_ACCOUNTS))
    else:
        checks.refuse("account", "Choose an account.")
    reason = checks.required("name_reason", "Reason", REASON_RULE)
    if checks.errors:
        return report_page(ask, ask.form, tuple(checks.errors))
    named = ask.application.trace.name(ask.caller, trace, NameAsk(label, reason))
    page = render(ask.request, "trace_named", title=f"Who has {label}", trace=trace, named=named)
    return with_receipt(page, named.receipt)


def open_draws(ask: Ask) -> Response:
    """Open what was drawn for every copy of the values that the trace read."""
    trace, checks = trace_of(ask.request), Checks(ask.form)
    reason = checks.required("draws_reason", "Reason", REASON_RULE)
    if checks.errors:
        return report_page(ask, ask.form, tuple(checks.errors))
    try:
        opened = ask.application.trace.open_draws(ask.caller, trace, reason)
    except Conflict as conflict:
        if conflict.code != "exists":
            raise
        opened_before = FieldError("draws_reason", "It is open already: the evidence bundle has the keys.")
        return report_page(ask, ask.form, (opened_before,))
    what = (
        f"What was drawn for copies of {opened.versions} values is open: the evidence bundle has the keys from now on."
    )
    return ask.done(what, opened.receipt, f"/console/traces/{trace}")


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        submitted(f"{_PATH}/names", name_account, Gate(INVESTIGATORS, "name account")),
        submitted(f"{_PATH}/draws", open_draws, Gate(INVESTIGATORS, "open draws")),
    ]
