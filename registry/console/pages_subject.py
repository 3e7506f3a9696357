"""A subject's own pages: which records are protected, their values, and who looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from registry.audit.kinds import Kind
from registry.console.asking import Ask, Gate, shown, submitted
from registry.console.pages import Account, account_of, render, with_receipt
from registry.console.pages_reader import card_page
from registry.console.words import KINDS, contents_words, purpose_words
from registry.domain.categories import Category
from registry.services.disclose import DisclosureAsk
from registry.services.entry_reading import ReadEntry
from registry.services.read_audit import SUBJECTS, categories_of, names_recipient, recipient_of


@dataclass(frozen=True, slots=True)
class AccountingLine:
    """One line of the accounting of disclosures (45 CFR 164.528 gives the form: date, recipient, what, why).

    Never a rule, case or note: those may speak of other people.
    """

    index: int
    unix_ms: int
    what: str
    recipient: Account | None
    unit: str
    contents: str
    purpose: str


def own_records(ask: Ask) -> Response:
    """List the own records: marks, no values."""
    subject, records, receipt = ask.application.audit.own_records(ask.caller)
    order = {category: position for position, category in enumerate(Category)}
    listed = sorted(records, key=lambda record: (order[record.category], record.record))
    return with_receipt(
        render(ask.request, "me", title="My records", subject=subject, records=listed, receipt=receipt), receipt
    )


def own_values(ask: Ask) -> Response:
    """Show the own values."""
    tag = ask.principal.employee_tag
    wanted = DisclosureAsk(None, tag, frozenset(Category), frozenset(), None, "self")
    (answer,) = ask.application.disclose.disclose_many([(ask.caller, wanted)])
    return card_page(ask, answer, title="My own values", again="/console/me")


def accounting(ask: Ask) -> Response:
    """Show who looked."""
    page = ask.application.audit.accounting(ask.caller)
    own = [entry for entry in page.entries if entry.kind == Kind.AUDIT_READ]
    lines = [_line(entry) for entry in page.entries if entry.kind != Kind.AUDIT_READ]
    issuers = {line.recipient.issuer for line in lines if line.recipient is not None}
    facts: dict[str, Any] = {"lines": lines, "own_reads": len(own), "receipt": page.receipt}
    response = render(ask.request, "accounting", title="Who looked", **facts, several_issuers=len(issuers) > 1)
    return with_receipt(response, page.receipt)


def routes() -> list[Route]:
    """Return the routes of this module."""
    return [
        shown("/console/me", own_records, Gate(SUBJECTS, "own records")),
        submitted("/console/me/values", own_values, Gate(SUBJECTS, "disclose own")),
        shown("/console/me/accounting", accounting, Gate(SUBJECTS, "accounting")),
    ]


def _line(entry: ReadEntry) -> AccountingLine:
    values = entry.values or {}
    is_named = names_recipient(entry)
    recipient = recipient_of(entry)
    return AccountingLine(
        index=entry.index,
        unix_ms=entry.unix_ms,
        what="Found in a search" if entry.kind == Kind.SEARCH else KINDS.get(entry.kind, entry.kind),
        recipient=None if recipient is None else account_of(recipient),
        unit=values.get("organization", "") if is_named else "",
        contents=_contents(entry) if is_named else "",
        purpose=purpose_words(values.get("purpose", "")),
    )


def _contents(entry: ReadEntry) -> str:
    names: Sequence[str] = categories_of(entry)
    if entry.kind == Kind.DENY:
        # What was asked for; none of it was shown.
        names = names or [word for word in (entry.values or {}).get("request", "").split() if word in set(Category)]
    return contents_words(names)
