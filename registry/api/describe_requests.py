"""OpenAPI descriptions of the routes of routes_requests."""

from __future__ import annotations

from collections.abc import Mapping

from registry.api.describe import Answer, Body, Operation, path_id
from registry.api.describe_links import AFTER_LISTING_REQUESTS, AFTER_WAITING
from registry.api.samples import APPROVAL_FIGURES, DECIDED, REQUEST_DETAIL, REQUEST_LIST, WAITING

# What a request under dual control answers until another person has approved it.
NEEDS_ANOTHER: Mapping[int, Answer] = {
    202: Answer(
        "Under dual control (`[approvals]` in config.toml) another person has to approve this first; nothing was done. "
        "Once it is approved, send exactly the same again.",
        "Waiting",
        ("Location", "Audit-Receipt"),
        example=WAITING,
        links=AFTER_WAITING,
    )
}

_ID = (path_id("request", "The request's id, from the `Location` of a 202."),)
_BODY = Body("ApproversWord", {"with a note": {"note": "Spoke with the duty officer, case is open"}, "plain": {}})
_DECIDING = (
    "Role `approver`. Never one's own ask, under whatever account, and never an ask about oneself or somebody close "
    "(403 `conflict_of_interest`). One word an approver; a settled request is 409 `decided`, one whose time is over "
    "409 `expired`."
)

REQUESTS = Operation(
    id="listRequests",
    tag="requests",
    summary="List the newest requests for approval",
    description=(
        "Roles `approver` and `auditor` (everybody's); `reader`, `investigator`, `enroller`, `records_officer` and "
        "`security_admin` (own requests). The newest 200, with who asks, for which action, and what became of each; "
        "whom they are about is told one by one, where reading it is an entry."
    ),
    answer=Answer("The list.", "RequestList", example=REQUEST_LIST, links=AFTER_LISTING_REQUESTS),
)

REQUEST = Operation(
    id="getRequest",
    tag="requests",
    summary="Show what a request asks for and why",
    description=(
        "Roles `approver` and `auditor`, and who asked. Of a lookup: whom it is about (by id), categories and stated "
        "purpose. Of an action under dual control: what exactly is to be done. No value; of a waiver nobody is named. "
        "Reading it is an entry. A request about the caller is not found."
    ),
    answer=Answer("The request.", "RequestDetail", ("Audit-Receipt",), example=REQUEST_DETAIL),
    errors=(404,),
    parameters=_ID,
)

APPROVE = Operation(
    id="approveRequest",
    tag="requests",
    summary="Approve somebody else's request",
    description=(
        f"{_DECIDING} A `restricted` record takes one approver, a `sealed` one two, one of them of another unit than "
        "who asks, anything else one. Once enough have approved, who asked repeats the same within 24 hours: a lookup "
        "as often as needed, anything else once."
    ),
    answer=Answer("The request as it is now.", "Decided", ("Audit-Receipt",), example=DECIDED),
    errors=(404, 409),
    body=_BODY,
    parameters=_ID,
)

REFUSE = Operation(
    id="refuseRequest",
    tag="requests",
    summary="Refuse somebody else's request",
    description=f"{_DECIDING} One refusal settles it.",
    answer=Answer("The request as it is now.", "Decided", ("Audit-Receipt",), example=DECIDED | {"state": "refused"}),
    errors=(404, 409),
    body=_BODY,
    parameters=_ID,
)

STATISTICS = Operation(
    id="getApprovalStatistics",
    tag="requests",
    summary="Show how each approver decides",
    description=(
        "Role `auditor`. Of the newest 10,000 requests: how many each approver approved and refused, and the median "
        "seconds from request to word. Who approves everything within seconds reads nothing."
    ),
    answer=Answer("The figures.", "ApprovalStatistics", example=APPROVAL_FIGURES),
)
