"""The OpenAPI document: each route's own description, and the schemas and security that they share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute

import registry
from registry.api.brake_schemas import BRAKE_SCHEMAS
from registry.api.describe_accounting import ACCOUNTING_SCHEMAS
from registry.api.describe_erasures import ERASURE_SCHEMAS
from registry.api.describe_keys import KEY_SCHEMAS
from registry.api.describe_policies import POLICY_SCHEMAS
from registry.api.describe_releases import RELEASE_SCHEMAS
from registry.api.glass_schemas import GLASS_SCHEMAS
from registry.api.hold_schemas import HOLD_SCHEMAS
from registry.api.petition_schemas import PETITION_SCHEMAS
from registry.api.request_schemas import REQUEST_SCHEMAS
from registry.api.sample_schemas import SAMPLE_SCHEMAS
from registry.api.schemas import SCHEMAS

_DESCRIPTION = """\
A registry of which records about public employees and their families are confidential. No value is decrypted before \
its entry is in a tamper-evident ledger, and every answer that holds one names that entry.

**Start here.** Every route but those of *operation* needs `Authorization: Bearer <token>`: an access token (JWT, \
RFC 9068, `typ: at+jwt`) of a configured issuer for the audience `registry`. What a principal may do stands in the \
registry's own table; roles in a token can only narrow it.

**Order.** Token (401), role (403), then the body (400, 413, 415, 422). A caller without the role learns nothing about \
how a body is read.

**Errors** are problem documents (RFC 9457, `application/problem+json`). Branch on `status` and `code`. No error ever \
repeats what was sent; 422 names places as JSON pointers.

**Texts** are kept exactly as written. Unknown keys are errors. Bodies are UTF-8 JSON without repeated keys.

**Nothing is cached.** No GET returns a protected value, and no identifier that a person could be known by stands in \
a path or query.
"""
_TAGS = (
    ("subjects", "Enrolling, changing and finding the people whose records are protected."),
    ("disclosures", "Releasing values for a stated purpose."),
    ("requests", "Approval by a second person, and a third."),
    ("traces", "Following a leaked text back to the copies that were served."),
    ("me", "What the subjects themselves may see."),
    ("audit", "The ledger."),
    ("principals", "Who may act."),
    ("operation", "For whoever runs the registry."),
)
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token (RFC 9068) of a configured issuer for the audience `registry`.",
}


def openapi_document(routers: Iterable[APIRouter]) -> dict[str, Any]:
    """Return the document of the routes of these routers."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Registry",
            "version": registry.__version__,
            "summary": "A protected-records registry with access auditing: no receipt, no plaintext.",
            "description": _DESCRIPTION,
            "contact": {"name": "Weaknesses: see /.well-known/security.txt"},
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS],
        "security": [{"bearer": []}],
        "paths": _paths(routers),
        "components": {
            "schemas": {
                **SCHEMAS,
                **BRAKE_SCHEMAS,
                **ACCOUNTING_SCHEMAS,
                **ERASURE_SCHEMAS,
                **PETITION_SCHEMAS,
                **REQUEST_SCHEMAS,
                **GLASS_SCHEMAS,
                **POLICY_SCHEMAS,
                **KEY_SCHEMAS,
                **HOLD_SCHEMAS,
                **SAMPLE_SCHEMAS,
                **RELEASE_SCHEMAS,
            },
            "securitySchemes": {"bearer": _BEARER},
        },
    }


def _paths(routers: Iterable[APIRouter]) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                operations = paths.setdefault(route.path_format, {})
                operations |= {method.lower(): route.openapi_extra for method in route.methods or ()}
    return paths
