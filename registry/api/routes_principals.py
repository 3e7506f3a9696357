"""Who may act: the principals table, for security administrators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_principals as described
from registry.api.asking import Ask, json_body, without_body
from registry.api.bodies import read_grant
from registry.api.problems import json_answer
from registry.api.render import receipt_document
from registry.services.ports import PrincipalRow
from registry.services.principals import ADMINS

router = APIRouter()

ListAsk = Annotated[Ask, Depends(without_body(ADMINS, "list principals"))]
GrantAsk = Annotated[Ask, Depends(json_body(ADMINS, "grant"))]


@router.get("/v1/principals", **described.PRINCIPALS.options())
def principals(ask: ListAsk) -> Response:
    return json_answer({"principals": [_principal(row) for row in ask.application.principals.read(ask.caller)]})


@router.post("/v1/principals", **described.GRANT.options())
def grant(ask: GrantAsk) -> Response:
    wanted = read_grant(ask.document(), today=ask.today)
    principal, receipt = ask.application.principals.grant(ask.caller, wanted)
    document = {"principal": principal, "receipt": receipt_document(receipt)}
    return json_answer(document, headers={"Audit-Receipt": receipt.header})


def _principal(row: PrincipalRow) -> dict[str, Any]:
    return {
        "principal": row.id,
        "issuer": row.issuer,
        "sub": row.sub,
        "roles": sorted(row.roles),
        "unit": row.unit or None,
        "state": row.state,
        "has_employee_number": row.employee is not None,
    }
