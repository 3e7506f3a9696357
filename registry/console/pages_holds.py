"""Holds on notices: asked for by an investigator, confirmed by somebody else, ended by their time or before."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import CASE_RULE, NOTE_RULE, REASON_RULE, Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render, with_receipt
from registry.console.words import purpose_choices
from registry.domain.errors import NotFound
from registry.domain.holds import LONGEST_DAYS, HoldState, Statement
from registry.domain.ids import HoldId
from registry.services.holds import ENDERS, PLACERS, REVIEWERS, WATCHERS, HoldAsk, HoldWord

PATH = "/console/holds"
_DONE = {
    HoldState.CONFIRMED: "The hold is in force.",
    HoldState.REFUSED: "The hold is refused.",
    HoldState.ENDED: "The hold is ended. What it kept back is told now.",
}


class Verdict(StrEnum):
    """What a reviewer may say."""

    CONFIRM = "confirmed"
    REFUSE = "refused"


def holds(ask: Ask) -> Response:
    """List holds, and show the form for a new one to who may ask."""
    return _list(ask, Form())


def place(ask: Ask) -> Response:
    """Ask for a hold."""
    checks = Checks(ask.form)
    subject, tag = checks.person(ask.application.kernel.number_tag)
    purposes = ask.application.kernel.policy.codes & set(ask.form.texts("purposes"))
    statement = checks.one("statement", "Choose how it was asked for.", Statement) or Statement.ORAL
    days = checks.number("days", "Days", LONGEST_DAYS[statement])
    asked_by = checks.required("asked_by", "Asked for by", CASE_RULE)
    reason = checks.required("reason", "Reason", REASON_RULE)
    case = checks.optional("case", "Case reference", CASE_RULE)
    if checks.errors:
        return _list(ask, ask.form, tuple(checks.errors))
    wanted = HoldAsk(subject, tag, purposes, days, statement, asked_by, reason, case)
    try:
        _, receipt = ask.application.holds.place(ask.caller, wanted)
    except NotFound:
        return _list(ask, ask.form, (FieldError("employee_number", "Nobody with this number is enrolled."),))
    return ask.done("The hold is asked for. It keeps nothing back until somebody else confirms it.", receipt, PATH)


def hold(ask: Ask) -> Response:
    """Show whom one hold is about and why."""
    return _detail(ask, Form())


def review(ask: Ask) -> Response:
    """Confirm or refuse a hold."""
    checks = Checks(ask.form)
    verdict = checks.one("verdict", "Choose whether you confirm or refuse.", Verdict)
    return _settle(ask, checks, HoldState(verdict) if verdict else None)


def end(ask: Ask) -> Response:
    """End a hold before its time."""
    return _settle(ask, Checks(ask.form), HoldState.ENDED)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown(PATH, holds, Gate(ENDERS, "holds")),
        submitted(PATH, place, Gate(PLACERS, "hold")),
        shown(f"{PATH}/{{hold}}", hold, Gate(ENDERS, "hold")),
        submitted(f"{PATH}/{{hold}}/review", review, Gate(REVIEWERS, "hold review")),
        submitted(f"{PATH}/{{hold}}/end", end, Gate(ENDERS, "hold ended")),
    ]


def _settle(ask: Ask, checks: Checks, state: HoldState | None) -> Response:
    note = checks.optional("note", "Note", NOTE_RULE)
    if checks.errors or state is None:
        return _detail(ask, ask.form, tuple(checks.errors))
    word = HoldWord(HoldId(ask.path_id("hold")), state, note)
    _, receipt = ask.application.holds.settle(ask.caller, word)
    return ask.done(_DONE[state], receipt, PATH)


def _list(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    views = sorted(ask.application.holds.listing(ask.caller), key=lambda view: view.state is not HoldState.PENDING)
    facts: dict[str, Any] = {"title": "Holds on notices", "views": views, "form": form, "errors": errors}
    facts |= {
        "may_place": bool(ask.principal.roles & PLACERS),
        "purposes": purpose_choices(ask.application.kernel.policy),
    }
    facts |= {"watches": bool(ask.principal.roles & WATCHERS), "longest": LONGEST_DAYS, "statements": list(Statement)}
    return render(ask.request, "holds", 422 if errors else 200, **facts)


def _detail(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    found = ask.application.holds.get(ask.caller, HoldId(ask.path_id("hold")))
    state, roles = found.view.state, ask.principal.roles
    is_own = found.view.row.principal == ask.principal.id
    facts: dict[str, Any] = {"title": "Hold on notices", "found": found, "form": form, "errors": errors}
    facts["rules"] = ask.application.kernel.rules
    facts["may_review"] = bool(roles & REVIEWERS) and state is HoldState.PENDING and not is_own
    facts["may_end"] = state in (HoldState.PENDING, HoldState.CONFIRMED)
    return with_receipt(render(ask.request, "hold", 422 if errors else 200, **facts), found.receipt)
