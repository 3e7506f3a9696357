"""From a parsed JSON body to an accounting of disclosures, and to the answer. Nothing submitted is ever named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from registry.api.bodies import moment_problem, open_body, subject_or_number
from registry.domain.clock import from_unix_ms, iso
from registry.services.accounting import Accounting, AccountingAsk, since_of
from registry.services.entry_reading import ReadEntry
from registry.services.read_audit import categories_of, recipient_of
from registry.text.moments import read_moment

_KEYS = frozenset({"subject", "employee_number", "since"})


def read_accounting(document: object, number_tag: Callable[[str], bytes], *, today: date) -> AccountingAsk:
    """Read ``{"subject"|"employee_number", "since"?}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _KEYS, today)
    subject, number = subject_or_number(body)
    since = body.optional("since", moment_problem)
    body.reading.finish()
    return AccountingAsk(subject, number_tag(number) if number else None, read_moment(since) if since else None)


def accounting_document(found: Accounting) -> dict[str, Any]:
    """Return an accounting as it is answered; the receipt goes with it."""
    return {
        "subject": found.subject,
        "since": iso(since_of(found)),
        "disclosures": [_line(entry) for entry in found.lines],
    }


def _line(entry: ReadEntry) -> dict[str, Any]:
    """Write one line; all but time and index is null where what the entry said was removed."""
    values = entry.values or {}
    return {
        "index": entry.index,
        "at": iso(from_unix_ms(entry.unix_ms)),
        "recipient": recipient_of(entry),
        "unit": values.get("organization") or None,
        "what": list(categories_of(entry)),
        "purpose": values.get("purpose") or None,
    }
