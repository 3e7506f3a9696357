"""Who may act: the principals table, for security administrators."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_principals as described
from registry.api.asking import Ask, json_body, without_body
from registry.api.bodies import read_grant, read_move, read_token_name
from registry.api.problems import json_answer
from registry.api.queries import page_answer, page_of, query_of
from registry.api.render import receipted
from registry.domain.clock import from_unix_ms, iso
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from registry.domain.ids import PrincipalId
from registry.services.leaver_report import REPORT_READERS, ReportAsk, told
from registry.services.ports import PrincipalRow
from registry.services.principals import ADMINS, LEAVE, Granted
from registry.text.moments import moment_ms

router = APIRouter()

_REPORT_KEYS = frozenset({"since", "before", "limit"})

ListAsk = Annotated[Ask, Depends(without_body(ADMINS, "list principals"))]
GrantAsk = Annotated[Ask, Depends(json_body(ADMINS, "grant"))]
MoveAsk = Annotated[Ask, Depends(json_body(ADMINS, "move"))]
LeaveAsk = Annotated[Ask, Depends(without_body(ADMINS, "leave"))]
RevokeAsk = Annotated[Ask, Depends(without_body(ADMINS, "revoke"))]
RevokeTokenAsk = Annotated[Ask, Depends(json_body(ADMINS, "revoke"))]
ReportOfAsk = Annotated[Ask, Depends(without_body(REPORT_READERS, "report of a principal"))]


@router.get("/v1/principals", **described.PRINCIPALS.options())
def principals(ask: ListAsk) -> Response:
    return json_answer({"principals": [_principal(row) for row in ask.application.principals.read(ask.caller)]})


@router.post("/v1/principals", **described.GRANT.options())
def grant(ask: GrantAsk) -> Response:
    wanted = read_grant(ask.document(), today=ask.today)
    principal, receipt = ask.application.principals.grant(ask.caller, wanted)
    return receipted({"principal": principal}, receipt)


@router.post("/v1/principals/{principal}/move", **described.MOVE.options())  # noqa: FAST003 - Ask.path_id reads it
def move(ask: MoveAsk) -> Response:
    wanted = read_move(ask.document(), today=ask.today)
    return _moved(ask.application.principals.move(ask.caller, ask.path_id("principal", PrincipalId), wanted))


@router.post("/v1/principals/{principal}/leave", **described.LEAVE.options())  # noqa: FAST003 - Ask.path_id reads it
def leave(ask: LeaveAsk) -> Response:
    return _moved(ask.application.principals.move(ask.caller, ask.path_id("principal", PrincipalId), LEAVE))


@router.post("/v1/principals/{principal}/revoke", **described.REVOKE.options())  # noqa: FAST003 - Ask.path_id reads it
def revoke(ask: RevokeAsk) -> Response:
    return receipted({}, ask.application.revoke.account(ask.caller, ask.path_id("principal", PrincipalId)))


@router.post("/v1/tokens/revoke", **described.REVOKE_TOKEN.options())
def revoke_token(ask: RevokeTokenAsk) -> Response:
    name = read_token_name(ask.document(), today=ask.today)
    return receipted({}, ask.application.revoke.token(ask.caller, name))


@router.get("/v1/principals/{principal}/report", **described.REPORT.options())  # noqa: FAST003 - Ask.path_id reads it
def report(ask: ReportOfAsk) -> Response:
    wanted = _report_ask(ask)
    page = ask.application.leaver_report.page(ask.caller, wanted)
    since = iso(from_unix_ms(wanted.since_ms))
    following = None
    if page.before is not None:
        query = urlencode({"since": since, "before": page.before, "limit": wanted.limit})
        following = f"/v1/principals/{wanted.principal}/report?{query}"
    document = {
        "principal": wanted.principal,
        "since": since,
        "entries": [told(entry) for entry in page.entries],
    }
    return page_answer(document, following, page.receipt)


def _report_ask(ask: Ask) -> ReportAsk:
    problems: list[FieldProblem] = []
    given = query_of(ask.request, _REPORT_KEYS, problems)
    before, limit = page_of(given, problems)
    since = moment_ms(given["since"]) if "since" in given else 0
    if since is None:
        problems.append(FieldProblem("/query/since", "not_a_moment"))
    if since is None or problems:
        raise InvalidInput(problems[:50])
    return ReportAsk(ask.path_id("principal", PrincipalId), since, before, limit)


def _moved(granted: Granted) -> Response:
    row = granted.row
    document = {
        "principal": row.id,
        "roles": sorted(row.roles),
        "unit": row.unit or None,
        "state": row.state,
    }
    return receipted(document, granted.receipt)


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
