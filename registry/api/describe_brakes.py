"""OpenAPI descriptions of the routes of routes_brakes."""

from __future__ import annotations

from typing import Any

from registry.api.describe import Answer, Body, Operation, path_id, query
from registry.api.samples import RECEIPT

_UNUSUAL: dict[str, Any] = {
    "entries": [
        {
            "index": 17,
            "at": "2026-03-02T21:15:30.125Z",
            "principal": "0" * 31 + "a",
            "subject": "0" * 31 + "1",
            "purpose": "emergency_contact",
            "reasons": ["same_surname", "off_hours", "no_case"],
        }
    ],
    "next": None,
    "receipt": RECEIPT,
}

UNLOCK = Operation(
    id="unlockPrincipal",
    tag="principals",
    summary="Raise somebody's limit until a time, or let a locked or braked principal go on",
    description=(
        "Roles `security_admin` and `approver`, never for themselves, under a second account neither. With "
        "`purpose`, `limit` and `until`: so many different subjects a day until then. With `lock`: the lock that a "
        "decoy put on the principal is lifted after a review (`security_admin` only); 409 `not_locked` when there "
        "is none. With `brake`: a principal that tried values out is given findings again, and what it tries counts "
        "anew (`security_admin` only); 409 `not_braked`. An entry."
    ),
    answer=Answer("Done.", "Unlocked", ("Audit-Receipt",), example={"receipt": RECEIPT}),
    errors=(404, 409),
    body=Body(
        "Unlock",
        {
            "a limit": {
                "purpose": "payroll",
                "limit": 1200,
                "until": "2026-03-31T18:00:00Z",
                "reason": "Yearly statements for all units",
            },
            "a lock": {"lock": True, "reason": "Talked to the clerk; typed a wrong number"},
            "a brake": {"brake": True, "reason": "Worked through a list of the prosecutor"},
        },
    ),
    parameters=(path_id("principal", "The principal's id, from `GET /v1/principals`."),),
)

DECOYS = Operation(
    id="setDecoys",
    tag="principals",
    summary="Make subjects decoys, or no more",
    description=(
        "Role `security_admin`. A decoy is enrolled like anybody else and is nobody. Whoever asks for its card gets "
        "it like any other card; at the same moment an `alarm` is in the ledger and the account has no roles any "
        "more. No route tells who is a decoy. Unless all are enrolled, nothing is changed and the answer is 404. While "
        "somebody who is no decoy has a telephone number of the canaries' ranges, nothing is changed and the answer is "
        "409 `canary_number_in_use`. An entry."
    ),
    answer=Answer("Done.", "DecoysSet", ("Audit-Receipt",), example={"receipt": RECEIPT}),
    errors=(404, 409),
    body=Body(
        "DecoyAsk",
        {
            "two": {"employee_numbers": ["KC-900001", "KC-900002"]},
            "no more": {"employee_numbers": ["KC-900001"], "remove": True},
        },
    ),
)

CHECK = Operation(
    id="checkValue",
    tag="disclosures",
    summary="Ask whether a value is protected",
    description=(
        "Roles `records_officer` and `investigator`. One bit: whether somebody's protected record has exactly this "
        "value now, not whose. An address is meant with its number and street, and with the city or ZIP where one "
        "is given. An entry, a miss too. An account asks about so many different values a day (`[brakes]` in "
        "config.toml); one that tried values out in traces is told nothing any more, hit or miss: 429."
    ),
    answer=Answer("The bit.", "ValueChecked", ("Audit-Receipt",), example={"protected": True, "receipt": RECEIPT}),
    errors=(429,),
    body=Body(
        "ValueCheck",
        {
            "an address": {
                "category": "home_address",
                "value": {"line": "1234 Example Rd Apt 5, Kansas City, MO 64118"},
            },
            "a phone": {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0123"}},
        },
    ),
)

VALUE_SEARCHES = Operation(
    id="findValueSearches",
    tag="audit",
    summary="Find who searched for a value or checked it",
    description=(
        "Role `investigator`. Searches by this value and checks of it, misses included: by whom, when and with what "
        "result. Entries commit to a keyed tag of what was asked, so that only who knows the value finds "
        "them. Traces and release checks of documents are not among them. The question is an entry with its `case`; it "
        "counts and is braked like a check of the value (429). A page looks at 4,000 entries at most; `before` goes on."
    ),
    answer=Answer(
        "A page.", "AskedFor", ("Audit-Receipt",), example={"entries": [], "before": None, "receipt": RECEIPT}
    ),
    errors=(429,),
    body=Body(
        "ValueAsk",
        {
            "a phone": {
                "category": "phone",
                "value": {"kind": "mobile", "number": "816-555-0123"},
                "case": "IA-2026-17",
            }
        },
    ),
)

UNUSUAL = Operation(
    id="listUnusual",
    tag="audit",
    summary="List look-ups that an auditor may want to ask about, with the reasons",
    description=(
        "Role `auditor`. Looks at 250 entries a page, newest first, and lists the look-ups among them that somebody "
        "may have to explain: `same_surname` and `same_postal_code` (of the account's own enrolled person), "
        "`colleague` (of the same unit), `off_hours` (`hours` in `[brakes]`, and weekends), `no_case`, "
        "`popular_person` (many different accounts within a day). Reasons to ask, never a score or a verdict; no "
        "value. Follow `next` until it is null. Reading is an entry; where names and addresses are compared, there "
        "is one that says so for the people themselves."
    ),
    answer=Answer("A page.", "UnusualPage", ("Link", "Audit-Receipt"), example=_UNUSUAL),
    errors=(422,),
    parameters=(query("before", "Only entries with a smaller index.", {"type": "integer", "minimum": 0}),),
)
