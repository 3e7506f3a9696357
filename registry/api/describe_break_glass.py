"""OpenAPI descriptions of the routes of routes_break_glass."""

from __future__ import annotations

from registry.api.describe import Answer, Body, Operation, path_id
from registry.api.describe_links import AFTER_LISTING_GLASS
from registry.api.samples import GLASS_DETAIL, GLASS_LIST, GLASS_OPENED, GLASS_REVIEWED

_ID = (path_id("glass", "The emergency's id."),)

OPEN = Operation(
    id="breakGlass",
    tag="requests",
    summary="Open a card in an emergency, without waiting for approval",
    description=(
        "Role `reader`. For an hour (`[approvals]` in config.toml), lookups of these categories of this subject need "
        "no approval; everything else decides them as ever: purpose, conflicts of interest, limits, and for `sealed` "
        "records a strong sign-in. Each is an entry that names the emergency. An approver reviews it within 72 hours; "
        "while a review is late, or ten wait, the same person opens nothing else this way (409 `review_overdue`, "
        "`reviews_waiting`). Never one's own card or that of somebody close (403 `conflict_of_interest`)."
    ),
    status=201,
    answer=Answer("It is open.", "BreakGlassOpened", ("Audit-Receipt",), example=GLASS_OPENED),
    errors=(404, 409),
    body=Body(
        "BreakGlassAsk",
        {
            "an emergency": {
                "employee_number": "KC-004211",
                "categories": ["home_address", "phone"],
                "reason": "Threat called in, officers on their way to the house",
                "case": "2026-911-0077",
            }
        },
    ),
)

LIST = Operation(
    id="listBreakGlass",
    tag="requests",
    summary="List emergencies, those without review first",
    description=(
        "Roles `approver` and `auditor`. At most 200: those that wait for their review, the most urgent first, then "
        "the newest others. With who opened them and whether the review is late; whom they are about is told one by "
        "one, where reading it is an entry."
    ),
    answer=Answer("The list.", "BreakGlassList", example=GLASS_LIST, links=AFTER_LISTING_GLASS),
)

DETAIL = Operation(
    id="getBreakGlass",
    tag="requests",
    summary="Show whom an emergency was about and why",
    description="Roles `approver` and `auditor`. By id, no value. An entry. One about the caller is not found.",
    answer=Answer("The emergency.", "BreakGlassDetail", ("Audit-Receipt",), example=GLASS_DETAIL),
    errors=(404,),
    parameters=_ID,
)

REVIEW = Operation(
    id="reviewBreakGlass",
    tag="requests",
    summary="Say whether an emergency was one",
    description=(
        "Role `approver`, never one's own emergency, under whatever account, and never one about oneself or somebody "
        "close, or opened by somebody close (403 `conflict_of_interest`). Reviewed once: 409 `decided`. "
        "`not_justified` closes the card at once. An entry."
    ),
    answer=Answer("The emergency as it is now.", "BreakGlassReviewed", ("Audit-Receipt",), example=GLASS_REVIEWED),
    errors=(404, 409),
    body=Body(
        "BreakGlassReview",
        {"justified": {"finding": "justified", "note": "Dispatch log 77 confirms the call"}},
    ),
    parameters=_ID,
)
