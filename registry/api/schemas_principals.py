"""Schemas of who may act, and of what one of them did."""

from __future__ import annotations

from registry.api.describe import ref
from registry.api.schema_parts import INDEX, MOMENT, Schema, closed, listed, nullable, text
from registry.domain.principals import Role

PRINCIPAL_SCHEMAS: dict[str, Schema] = {
    "PrincipalList": closed(
        {
            "principals": listed(
                closed(
                    {
                        "principal": ref("Id"),
                        "issuer": {"type": "string"},
                        "sub": {"type": "string"},
                        "roles": listed(ref("Role")),
                        "unit": nullable({"type": "string"}),
                        "state": {"enum": ["active", "ended", "locked", "changed"]},
                        "has_employee_number": {"type": "boolean"},
                    }
                )
            )
        }
    ),
    "Grant": closed(
        {
            "issuer": text(255, "`iss` of its tokens."),
            "sub": text(255, "`sub` of its tokens."),
            "roles": {**listed(ref("Role"), len(Role)), "uniqueItems": True},
        },
        {
            "employee_number": ref("EmployeeNumber"),
            "unit": {"type": "string", "maxLength": 120},
            "supervisor": ref("EmployeeNumber"),
        },
    ),
    "Move": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            "roles": {**listed(ref("Role"), len(Role)), "uniqueItems": True, "description": "All, from now on."},
            "unit": {"type": "string", "maxLength": 120, "description": "Empty takes it away."},
            "supervisor": {"anyOf": [ref("EmployeeNumber"), {"const": ""}], "description": "Empty takes it away."},
        },
    },
    "TokenName": closed(
        {"issuer": text(255, "`iss` of the token."), "token_id": text(255, "Its `jti`, as entries have it.")}
    ),
    "Revoked": closed({"receipt": ref("Receipt")}),
    "Moved": closed(
        {
            "principal": ref("Id"),
            "roles": listed(ref("Role")),
            "unit": nullable({"type": "string"}),
            "state": {"enum": ["active", "ended", "locked", "changed"]},
            "receipt": ref("Receipt"),
        }
    ),
    "PrincipalReport": closed(
        {
            "principal": ref("Id"),
            "since": MOMENT,
            "entries": listed(
                closed(
                    {
                        "index": INDEX,
                        "at": MOMENT,
                        "kind": ref("EntryKind"),
                        "result": {"type": "string"},
                        "subjects": listed(ref("Id")),
                        "categories": listed(ref("Category")),
                        "purpose": nullable({"type": "string"}),
                    }
                )
            ),
            "next": nullable({"type": "string"}),
            "receipt": ref("Receipt"),
        }
    ),
    "Granted": closed({"principal": ref("Id"), "receipt": ref("Receipt")}),
}
