"""OpenAPI descriptions of the routes of routes_principals."""

from __future__ import annotations

from registry.api.describe import Answer, Body, Operation, path_id, query
from registry.api.describe_links import AFTER_REPORT
from registry.api.describe_requests import NEEDS_ANOTHER
from registry.api.samples import PRINCIPAL_LEFT, PRINCIPAL_MOVED, PRINCIPAL_REPORT, PRINCIPALS_LIST, RECEIPT

PRINCIPALS = Operation(
    id="listPrincipals",
    tag="principals",
    summary="List who may act",
    description="Role `security_admin`. Every principal with its roles; a token's roles can only narrow these.",
    answer=Answer("The list.", "PrincipalList", example=PRINCIPALS_LIST),
)

GRANT = Operation(
    id="grantRoles",
    tag="principals",
    summary="Create a principal or replace its roles",
    description=(
        "Role `security_admin`. `issuer` and `sub` are as its tokens have them. The roles given are all its roles "
        "from then on, at once, whatever tokens are out; an empty list ends it. `employee_number` ties it to its own "
        "record, for the conflict rules and its own portal; `supervisor` closes that person's records to it. Roles "
        "that nobody may hold together are refused (422, `conflicting_roles` at `/roles`). An entry."
    ),
    also=NEEDS_ANOTHER,
    answer=Answer("Done.", "Granted", ("Audit-Receipt",), example={"principal": "0" * 31 + "a", "receipt": RECEIPT}),
    body=Body(
        "Grant",
        {
            "a reader": {
                "issuer": "https://sign-in.example",
                "sub": "benefits-desk-4",
                "roles": ["reader"],
                "employee_number": "KC-000017",
                "unit": "Benefits",
            }
        },
    ),
)

_PRINCIPAL = path_id("principal", "The principal, as listed.")

MOVE = Operation(
    id="movePrincipal",
    tag="principals",
    summary="Change unit, supervisor or roles of a principal",
    description=(
        "Role `security_admin`, for somebody else than themselves. What is left out stays. Roles that nobody may hold "
        "together are refused (422, `conflicting_roles` at `/roles`). An entry that says what changed."
    ),
    also=NEEDS_ANOTHER,
    answer=Answer("Changed.", "Moved", ("Audit-Receipt",), example=PRINCIPAL_MOVED),
    errors=(404,),
    body=Body("Move", {"to another unit": {"unit": "Payroll", "supervisor": "KC-000044", "roles": ["reader"]}}),
    parameters=(_PRINCIPAL,),
)

LEAVE = Operation(
    id="endPrincipal",
    tag="principals",
    summary="End a principal",
    description=(
        "Role `security_admin`, for somebody else than themselves. Every role is gone at once, in every process, "
        "whatever tokens are out. An entry."
    ),
    answer=Answer("Ended.", "Moved", ("Audit-Receipt",), example=PRINCIPAL_LEFT),
    errors=(404,),
    parameters=(_PRINCIPAL,),
)

REVOKE = Operation(
    id="revokeTokensOfPrincipal",
    tag="principals",
    summary="Take back all tokens of a principal",
    description=(
        "Role `security_admin`. Tokens that were issued until now have no roles any more, in every process, from the "
        "next batch on; whoever signs in anew has theirs. An entry."
    ),
    answer=Answer("Taken back.", "Revoked", ("Audit-Receipt",), example={"receipt": RECEIPT}),
    errors=(404, 422),
    parameters=(_PRINCIPAL,),
)

REVOKE_TOKEN = Operation(
    id="revokeToken",
    tag="principals",
    summary="Take back one token by its name",
    description=(
        "Role `security_admin`. The token of this issuer and `jti` has no roles any more, in every process, from the "
        "next batch on, whoever has it. Kept until no token can be as old. An entry."
    ),
    answer=Answer("Taken back.", "Revoked", ("Audit-Receipt",), example={"receipt": RECEIPT}),
    body=Body("TokenName", {"a stolen one": {"issuer": "https://sign-in.example", "token_id": "5b8e"}}),
)

REPORT = Operation(
    id="reportPrincipal",
    tag="principals",
    summary="Report what a principal did and saw since a moment, newest first",
    description=(
        "One of the roles `auditor` and `security_admin`. Entries with subjects, categories and purposes, never a "
        "value: those of kind `disclose` are what was seen. A page looks at 4,000 entries at most, so it may hold few "
        "or none; follow `next` (also in the header `Link`) until it is null. Reading a page is itself an entry."
    ),
    answer=Answer(
        "A page.", "PrincipalReport", ("Audit-Receipt", "Link"), example=PRINCIPAL_REPORT, links=AFTER_REPORT
    ),
    errors=(404, 422),
    parameters=(
        _PRINCIPAL,
        query("since", "A day (from its first moment, UTC) or a moment with an offset.", {"type": "string"}),
        query("before", "Only entries with a smaller index.", {"type": "integer", "minimum": 0}),
        query("limit", "Entries a page.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
    ),
)
