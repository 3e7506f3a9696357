"""The case of a trace: notes, replies of those whose copies its report speaks of, and how it stands."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, submitted
from registry.console.checks import CASE_NOTE_RULE, REASON_RULE, Checks
from registry.console.pages import FieldError
from registry.console.pages_investigator import MAX_TEXT_BYTES, NOTE, label_of, report_page, trace_of
from registry.domain.case_states import CaseState, ReplyBy
from registry.domain.errors import Conflict, InvalidInput
from registry.services.evidence_items import ItemAsk
from registry.services.match import INVESTIGATORS
from registry.services.trace import MAX_UNCERTAINTY_SECONDS
from registry.text.rules.texts import url_problem

_PATH = "/console/traces/{trace}"
_MOST_ACCOUNTS = 999_999
_STANDS_SO = "The case stands so already."
_CLOSED = "The case is closed: open it again first."


def add_note(ask: Ask) -> Response:
    """Add a note, or what the holder of an account replied."""
    trace, checks = trace_of(ask.request), Checks(ask.form)
    who = _replying(ask, checks)
    text = checks.required("note", "Text", CASE_NOTE_RULE)
    if checks.errors:
        return report_page(ask, ask.form, tuple(checks.errors))
    service = ask.application.trace
    try:
        added = service.reply(ask.caller, trace, who, text) if who else service.file.note(ask.caller, trace, text)
    except Conflict as conflict:
        return _wrong(ask, conflict, "note")
    except InvalidInput:
        return report_page(ask, ask.form, (FieldError("note_account", "The report has no account of that number."),))
    told = "The reply is in the report." if who else "The note is with the case."
    return ask.done(told, added.receipt, f"/console/traces/{trace}")


def _replying(ask: Ask, checks: Checks) -> tuple[ReplyBy, str] | None:
    """Return who replies; None of a note."""
    by, number = ask.form.text("note_by"), ask.form.text("note_account")
    if by not in {"", NOTE, *ReplyBy}:
        checks.refuse("note_by", "Choose whose words they are.")
    if by == ReplyBy.ACCOUNT_HOLDER or (number and not by):
        return ReplyBy.ACCOUNT_HOLDER, label_of(checks.number("note_account", "Account that replied", _MOST_ACCOUNTS))
    if number:
        checks.refuse("note_account", "A number belongs to the reply of an account alone.")
    return (ReplyBy(by), "") if by in frozenset(ReplyBy) else None


def add_item(ask: Ask) -> Response:
    """Add what was seen later."""
    trace, checks = trace_of(ask.request), Checks(ask.form)
    text = ask.form.raw("item")
    if not text.strip():
        checks.refuse("item", "Text is missing.")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        checks.refuse("item", "The text is larger than 5 MB.")
    published_at = checks.moment("item_at", "Time of publication")
    if not ask.form.text("item_at"):
        checks.refuse("item_at", "Say when it was first seen.")
    url = checks.optional("item_url", "Address of the page", url_problem)
    minutes = 0
    if ask.form.text("item_minutes"):
        minutes = checks.number("item_minutes", "Give or take", MAX_UNCERTAINTY_SECONDS // 60)
    if checks.errors:
        return report_page(ask, ask.form, tuple(checks.errors))
    try:
        later = ask.application.later_items.add(ask.caller, trace, ItemAsk(text, published_at, minutes * 60, url=url))
    except Conflict as conflict:
        return _wrong(ask, conflict, "item")
    return ask.done(later.seen.said, later.added.receipt, f"/console/traces/{later.seen.continued_by or trace}")


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
        submitted(f"{_PATH}/items", add_item, Gate(INVESTIGATORS, "add item"), MAX_TEXT_BYTES + (1 << 20)),
        submitted(f"{_PATH}/state", set_state, Gate(INVESTIGATORS, "case state")),
    ]


def _wrong(ask: Ask, conflict: Conflict, field: str) -> Response:
    said = {"exists": _STANDS_SO, "closed": _CLOSED}.get(conflict.code)
    if said is None:
        raise conflict
    return report_page(ask, ask.form, (FieldError(field, said),))
