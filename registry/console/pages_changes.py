"""What takes two persons before it is done elsewhere: other policies or settings, and changes of keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import REASON_RULE, Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render
from registry.domain.errors import ApprovalNeeded
from registry.keys.ports import LEDGER_PURPOSE, PROVIDER_PURPOSES
from registry.services.key_changes import REWRAP, command_of, destruction, replacement, rotation
from registry.services.policy_changes import VERSION_FORM
from registry.services.principals import ADMINS

PATH = "/console/changes"
_VERSION = re.compile(VERSION_FORM)
_OF_KEYS = {
    "data": "Exchange the key of people's values",
    "bodies": "Exchange the key of the ledger's texts",
    "cases": "Exchange the key of traces and letters",
    LEDGER_PURPOSE: "Exchange the key that signs the ledger",
}


def changes(ask: Ask) -> Response:
    """Show what is in force, and the forms."""
    return _page(ask, Form())


def agree(ask: Ask) -> Response:
    """Propose policies or settings, or name them once more after another person's word."""
    checks = Checks(ask.form)
    version = checks.required("version", "Version", lambda text: None if _VERSION.fullmatch(text) else "version_form")
    reason = checks.required("policy_reason", "Reason", REASON_RULE)
    if checks.errors:
        return _page(ask, ask.form, tuple(checks.errors))
    try:
        receipt = ask.application.policy_changes.agree(ask.caller, version, reason)
    except ApprovalNeeded as waiting:
        return _waits(ask, waiting, "Send the same again here")
    return ask.done("These may come into force with the next start.", receipt, PATH)


def ask_for_keys(ask: Ask) -> Response:
    """Ask for a change of keys."""
    checks = Checks(ask.form)
    known = _key_changes(ask)
    code = checks.one("change", "Choose what is to be done.", known)
    reason = checks.required("key_reason", "Reason", REASON_RULE)
    if checks.errors or code is None:
        return _page(ask, ask.form, tuple(checks.errors))
    change, _ = known[code]
    try:
        receipt = ask.application.key_changes.ask(ask.caller, change, reason)
    except ApprovalNeeded as waiting:
        return _waits(ask, waiting, f"Run {command_of(change)} at the machine")
    done = f"Nobody has to approve it here: run {command_of(change)} at the machine."
    return ask.done(done, receipt, PATH)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown(PATH, changes, Gate(ADMINS, "changes")),
        submitted(f"{PATH}/policies", agree, Gate(ADMINS, "agreed")),
        submitted(f"{PATH}/keys", ask_for_keys, Gate(ADMINS, "keys")),
    ]


def _waits(ask: Ask, waiting: ApprovalNeeded, then: str) -> Response:
    ask.session.notice = (
        f"Another person has to approve this: request {waiting.request}. See what becomes of it on the page "
        f"Approvals. {then} once it is approved."
    )
    return RedirectResponse(PATH, 303)


def _key_changes(ask: Ask) -> dict[str, tuple[str, str]]:
    """Return every change of keys that can be asked for: code of the form, change, and words."""
    found = {f"rotate-{one}": (rotation(one), _OF_KEYS[one]) for one in (*PROVIDER_PURPOSES, LEDGER_PURPOSE)}
    found[REWRAP] = (REWRAP, "Wrap every stored key under the current keys")
    stolen = ask.application.verifier_key.key_id.hex()
    words = f"Replace the ledger's key {stolen} under a new origin, because somebody else may have it"
    found[f"compromise-{stolen}"] = (replacement(stolen), words)
    for facts in ask.application.keyring.key_facts():
        if facts.retired is not None:
            words = f"Destroy the earlier key {facts.key_id}: backups that need it can never be opened again"
            found[f"shred-{facts.key_id}"] = (destruction(facts.key_id), words)
    return found


def _page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    known = ask.application.policy_changes
    facts: dict[str, Any] = {
        "title": "Policies and keys",
        "form": form,
        "errors": errors,
        "policies": known.in_force(),
        "controls": known.controls_in_force(),
        "choices": [(code, words) for code, (_, words) in _key_changes(ask).items()],
    }
    return render(ask.request, "changes", 422 if errors else 200, **facts)
