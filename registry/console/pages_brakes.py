"""Letting an account go on that was stopped: another person raises a limit, or lifts a lock or a brake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import REASON_RULE, Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render
from registry.console.words import purpose_choices
from registry.domain.errors import NotFound
from registry.domain.ids import PrincipalId, is_id
from registry.services.kernel import ReceiptView
from registry.services.ports import LOCKED
from registry.services.principals import ADMINS
from registry.services.unlock import LONGEST_UNLOCK, MOST_SUBJECTS, UNLOCKERS, RaisedLimit

PATH = "/console/brakes"


class Lift(StrEnum):
    """What may be done for an account that was stopped."""

    LIMIT = "limit"
    LOCK = "lock"
    BRAKE = "brake"


_WORDS = {
    Lift.LIMIT: "Raise its limit for one purpose, for some days",
    Lift.LOCK: "Lift its lock: it touched a decoy",
    Lift.BRAKE: "Lift its brake: it tried values out",
}
_DONE = {Lift.LIMIT: "The limit is raised.", Lift.LOCK: "The lock is lifted.", Lift.BRAKE: "The brake is lifted."}


def brakes(ask: Ask) -> Response:
    """Show which accounts are locked, to who may lift that, and the form."""
    return _page(ask, Form())


def lift(ask: Ask) -> Response:
    """Raise a limit, or lift a lock or a brake."""
    checks = Checks(ask.form)
    target = checks.required("principal", "Account", lambda text: None if is_id(text) else "id_form")
    what = checks.one("lift", "Choose what is to be done.", Lift)
    reason = checks.required("reason", "Reason", REASON_RULE)
    raised = _raised(ask, checks, reason) if what is Lift.LIMIT else None
    if checks.errors or what is None:
        return _page(ask, ask.form, tuple(checks.errors))
    try:
        receipt = _lifted(ask, PrincipalId(target), raised or what, reason)
    except NotFound:
        return _page(ask, ask.form, (FieldError("principal", "There is no such account."),))
    return ask.done(_DONE[what], receipt, PATH)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [shown(PATH, brakes, Gate(UNLOCKERS, "unlock")), submitted(PATH, lift, Gate(UNLOCKERS, "unlock"))]


def _raised(ask: Ask, checks: Checks, reason: str) -> RaisedLimit | None:
    purpose = checks.one("purpose", "Choose a purpose.", ask.application.kernel.policy.codes)
    most = checks.number("most", "People a day", MOST_SUBJECTS)
    days = checks.number("days", "Days", LONGEST_UNLOCK.days)
    until = ask.application.kernel.clock.now() + timedelta(days=days)
    return None if purpose is None else RaisedLimit(purpose, most, until, reason)


def _lifted(ask: Ask, target: PrincipalId, what: RaisedLimit | Lift, reason: str) -> ReceiptView:
    service = ask.application.unlock
    if isinstance(what, RaisedLimit):
        return service.raise_limit(ask.caller, target, what)
    done = service.lift_lock if what is Lift.LOCK else service.lift_brake
    return done(ask.caller, target, reason)


def _page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    is_admin = bool(ask.principal.roles & ADMINS)
    rows = ask.application.principals.read(ask.caller) if is_admin else ()
    facts: dict[str, Any] = {"title": "Limits and locks", "form": form, "errors": errors}
    braked = ask.application.unlock.braked(ask.caller) if is_admin else ()
    facts |= {"locked": [row for row in rows if row.state == LOCKED], "braked": braked, "is_admin": is_admin}
    # A lock and a brake are lifted by security administrators only; the service refuses everybody else.
    facts["lifts"] = [(one, words) for one, words in _WORDS.items() if is_admin or one is Lift.LIMIT]
    facts |= {"purposes": purpose_choices(ask.application.kernel.policy), "longest": LONGEST_UNLOCK.days}
    return render(ask.request, "brakes", 422 if errors else 200, **facts)
