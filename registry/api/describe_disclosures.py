"""OpenAPI descriptions of the routes of routes_disclosures."""

from __future__ import annotations

from registry.api.describe import Answer, Body, Operation
from registry.api.describe_links import AFTER_LOOKUP, AFTER_WAITING
from registry.api.samples import BATCH_RESULTS, CARD, WAITING

DISCLOSE = Operation(
    id="disclose",
    tag="disclosures",
    summary="Release records of one subject for a stated purpose",
    description=(
        "Role `reader`. The entry is in the ledger before any value is decrypted; the header `Audit-Receipt` and "
        "`receipt` name it. A refusal (403) is an entry as well and carries its receipt. Name the subject by id or "
        "by employee number, and what is wanted by categories (every current record of them) or by record ids.\n\n"
        "`GET /v1/purposes` lists the purposes, what each opens, and which need a `case`. For a purpose HL7's code of "
        "PurposeOfUse may be stated where it has one; the entry holds the purpose.\n\n"
        "Reasons of a 403: `not_permitted`, `purpose_not_allowed` (a category that the purpose does not open), "
        "`case_needed` and `note_needed` (the policy asks for a `case` or `note`), `conflict_of_interest`, "
        "`step_up_required` (`safety` and `sealed` records need a strong and recent sign-in: `acr` and `auth_time` of "
        "the token). A `restricted` or `sealed` record answers 202 with a request that other people "
        "have to approve; afterwards the same lookup is made again.\n\n"
        "Where a limit is set (`[brakes]` in config.toml), an account sees only so many different "
        "subjects a day for each purpose; the next one is 429 `quota_exceeded`, with the receipt of its entry. Seeing "
        "somebody again who was seen today does not count."
    ),
    answer=Answer("The card.", "Card", ("Audit-Receipt",), example=CARD, links=AFTER_LOOKUP),
    also={
        202: Answer(
            "Other people have to approve first.",
            "Waiting",
            ("Location", "Audit-Receipt"),
            example=WAITING,
            links=AFTER_WAITING,
        )
    },
    errors=(404, 429),
    body=Body(
        "DisclosureAsk",
        {
            "by number and categories": {
                "employee_number": "KC-004211",
                "categories": ["phone", "home_address"],
                "purpose": {"code": "emergency_contact", "note": "Accident on duty"},
            },
            "by ids": {
                "subject": "0" * 31 + "1",
                "records": ["0" * 31 + "2"],
                "purpose": {"code": "legal_service", "case": "2026-CV-0001"},
            },
        },
    ),
)

DISCLOSE_BATCH = Operation(
    id="discloseBatch",
    tag="disclosures",
    summary="Release records of many subjects for one purpose",
    description=(
        "Role `reader`. Up to 500 items, an entry and a result of its own for each, in the order of the items. One "
        "item that is refused (429 included) or fails costs the others nothing: look at `status` of each result. A "
        "single lookup made meanwhile does not wait for the whole batch."
    ),
    answer=Answer("One result per item.", "BatchResults", example=BATCH_RESULTS),
    body=Body(
        "BatchAsk",
        {
            "two people": {
                "items": [
                    {"employee_number": "KC-004211", "categories": ["home_address"]},
                    {"employee_number": "KC-009999", "categories": ["home_address"]},
                ],
                "purpose": {"code": "official_mail", "case": "MAIL-2026-17"},
            }
        },
    ),
)

DISCLOSE_OWN = Operation(
    id="discloseOwnRecords",
    tag="me",
    summary="Release the caller's own records",
    description=(
        "Role `subject`. The caller's employee number is in the principals table; nobody else's records can be "
        "named. An empty object asks for everything. No purpose; the entry says `own_record`."
    ),
    answer=Answer("The card.", "Card", ("Audit-Receipt",), example=CARD),
    errors=(404,),
    body=Body("OwnDisclosureAsk", {"everything": {}, "one category": {"categories": ["phone"]}}),
)
