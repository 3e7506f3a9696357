"""Schemas of the bodies and answers of routes_brakes; see ``schemas``."""

from __future__ import annotations

from registry.api.brake_bodies import MOST_DECOYS
from registry.api.describe import ref
from registry.api.schema_parts import PURPOSE, Schema, closed, listed, nullable, reason
from registry.services.check_value import CHECKABLE
from registry.services.unlock import MOST_SUBJECTS
from registry.services.unusual import LOOKED_AT, Reason
from registry.services.value_searches import MOST_SHOWN

REASON: Schema = reason("For the ledger. No protected values.")

BRAKE_SCHEMAS: dict[str, Schema] = {
    "ReasonAsk": closed({"reason": REASON}),
    "Unlock": {
        "oneOf": [
            closed(
                {
                    "purpose": PURPOSE,
                    "limit": {
                        "type": "integer",
                        "minimum": 1,
                        "maximum": MOST_SUBJECTS,
                        "description": "Different subjects a day. The usual limit holds where it is higher.",
                    },
                    "until": {
                        "type": "string",
                        "format": "date-time",
                        "description": "With an offset; within 31 days.",
                    },
                    "reason": REASON,
                }
            ),
            closed({"lock": {"const": True}, "reason": REASON}),
            closed({"brake": {"const": True}, "reason": REASON}),
        ]
    },
    "Unlocked": closed({"receipt": ref("Receipt")}),
    "DecoyAsk": closed(
        {"employee_numbers": {**listed(ref("EmployeeNumber"), MOST_DECOYS, 1), "uniqueItems": True}},
        {"remove": {"const": True, "description": "They are decoys no more."}},
    ),
    "DecoysSet": closed({"receipt": ref("Receipt")}),
    "ValueCheck": {
        "oneOf": [
            closed({"category": {"const": category.value}, "value": ref(f"Value_{category.value}")})
            for category in sorted(CHECKABLE)
        ]
    },
    "ValueChecked": closed({"protected": {"type": "boolean"}, "receipt": ref("Receipt")}),
    "ValueAsk": {
        "oneOf": [
            closed(
                {
                    "category": {"const": category.value},
                    "value": ref(f"Value_{category.value}"),
                    "case": {"type": "string", "minLength": 1, "maxLength": 100},
                },
                {"note": {"type": "string", "maxLength": 1000}, "before": {"type": "integer", "minimum": 0}},
            )
            for category in sorted(CHECKABLE)
        ]
    },
    "AskedFor": closed(
        {
            "entries": listed(
                closed(
                    {
                        "index": {"type": "integer", "minimum": 0},
                        "at": ref("Moment"),
                        "kind": {"enum": ["search", "check"]},
                        "principal": ref("Id"),
                        "result": {"type": "string"},
                    }
                ),
                MOST_SHOWN,
            ),
            "before": nullable({"type": "integer", "minimum": 1, "description": "To go on from; null for no more."}),
            "receipt": ref("Receipt"),
        }
    ),
    "UnusualPage": closed(
        {
            "entries": listed(
                closed(
                    {
                        "index": {"type": "integer", "minimum": 0},
                        "at": ref("Moment"),
                        "principal": ref("Id"),
                        "subject": ref("Id"),
                        "purpose": {"type": "string"},
                        "reasons": listed({"enum": [reason.value for reason in Reason]}, len(Reason), 1),
                    }
                ),
                LOOKED_AT,
            ),
            "next": nullable({"type": "string", "description": "Path and query of the next page."}),
            "receipt": ref("Receipt"),
        }
    ),
}
