"""OpenAPI descriptions of the routes of routes_brakes."""

from __future__ import annotations

from registry.api.describe import Answer, Body, Operation, path_id
from registry.api.samples import RECEIPT

UNLOCK = Operation(
    id="unlockPrincipal",
    tag="principals",
    summary="Raise somebody's limit until a time, or let a locked principal in again",
    description=(
        "Roles `security_admin` and `approver`, never for themselves, under a second account neither. With `purpose`, "
        "`limit` and `until`: so many different subjects a day until then. With `lock`: the lock that a decoy put on "
        "the principal is lifted after a review (`security_admin` only); 409 `not_locked` when there is none. An entry."
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
        },
    ),
    parameters=(path_id("principal", "The principal's id, from `GET /v1/principals`."),),
)

DECOYS = Operation(
    id="setDecoys",
    tag="principals",
    summary="Make subjects decoys, or no more",
    description=(
        "Role `security_admin`. A decoy is enrolled like anybody else and is nobody. Whoever asks for its card gets it "
        "like any other card; at the same moment an `alarm` is in the ledger and the account has no roles any more. No "
        "route tells who is a decoy. Unless all are enrolled, nothing is changed and the answer is 404. An entry."
    ),
    answer=Answer("Done.", "DecoysSet", ("Audit-Receipt",), example={"receipt": RECEIPT}),
    errors=(404,),
    body=Body(
        "DecoyAsk",
        {
            "two": {"employee_numbers": ["KC-900001", "KC-900002"]},
            "no more": {"employee_numbers": ["KC-900001"], "remove": True},
        },
    ),
)
