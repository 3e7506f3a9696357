"""The schemas of emergencies and their reviews."""

from __future__ import annotations

from registry.api.describe import ref
from registry.api.schema_parts import Schema, closed, listed, nullable, reason
from registry.domain.break_glass import Finding
from registry.domain.categories import Category

_REASON: Schema = reason("For the ledger and for who reviews. No protected values.")
_CATEGORY: Schema = {"enum": [category.value for category in Category]}
_CATEGORIES: Schema = {**listed(_CATEGORY, len(Category), 1), "uniqueItems": True}
_FINDING: Schema = {"enum": [finding.value for finding in Finding]}
_ASKED: dict[str, Schema] = {"categories": _CATEGORIES, "reason": _REASON}
_CASE: dict[str, Schema] = {"case": {"type": "string", "maxLength": 100}}
_GLASS: dict[str, Schema] = {
    "id": ref("Id"),
    "principal": ref("Id"),
    "asker": {"type": "string", "description": "Issuer and `sub` of who opened it, with # between."},
    "unit": nullable({"type": "string"}),
    "categories": listed(_CATEGORY),
    "created_at": ref("Moment"),
    "expires_at": ref("Moment"),
    "review_by": ref("Moment"),
    "overdue": {"type": "boolean", "description": "Whether the review is late."},
    "finding": nullable(_FINDING),
    "reviewer": nullable(ref("Id")),
    "reviewed_at": nullable(ref("Moment")),
}

GLASS_SCHEMAS: dict[str, Schema] = {
    "BreakGlassAsk": {
        "oneOf": [
            closed({"subject": ref("Id"), **_ASKED}, _CASE),
            closed({"employee_number": ref("EmployeeNumber"), **_ASKED}, _CASE),
        ]
    },
    "BreakGlassOpened": closed(
        {"id": ref("Id"), "expires_at": ref("Moment"), "review_by": ref("Moment"), "receipt": ref("Receipt")}
    ),
    "BreakGlassList": closed({"break_glass": listed(closed(_GLASS), 200)}),
    "BreakGlassDetail": closed(
        {
            **_GLASS,
            "subject": ref("Id"),
            "case": nullable({"type": "string"}),
            "reason": {"type": "string"},
            "receipt": ref("Receipt"),
        }
    ),
    "BreakGlassReview": closed({"finding": _FINDING, "note": _REASON}),
    "BreakGlassReviewed": closed({**_GLASS, "receipt": ref("Receipt")}),
}
