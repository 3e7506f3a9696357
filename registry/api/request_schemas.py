"""The schemas of asks that wait for approval."""

from __future__ import annotations

from collections.abc import Mapping

from registry.api.describe import ref
from registry.api.schema_parts import Schema, closed, listed, nullable
from registry.domain.approvals import Action, State

_REQUEST: dict[str, Schema] = {
    "request": ref("Id"),
    "action": {
        "enum": ["lookup", *(action.value for action in Action)],
        "description": "A lookup of guarded records, or something that is under dual control.",
    },
    "state": {"enum": [state.value for state in State]},
    "principal": ref("Id"),
    "asker": {"type": "string", "description": "Issuer and `sub` of who asks, with # between."},
    "unit": nullable({"type": "string"}),
    "needs": ref("Needs"),
    "approvals": {"type": "integer", "minimum": 0},
    "created_at": ref("Moment"),
    "until": {**ref("Moment"), "description": "To be decided, and once approved to be used, before this."},
}

REQUEST_SCHEMAS: Mapping[str, Schema] = {
    "Needs": closed(
        {
            "approvals": {"type": "integer", "minimum": 1, "description": "How many people must approve."},
            "other_unit": {"type": "boolean", "description": "Whether one must be of another unit than who asks."},
        }
    ),
    "Waiting": closed(
        {
            "request": ref("Id"),
            "state": {"const": "pending"},
            "needs": ref("Needs"),
            "expires_at": ref("Moment"),
            "receipt": ref("Receipt"),
        }
    ),
    "RequestList": closed({"requests": listed(closed(_REQUEST), 200)}),
    "RequestDetail": closed(
        {
            **_REQUEST,
            "subject": nullable(ref("Id")),
            "about": nullable(
                {"type": "string", "description": "What exactly is to be done, for an action under dual control."}
            ),
            "reason": nullable({"type": "string", "description": "Why, where an action asks for a reason."}),
            "categories": listed({"type": "string"}),
            "purpose": nullable(
                closed({"code": {"type": "string"}, **{key: nullable({"type": "string"}) for key in ("case", "note")}})
            ),
            "receipt": ref("Receipt"),
        }
    ),
    "Decided": closed({**_REQUEST, "receipt": ref("Receipt")}),
    "ApproversWord": closed({}, {"note": {"type": "string", "maxLength": 1000, "description": "For the ledger."}}),
    "ApprovalStatistics": closed(
        {
            "approvers": listed(
                closed(
                    {
                        "approver": ref("Id"),
                        "approved": {"type": "integer", "minimum": 0},
                        "refused": {"type": "integer", "minimum": 0},
                        "median_seconds": {"type": "number", "minimum": 0},
                    }
                )
            )
        }
    ),
}
