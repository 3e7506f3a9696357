"""OpenAPI description of the route of routes_keys."""

from __future__ import annotations

from registry.api.describe import Answer, Body, Operation
from registry.api.describe_requests import NEEDS_ANOTHER
from registry.api.samples import RECEIPT
from registry.api.schema_parts import Schema, closed, reason
from registry.services.key_changes import CHANGE_FORM

KEY_SCHEMAS: dict[str, Schema] = {
    "KeyChange": closed(
        {
            "change": {
                "type": "string",
                "pattern": f"^(?:{CHANGE_FORM})$",
                "description": "As the command at the machine: `rotate` and what the key is for, for marks with or "
                "without `--redraw`, `rewrap`, `rekey-index`, `rebuild-index`, `shred` and the id of an earlier key, "
                "as `registry keys status` prints it, or `compromise` and the id of the ledger's key, as its verifier "
                "key has it.",
            },
            "reason": reason("For the approver and the ledger. No protected values."),
        }
    ),
}

ASK = Operation(
    id="askForKeyChange",
    tag="principals",
    summary="Ask for a key to be exchanged or destroyed",
    description=(
        "Role `security_admin`. Where `keys` is under dual control, `registry keys rotate`, `rewrap`, `rekey-index`, "
        "`rebuild-index` and `shred`, and `registry audit compromise`, do nothing at the machine before exactly that "
        "change was asked for here and approved by another person: 202 with the request, again while it waits. Nothing "
        "is sent a second time: the command uses the approval up; once there is one, this answers 409 `approved`. "
        "Whether it is under dual control is what the ledger says, not what a changed file says; where it is not, this "
        "is an entry alone."
    ),
    answer=Answer(
        "Nothing of keys is under dual control.", "AgreedNow", ("Audit-Receipt",), example={"receipt": RECEIPT}
    ),
    also=NEEDS_ANOTHER,
    errors=(409,),
    body=Body("KeyChange", {"a rotation": {"change": "rotate data", "reason": "yearly exchange, ticket OPS-118"}}),
)
