"""What follows from a trace, by two people: from a parsed JSON body to the ask, and to the answer."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from registry.api.bodies import open_body
from registry.domain.clock import from_unix_ms, iso
from registry.domain.ids import TraceId
from registry.services.naming import NameAsk, Named
from registry.services.open_draws import OpenedKeys
from registry.text.rules.texts import reason_problem

_NAME_KEYS = frozenset({"account", "reason"})
_LABEL = re.compile(r"Account [1-9][0-9]{0,5}")


def read_name(document: object, *, today: date) -> NameAsk:
    """Read ``{"account", "reason"}``.

    Raises:
        InvalidInput: with all problems.
    """
    body = open_body(document, _NAME_KEYS, today)
    label, reason = body.required("account", label_problem), body.required("reason", reason_problem)
    body.reading.finish()
    return NameAsk(label, reason)


def label_problem(text: str) -> str | None:
    """Tell whether a text is the label of an account in a report."""
    return None if _LABEL.fullmatch(text) else "unknown_value"


def named_document(trace: TraceId, named: Named) -> dict[str, Any]:
    """Return whose account a label stands for; the receipt goes with it."""
    return {
        "trace": trace,
        "account": named.label,
        "principal": named.account,
        "name": named.name,
        "reply_until": iso(from_unix_ms(named.reply_until)),
    }


def opened_document(trace: TraceId, opened: OpenedKeys) -> dict[str, Any]:
    """Return of how many record versions the keys are open; the receipt goes with it."""
    return {"trace": trace, "record_versions": opened.versions}
