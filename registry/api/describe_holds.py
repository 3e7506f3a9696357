"""OpenAPI descriptions of the routes of routes_holds."""

from __future__ import annotations

from typing import Any

from registry.api.describe import Answer, Body, Operation, link, path_id
from registry.api.samples import RECEIPT

_ID = (path_id("hold", "The hold's id."),)
_FIRST = "$response.body#/holds/0/hold"
_WORD = Body("ApproversWord", {"with a note": {"note": "Spoke with the prosecutor's office"}, "plain": {}})
_HOLD: dict[str, Any] = {
    "hold": "0" * 31 + "a",
    "state": "pending",
    "principal": "0" * 31 + "7",
    "placed_by": "https://issuer.example#inspector-2",
    "created_at": "2026-03-02T09:15:30.125Z",
    "until": "2026-04-01T09:15:30.125Z",
    "settled_by": None,
    "settled_at": None,
}
_ASKED: dict[str, Any] = {
    "statement": "written",
    "asked_by": "County prosecutor",
    "reason": "Subpoena 12: not to be told before the hearing",
    "case": "GJ-2026-12",
}
_RENEWAL: dict[str, Any] = {
    "since": "2026-01-02T09:15:30.125Z",
    "days": 59,
    "days_with_this": 89,
    "most_days": 180,
    "most_days_of_one_approver": 90,
    "holds": [
        {
            "hold": "0" * 31 + "9",
            "from": "2026-01-02T09:15:30.125Z",
            "until": "2026-03-02T09:15:30.125Z",
            "placed_by": "https://issuer.example#inspector-2",
            "confirmed_by": "https://issuer.example#approver-1",
        }
    ],
}
_DETAIL = {
    **_HOLD,
    "subject": "0" * 31 + "1",
    "purposes": ["legal_service"],
    "legal": False,
    **_ASKED,
    "renewal": _RENEWAL,
    "receipt": RECEIPT,
}
_SETTLED = _HOLD | {"settled_by": "0" * 31 + "8", "settled_at": "2026-03-02T11:00:00.000Z", "receipt": RECEIPT}
_REVIEWING = (
    "Role `approver`, never a hold of one's own, under whatever account, and never one about oneself or somebody close "
    "(403 `conflict_of_interest`). Once: 409 `decided`; within a week: 409 `expired`. An entry."
)

PLACE = Operation(
    id="placeHold",
    tag="audit",
    summary="Ask that notices to a subject be held back for a time",
    description=(
        "Role `investigator`. For an agency that must not be told of yet, as 45 CFR 164.528(a)(2) has it. Nothing is "
        "held back before an approver has confirmed it. It ends by itself, after 90 days at most, 30 for an oral "
        "statement; then what was held back is sent. Until then it is not in the accounting either, unless it was "
        "told before. Never about oneself or somebody close (403 `conflict_of_interest`). An entry, in nobody's "
        "accounting."
    ),
    status=201,
    answer=Answer("It waits for its review.", "HoldNow", ("Audit-Receipt",), example=_HOLD | {"receipt": RECEIPT}),
    errors=(404,),
    body=Body(
        "HoldAsk",
        {
            "a hold": {"employee_number": "KC-004211", "purposes": ["legal_service"], "days": 30, **_ASKED},
            "a legal hold": {"employee_number": "KC-004211", "legal": True, "days": 366, **_ASKED},
        },
    ),
)

LIST = Operation(
    id="listHolds",
    tag="audit",
    summary="List the newest holds",
    description=(
        "Roles `investigator` (own holds), `approver` and `auditor` (everybody's). The newest 200, with who placed "
        "them and what became of each; whom they are about is told one by one, where reading it is an entry."
    ),
    answer=Answer(
        "The list.",
        "HoldList",
        example={"holds": [_HOLD]},
        links={
            "hold": link("getHold", "Whom the newest is about.", hold=_FIRST),
            "confirm": link("confirmHold", "Confirm it.", hold=_FIRST, body={}),
            "end": link("endHold", "End it.", hold=_FIRST, body={}),
        },
    ),
)

DETAIL = Operation(
    id="getHold",
    tag="audit",
    summary="Show whom a hold is about, and why",
    description=(
        "Roles `investigator` (own holds), `approver` and `auditor`. By id. Reading it is an entry. A hold about the "
        "caller or somebody close is not found. Who reviews and audits is told in `renewal` of the holds before it."
    ),
    answer=Answer(
        "The hold.",
        "HoldDetail",
        ("Audit-Receipt",),
        example=_DETAIL,
    ),
    errors=(404,),
    parameters=_ID,
)

CONFIRM = Operation(
    id="confirmHold",
    tag="audit",
    summary="Confirm somebody else's hold",
    description=(
        f"{_REVIEWING} From then on notices are held back. One that renews others needs a `note` that says why (409 "
        "`renewal`). Within 365 days notices to one person are held back for 180 days at most (409 `held_too_long`), "
        "for 90 on the word of one approver (409 `another_approver`), as long as the settings say nothing else."
    ),
    answer=Answer("The hold as it is now.", "HoldNow", ("Audit-Receipt",), example=_SETTLED | {"state": "confirmed"}),
    errors=(404, 409),
    body=_WORD,
    parameters=_ID,
)

REFUSE = Operation(
    id="refuseHold",
    tag="audit",
    summary="Refuse somebody else's hold",
    description=_REVIEWING,
    answer=Answer("The hold as it is now.", "HoldNow", ("Audit-Receipt",), example=_SETTLED | {"state": "refused"}),
    errors=(404, 409),
    body=_WORD,
    parameters=_ID,
)

END = Operation(
    id="endHold",
    tag="audit",
    summary="End a hold before its time",
    description=(
        "Roles `investigator` (own holds), `approver` and `auditor`, not about oneself or somebody close. What was "
        "held back is sent at once. What is over stays over: 409 `decided`, `expired`. An entry."
    ),
    answer=Answer("The hold as it is now.", "HoldNow", ("Audit-Receipt",), example=_SETTLED | {"state": "ended"}),
    errors=(404, 409),
    body=_WORD,
    parameters=_ID,
)
