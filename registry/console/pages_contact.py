"""Where a subject wants to be told. Set and read back after a strong and recent sign-in only."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.checks import Checks
from registry.console.forms import Form
from registry.console.pages import FieldError, render, with_receipt
from registry.services.contact import Contact, contact_rule
from registry.services.read_audit import SUBJECTS

PATH = "/console/me/contact"
_OWN = Gate(SUBJECTS, "contact")


class ContactKind(StrEnum):
    """How somebody may be told."""

    EMAIL = "email"
    PHONE = "phone"
    POST = "post"


_KINDS = [
    (ContactKind.EMAIL, "E-mail: notices are sent there"),
    (ContactKind.PHONE, "Phone: people of the agency use it"),
    (ContactKind.POST, "Post: people of the agency use it"),
]


def contact_form(ask: Ask) -> Response:
    """Show the form; what is set is shown by a button only."""
    return _page(ask, Form())


def put_contact(ask: Ask) -> Response:
    """Set or replace the contact."""
    checks = Checks(ask.form)
    kind = checks.one("kind", "Choose how you want to be told.", ContactKind)
    value = checks.required("value", "Contact", contact_rule("" if kind is None else kind.value))
    if checks.errors or kind is None:
        return _page(ask, ask.form, tuple(checks.errors))
    receipt = ask.application.contacts.put(ask.caller, Contact(kind.value, value))
    return ask.done("Your contact is set.", receipt, PATH)


def shown_contact(ask: Ask) -> Response:
    """Show what is set."""
    contact, receipt = ask.application.contacts.reveal(ask.caller)
    facts: dict[str, Any] = {"title": "Your contact", "contact": contact, "receipt": receipt}
    return with_receipt(render(ask.request, "contact_shown", **facts), receipt)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown(PATH, contact_form, _OWN),
        submitted(PATH, put_contact, _OWN),
        submitted(f"{PATH}/shown", shown_contact, _OWN),
    ]


def _page(ask: Ask, form: Form, errors: Sequence[FieldError] = ()) -> Response:
    facts: dict[str, Any] = {"title": "Where to reach you", "form": form, "errors": errors, "kinds": _KINDS}
    return render(ask.request, "contact", 422 if errors else 200, **facts)
