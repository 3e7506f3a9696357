"""The schemas of the week's sample of lookups."""

from __future__ import annotations

from registry.api.describe import ref
from registry.api.schema_parts import Schema, closed, listed, nullable, reason
from registry.domain.categories import Category
from registry.services.review_sample import Finding

_COUNT: Schema = {"type": "integer", "minimum": 0}
_FINDING: Schema = {"enum": [finding.value for finding in Finding]}
_NOTE: Schema = reason("For the ledger. No protected values.")

SAMPLE_SCHEMAS: dict[str, Schema] = {
    "ReviewSample": closed(
        {
            "week": {"type": "string"},
            "due": ref("Moment"),
            "overdue": {"type": "boolean", "description": "Reviews are due, and some are open."},
            "lookups": listed(
                closed(
                    {
                        "entry": _COUNT,
                        "at": ref("Moment"),
                        "principal": ref("Id"),
                        "subject": ref("Id"),
                        "categories": listed({"enum": [category.value for category in Category]}, len(Category)),
                        "purpose": closed(
                            {
                                "code": {"type": "string"},
                                "case": nullable({"type": "string"}),
                                "note": nullable({"type": "string"}),
                            }
                        ),
                        "finding": nullable(_FINDING),
                        "reviewer": nullable(ref("Id")),
                        "reviewed_at": nullable(ref("Moment")),
                    }
                )
            ),
            "looked_at": _COUNT,
            "of": _COUNT,
            "late": listed(closed({"week": {"type": "string"}, "open": _COUNT})),
            "receipt": ref("Receipt"),
        }
    ),
    "LookupReview": {
        "oneOf": [
            closed({"finding": {"const": Finding.FITS.value}}, {"note": _NOTE}),
            closed(
                {
                    "finding": {"enum": [one.value for one in Finding if one is not Finding.FITS]},
                    "note": _NOTE,
                }
            ),
        ]
    },
    "LookupReviewed": closed({"entry": _COUNT, "finding": _FINDING, "receipt": ref("Receipt")}),
}
