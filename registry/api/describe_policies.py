"""OpenAPI descriptions of the routes of routes_policies."""

from __future__ import annotations

from typing import Any

from registry.api.describe import Answer, Body, Operation, ref
from registry.api.describe_requests import NEEDS_ANOTHER
from registry.api.samples import RECEIPT
from registry.api.schema_parts import PURPOSE, Schema, closed, listed, nullable, reason
from registry.domain.categories import Category
from registry.policy.purposes import MAX_PURPOSES
from registry.services.policy_changes import VERSION_FORM

_PURPOSE_LIST: dict[str, Any] = {
    "purposes": [
        {
            "code": "official_mail",
            "hl7": "GOV",
            "opens": ["home_address"],
            "needs_case": True,
            "needs_step_up": False,
        }
    ],
    "policy": "cedar:" + "0" * 64,
}

POLICY_SCHEMAS: dict[str, Schema] = {
    "PurposeList": closed(
        {
            "purposes": listed(
                closed(
                    {
                        "code": PURPOSE,
                        "hl7": nullable({"type": "string"}),
                        "opens": listed(ref("Category"), len(Category), 1),
                        "needs_case": {"type": "boolean"},
                        "needs_step_up": {"type": "boolean"},
                    }
                ),
                MAX_PURPOSES,
            ),
            "policy": {"type": "string"},
        }
    ),
    "AgreedNow": closed({"receipt": ref("Receipt")}),
    "Agreed": closed(
        {
            "version": {
                "type": "string",
                "pattern": f"^{VERSION_FORM}$",
                "description": "Of policies, as `registry policy check` prints it; or of settings, as the start that "
                "was refused named it.",
            },
            "reason": reason("For the ledger. No protected values."),
        }
    ),
}

PURPOSES = Operation(
    id="listPurposes",
    tag="disclosures",
    summary="List the purposes that a lookup may state",
    description=(
        "One of the roles `reader`, `approver`, `auditor` and `security_admin`. With what the policies in force make "
        "of each: the categories that it opens, whether it needs a `case`, and whether a strong and recent sign-in. An "
        "agency may have declared purposes of its own. `policy` names the set of policies, as entries do."
    ),
    answer=Answer("The purposes.", "PurposeList", example=_PURPOSE_LIST),
)

AGREE = Operation(
    id="agreeOnPolicies",
    tag="principals",
    summary="Let other policies or settings come into force with the next start",
    description=(
        "Role `security_admin`. Where `policy` is under dual control, a registry does not start with policies, or "
        "settings of approvals, brakes and witnesses, that differ from those in force, unless exactly that version "
        "was agreed on here: the first call answers 202 with a request for another person, the same call afterwards "
        "uses the approval up. Which actions are under dual control is what the ledger says, not what a changed "
        "file says."
    ),
    answer=Answer("May come into force.", "AgreedNow", ("Audit-Receipt",), example={"receipt": RECEIPT}),
    also=NEEDS_ANOTHER,
    body=Body("Agreed", {"policies": {"version": "cedar:" + "0" * 64, "reason": "purposes for the parking office"}}),
)
