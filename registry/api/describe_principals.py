"""OpenAPI descriptions of the routes of routes_principals."""

from __future__ import annotations

from registry.api.describe import Answer, Body, Operation
from registry.api.samples import PRINCIPALS_LIST, RECEIPT

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
        "record, for the conflict rule and its own portal. An entry."
    ),
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
