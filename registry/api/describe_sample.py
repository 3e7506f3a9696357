"""OpenAPI descriptions of the routes of routes_sample."""

from __future__ import annotations

from typing import Any

from registry.api.describe import Answer, Body, Operation, query
from registry.api.samples import RECEIPT

_SAMPLE: dict[str, Any] = {
    "week": "2026-W10",
    "due": "2026-03-23T00:00:00.000Z",
    "overdue": False,
    "lookups": [
        {
            "entry": 17,
            "at": "2026-03-02T21:15:30.125Z",
            "principal": "0" * 31 + "a",
            "subject": "0" * 31 + "1",
            "categories": ["phone"],
            "purpose": {"code": "legal_service", "case": "2026-CV-0001", "note": None},
            "finding": None,
            "reviewer": None,
            "reviewed_at": None,
        }
    ],
    "looked_at": 212,
    "of": 212,
    "late": [],
    "receipt": RECEIPT,
}

SAMPLE = Operation(
    id="sampleLookups",
    tag="audit",
    summary="List the lookups of a week that the lot chose for review",
    description=(
        "Role `auditor`. Twenty lookups of the week and at least three of each purpose, as far as there are so many "
        "among the entries looked at (1,000 at most). The lot is the first entry after the week, so that nobody "
        "chooses what is looked at, and everybody draws the same. With what was said of each, and no value. The "
        "caller's own lookups are left out; other reviewers get them. Reviews are due 14 days after the week; `late` "
        "names earlier weeks of which some are open. Reading is an entry."
    ),
    answer=Answer("The sample.", "ReviewSample", ("Audit-Receipt",), example=_SAMPLE),
    errors=(422,),
    parameters=(
        query(
            "week",
            "A week that is over, by ISO 8601 and in UTC; the last one when left out.",
            {"type": "string", "pattern": "^[0-9]{4}-W[0-9]{2}$", "examples": ["2026-W10"]},
        ),
    ),
)

REVIEW = Operation(
    id="reviewLookup",
    tag="audit",
    summary="Say whether a lookup of a sample fits its purpose",
    description=(
        "Role `auditor`. `fits`; `does_not_fit`; or `asked`: whoever looked was asked, and one of the others follows. "
        "A note is needed but for `fits`. An entry. Never of an own lookup (403 `conflict_of_interest`); what is no "
        "lookup of a sample is 404; what was settled before is 409 `decided`."
    ),
    answer=Answer(
        "Noted.", "LookupReviewed", ("Audit-Receipt",), example={"entry": 17, "finding": "fits", "receipt": RECEIPT}
    ),
    errors=(404, 409),
    body=Body(
        "LookupReview",
        {
            "it fits": {"finding": "fits"},
            "it was asked about": {"finding": "asked", "note": "No such case is known to the court's clerk"},
        },
    ),
    parameters=(
        {
            "name": "entry",
            "in": "path",
            "required": True,
            "description": "Index of the lookup's entry, from `GET /v1/audit/sample`.",
            "schema": {"type": "integer", "minimum": 0},
        },
    ),
)
