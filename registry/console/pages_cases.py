"""The case of a trace: notes, replies of those whose copies its report speaks of, and how it stands."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, submitted
from registry.console.checks import CASE_NOTE_RULE, REASON_RULE, Checks
from registry.console.pages import FieldError
from registry.console.pages_investigator import label_of, report_page, trace_of
from registry.domain.case_states import CaseState
from registry.domain.errors import Conflict
from registry.services.match import INVESTIGATORS

_PATH = "/console/traces/{trace}"
_MOST_ACCOUNTS = 999_999
_STANDS_SO = "The case stands so already."
_CLOSED = "The case is closed: open it again first."


def add_note(ask: Ask) -> Response:
    """Add a note, or what the holder of an account replied."""
    trace, checks = trace_of(ask.request), Checks(ask.form)
    label = ""
    if ask.form.text("note_account"):
        label = label_of(checks.number("note_account", "Account that replied", _MOST_ACCOUNTS))
    text = checks.required("note", "Text", CASE_NOTE_RULE)
    if checks.errors:
        return report_page(ask, ask.form, tuple(checks.errors))
    file = ask.application.trace.file
    try:
        added = file.reply(ask.caller, trace, label, text) if label else file.note(ask.caller, trace, text)
    except Conflict as conflict:
        return _wrong(ask, conflict, "note")
    told = f"The reply of {label} is in the report." if label else "The note is with the case."
    return ask.done(told, added.receipt, f"/console/traces/{trace}")


def set_state(ask: Ask) -> Response:
    """Say how the case stands from now on."""
    trace, checks = trace_of(ask.request), Checks(ask.form)
    chosen = ask.form.text("state")
    if chosen not in frozenset(CaseState):
        checks.refuse("state", "Choose how the case stands.")
    reason = checks.required("state_reason", "Reason", REASON_RULE)
    if checks.errors:
        return report_page(ask, ask.form, tuple(checks.errors))
    try:
        added = ask.application.trace.file.set_state(ask.caller, trace, CaseState(chosen), reason)
    except Conflict as conflict:
        return _wrong(ask, conflict, "state")
    return ask.done(f"The case is {added.state.value}.", added.receipt, f"/console/traces/{trace}")


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        submitted(f"{_PATH}/notes", add_note, Gate(INVESTIGATORS, "case note")),
        submitted(f"{_PATH}/state", set_state, Gate(INVESTIGATORS, "case state")),
    ]


def _wrong(ask: Ask, conflict: Conflict, field: str) -> Response:
    said = {"exists": _STANDS_SO, "closed": _CLOSED}.get(conflict.code)
    if said is None:
        raise conflict
    return report_page(ask, ask.form, (FieldError(field, said),))
