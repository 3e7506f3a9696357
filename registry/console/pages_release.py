"""Checking a document before it is published: where protected values stand, a copy without them, what may stay."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import MAX_FORM_BYTES, Ask, Gate, shown, submitted
from registry.console.checks import CASE_RULE, NOTE_RULE, REASON_RULE, Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render, with_receipt
from registry.console.words import CATEGORIES, place_words
from registry.documents.limits import MAX_FILE_BYTES
from registry.domain.errors import ApprovalNeeded, InvalidInput
from registry.domain.ids import is_id
from registry.domain.purposes import ReleasePurpose
from registry.services.check_value import CHECKERS
from registry.services.release_check import ReleaseAsk, ReleaseChecked
from registry.services.uploads import Upload
from registry.services.waivers import Waive

PATH = "/console/release"
# With the other fields of the form fewer than a form may have.
MOST_OFFERED = 80
_OTHER_DOCUMENT = "This is not the document that the chosen places are of. Choose it again, or check it anew."


class Copy(NamedTuple):
    """A copy that a page carries in itself, so that nothing of it is kept here: a link with the file inside."""

    name: str
    link: str


def release_form(ask: Ask) -> Response:
    """Show the form; what waited for another person when it was last sent stands in it again."""
    return _page(ask, Form(ask.session.waiver))


def release(ask: Ask) -> Response:
    """Check a document and show its places. The document and its copy are in no file and no session."""
    checks = Checks(ask.form)
    asked = _asked(ask.form, checks)
    if checks.errors or asked is None:
        return _page(ask, ask.form, tuple(checks.errors))
    try:
        checked = ask.application.release_check.check(ask.caller, asked)
    except ApprovalNeeded as waiting:
        ask.session.waiver = _told_again(ask.form)
        receipt = ask.application.kernel.view(waiting.entry, waiting.entry + 1)
        return with_receipt(_page(ask, Form(ask.session.waiver), status=202, waiting=waiting), receipt)
    except InvalidInput:
        return _page(ask, ask.form, (FieldError("file", _OTHER_DOCUMENT),))
    if asked.waive is not None:
        ask.session.waiver = {}
    return _result(ask, checked)


def routes() -> list[Route]:
    """Return the routes of this module."""
    gate = Gate(CHECKERS, "release-check")
    return [shown(PATH, release_form, gate), submitted(PATH, release, gate, MAX_FILE_BYTES + MAX_FORM_BYTES)]


def _asked(form: Form, checks: Checks) -> ReleaseAsk | None:
    upload = form.upload("file")
    if not upload.content:
        checks.refuse("file", "Choose a document.")
    elif len(upload.content) > MAX_FILE_BYTES:
        checks.refuse("file", "The document is larger than 15 MB.")
    purpose = checks.one("purpose", "Choose why it leaves.", ReleasePurpose)
    case = checks.optional("case", "Case reference", CASE_RULE)
    note = checks.optional("note", "Note", NOTE_RULE)
    waive = _waive(form, checks)
    if purpose is None:
        return None
    return ReleaseAsk(Upload(upload.content, upload.name), purpose, case, note, waive)


def _waive(form: Form, checks: Checks) -> Waive | None:
    places, reason = frozenset(filter(is_id, form.texts("place"))), form.text("reason")
    if not places and not reason:
        return None
    if not places:
        checks.refuse("place", "Choose the places that are to stay; a check without a reason shows them.")
    return Waive(places, checks.required("reason", "Reason", REASON_RULE))


def _result(ask: Ask, checked: ReleaseChecked) -> Response:
    facts: dict[str, Any] = {"title": "Document checked", "checked": checked, "copy": _copy(checked)}
    open_places = [place for place in checked.places if place.is_certain and not place.is_waived][:MOST_OFFERED]
    offered = [(one.id, f"{place_words(one.at)}: {CATEGORIES[one.category].lower()}") for one in open_places]
    kept = {name: ask.form.texts(name) for name in ("purpose", "case", "note")}
    status = 429 if checked.is_refused else 200
    response = render(
        ask.request, "release_result", status, **facts, offered=offered, form=Form(kept), purposes=_purposes()
    )
    return with_receipt(response, checked.receipt)


def _copy(checked: ReleaseChecked) -> Copy | None:
    if checked.copy is None or checked.copy.problem:
        return None
    content = b64encode(checked.copy.content).decode("ascii")
    # Of no type that a browser shows: what was sent may be a page with a script.
    return Copy(f"redacted.{checked.form}", f"data:application/octet-stream;base64,{content}")


def _told_again(form: Form) -> dict[str, Sequence[str]]:
    """Return what has to be sent again once it is approved, all but the document."""
    return {name: form.texts(name) for name in ("purpose", "case", "note", "place", "reason")}


def _page(
    ask: Ask, form: Form, errors: tuple[FieldError, ...] = (), status: int = 200, waiting: ApprovalNeeded | None = None
) -> Response:
    chosen = [(place, f"Place {place[:8]}") for place in form.texts("place") if is_id(place)]
    facts: dict[str, Any] = {"title": "Check a document", "form": form, "errors": errors, "chosen": chosen}
    return render(ask.request, "release", 422 if errors else status, **facts, waiting=waiting, purposes=_purposes())


def _purposes() -> list[tuple[str, str]]:
    return [(purpose.value, purpose.value.replace("_", " ").capitalize()) for purpose in ReleasePurpose]
