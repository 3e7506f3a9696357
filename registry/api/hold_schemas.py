"""The schemas of holds."""

from __future__ import annotations

from registry.api.describe import ref
from registry.api.schema_parts import PURPOSE, Schema, closed, listed, nullable, reason
from registry.domain.holds import LONGEST_DAYS, LONGEST_LEGAL_DAYS, HoldState, Statement
from registry.policy.purposes import MAX_PURPOSES

_PURPOSES: Schema = {
    **listed(PURPOSE, MAX_PURPOSES),
    "uniqueItems": True,
    "description": "Lookups for these purposes are not told; all of them when none are named.",
}
_STATEMENT: Schema = {"enum": [statement.value for statement in Statement]}
_LINE: Schema = {"type": "string", "minLength": 1, "maxLength": 100}
_ASKED: dict[str, Schema] = {
    "days": {
        "type": "integer",
        "minimum": 1,
        "maximum": LONGEST_LEGAL_DAYS,
        "description": f"How long, from now on; {max(LONGEST_DAYS.values())} at most, 30 for an oral statement; "
        f"{LONGEST_LEGAL_DAYS} for a legal hold.",
    },
    "statement": {**_STATEMENT, "description": "How the agency asked for it."},
    "asked_by": {**_LINE, "description": "The agency or official that asked for it."},
    "reason": reason("For the ledger and for who reviews. No protected values."),
}
_MORE: dict[str, Schema] = {
    "purposes": {**_PURPOSES, "minItems": 1},
    "legal": {
        "type": "boolean",
        "default": False,
        "description": "A legal hold: nothing is kept from the subject (so no `purposes`), but as under any hold "
        "nothing of them is erased or pruned.",
    },
    "case": {"type": "string", "maxLength": 100, "description": "A reference of the agency's."},
}
_HOLD: dict[str, Schema] = {
    "hold": ref("Id"),
    "state": {"enum": [state.value for state in HoldState]},
    "principal": ref("Id"),
    "placed_by": {"type": "string", "description": "Issuer and `sub` of who placed it, with # between."},
    "created_at": ref("Moment"),
    "until": {**ref("Moment"), "description": "It ends by itself then, and what was held back is sent."},
    "settled_by": nullable(ref("Id")),
    "settled_at": nullable(ref("Moment")),
}

_ACCOUNT: Schema = {"type": "string", "description": "Issuer and `sub`, with # between."}
_EARLIER: Schema = closed(
    {
        "hold": ref("Id"),
        "from": ref("Moment"),
        "until": ref("Moment"),
        "placed_by": _ACCOUNT,
        "confirmed_by": _ACCOUNT,
    }
)
_DAYS: Schema = {"type": "integer", "minimum": 0}
_RENEWAL: Schema = {
    **closed(
        {
            "since": {**ref("Moment"), "description": "Since when notices to this subject were kept back."},
            "days": {
                **_DAYS,
                "description": "For so many days of the year that ends with the last hold, without this one.",
            },
            "days_with_this": {**_DAYS, "description": "The same with this hold."},
            "most_days": {**_DAYS, "description": "So many are allowed."},
            "most_days_of_one_approver": {**_DAYS, "description": "So many are allowed on the word of one approver."},
            "holds": {"type": "array", "items": _EARLIER, "minItems": 1},
        }
    ),
    "description": "The holds before this one, where it renews some; null for the first, and for who placed it.",
}

HOLD_SCHEMAS: dict[str, Schema] = {
    "HoldAsk": {
        "oneOf": [
            closed({"subject": ref("Id"), **_ASKED}, _MORE),
            closed({"employee_number": ref("EmployeeNumber"), **_ASKED}, _MORE),
        ]
    },
    "HoldNow": closed({**_HOLD, "receipt": ref("Receipt")}),
    "HoldList": closed({"holds": listed(closed(_HOLD), 200)}),
    "HoldRenewal": _RENEWAL,
    "HoldDetail": closed(
        {
            **_HOLD,
            "subject": ref("Id"),
            "purposes": _PURPOSES,
            "legal": {"type": "boolean", "description": "Whether it only keeps what there is."},
            "statement": _STATEMENT,
            "asked_by": {"type": "string"},
            "reason": {"type": "string"},
            "case": nullable({"type": "string"}),
            "renewal": nullable(ref("HoldRenewal")),
            "receipt": ref("Receipt"),
        }
    ),
}
