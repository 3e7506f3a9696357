"""OpenAPI descriptions of the routes of routes_me."""

from __future__ import annotations

from registry.api.describe import Answer, Operation
from registry.api.samples import ACCOUNTING as ACCOUNTING_SAMPLE
from registry.api.samples import OWN_RECORDS

RECORDS = Operation(
    id="listOwnRecords",
    tag="me",
    summary="List the caller's own records and marks, without values",
    description="Role `subject`. Reading the list is an entry. Values come by `POST /v1/me/disclosures` only.",
    answer=Answer("Records and marks.", "OwnRecords", ("Audit-Receipt",), example=OWN_RECORDS),
    errors=(404,),
)

ACCOUNTING = Operation(
    id="accountForDisclosures",
    tag="me",
    summary="Show who asked for the caller's records, allowed or refused",
    description=(
        "Role `subject`. Newest first: who, when, for which purpose, with which result. Internal checks (`open`, "
        "`trace`) are listed without a recipient. What a hold keeps back is left out until the hold ends. Reading the "
        "accounting is itself an entry."
    ),
    answer=Answer("The accounting.", "Accounting", ("Audit-Receipt",), example=ACCOUNTING_SAMPLE),
    errors=(404,),
)
