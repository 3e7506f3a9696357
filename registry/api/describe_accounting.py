"""OpenAPI description of accountings of disclosures, with their schemas."""

from __future__ import annotations

from collections.abc import Mapping

from registry.api.describe import Answer, Body, Operation, ref
from registry.api.samples import RECEIPT
from registry.api.schema_parts import Schema, closed, listed, nullable
from registry.services.accounting import YEARS

_SINCE: Schema = {"type": "string", "format": "date-time", "description": "None before this moment."}
_LINE: dict[str, Schema] = {
    "index": {"type": "integer", "minimum": 0, "description": "Of the entry."},
    "at": ref("Moment"),
    "recipient": nullable({"type": "string", "description": "Issuer and `sub` of the account, with # between."}),
    "unit": nullable({"type": "string"}),
    "what": listed({"type": "string"}),
    "purpose": nullable({"type": "string"}),
}
ACCOUNTING_SCHEMAS: Mapping[str, Schema] = {
    "AccountingAsk": {
        "oneOf": [
            closed({"subject": ref("Id")}, {"since": _SINCE}),
            closed({"employee_number": ref("EmployeeNumber")}, {"since": _SINCE}),
        ]
    },
    "Disclosures": closed(
        {
            "subject": ref("Id"),
            "since": {**ref("Moment"), "description": "None before this moment is listed."},
            "disclosures": listed(closed(_LINE)),
            "receipt": ref("Receipt"),
        }
    ),
}

PRODUCE = Operation(
    id="produceAccounting",
    tag="audit",
    summary="Produce the accounting of disclosures of one subject, to be handed to them",
    description=(
        "Roles `auditor` and `enroller`, for nobody close to the caller. Oldest first: when, to whom, of which unit, "
        f"what and for which purpose, {YEARS} years back at most (the fields of 45 CFR 164.528(b)). Refusals, "
        "internal checks and what the subject looked at themselves are no disclosures. What a hold keeps from the "
        "subject is left out. It is an entry, which the subject sees."
    ),
    answer=Answer(
        "The accounting.",
        "Disclosures",
        ("Audit-Receipt",),
        example={
            "subject": "0" * 31 + "1",
            "since": "2020-03-02T09:15:30.125Z",
            "disclosures": [
                {
                    "index": 12,
                    "at": "2026-03-01T09:15:30.125Z",
                    "recipient": "https://issuer.example#reader-7",
                    "unit": "Payroll",
                    "what": ["home_address", "ssn"],
                    "purpose": "payroll",
                }
            ],
            "receipt": RECEIPT,
        },
    ),
    errors=(404,),
    body=Body(
        "AccountingAsk",
        {
            "all": {"employee_number": "KC-004211"},
            "since": {"subject": "0" * 31 + "1", "since": "2026-01-01T00:00:00Z"},
        },
    ),
)
