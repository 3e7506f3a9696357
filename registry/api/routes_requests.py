"""Asks that wait for other people's approval, and the word of who may give it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_requests as described
from registry.api.asking import Ask, json_body, without_body
from registry.api.bodies import read_word
from registry.api.problems import json_answer
from registry.api.render import receipted
from registry.domain.approvals import Verdict
from registry.domain.clock import from_unix_ms, iso
from registry.domain.ids import RequestId
from registry.services.approvals import APPROVERS, ASKERS, WATCHERS, RequestDetail, RequestView, Word
from registry.services.read_audit import AUDITORS

router = APIRouter()

LOOKUP = "lookup"

ListAsk = Annotated[Ask, Depends(without_body(ASKERS | WATCHERS, "requests"))]
OneAsk = Annotated[Ask, Depends(without_body(ASKERS | WATCHERS, "request"))]
ApproveAsk = Annotated[Ask, Depends(json_body(APPROVERS, "approve request"))]
RefuseAsk = Annotated[Ask, Depends(json_body(APPROVERS, "refuse request"))]
FiguresAsk = Annotated[Ask, Depends(without_body(AUDITORS, "approval statistics"))]


@router.get("/v1/requests", **described.REQUESTS.options())
def requests(ask: ListAsk) -> Response:
    return json_answer({"requests": [_listed(view) for view in ask.application.approvals.listing(ask.caller)]})


@router.get("/v1/requests/statistics", **described.STATISTICS.options())
def statistics(ask: FiguresAsk) -> Response:
    approvers = [
        {
            "approver": figures.approver,
            "approved": figures.approved,
            "refused": figures.refused,
            "median_seconds": figures.median_seconds,
        }
        for figures in ask.application.approvals.statistics(ask.caller)
    ]
    return json_answer({"approvers": approvers})


@router.get("/v1/requests/{request}", **described.REQUEST.options())  # noqa: FAST003 - Ask.path_id reads it
def request(ask: OneAsk) -> Response:
    found = ask.application.approvals.get(ask.caller, ask.path_id("request", RequestId))
    document = {
        **_listed(found.view),
        "subject": found.subject,
        "about": found.told or None,
        "reason": None if found.view.action is None else found.note or None,
        "categories": list(found.categories),
        "purpose": _purpose(found),
    }
    return receipted(document, found.receipt)


@router.post("/v1/requests/{request}/approve", **described.APPROVE.options())  # noqa: FAST003 - Ask.path_id reads it
def approve(ask: ApproveAsk) -> Response:
    return _decided(ask, Verdict.APPROVE)


@router.post("/v1/requests/{request}/refuse", **described.REFUSE.options())  # noqa: FAST003 - Ask.path_id reads it
def refuse(ask: RefuseAsk) -> Response:
    return _decided(ask, Verdict.REFUSE)


def _purpose(found: RequestDetail) -> dict[str, str | None] | None:
    if found.view.action is not None:
        return None
    return {"code": found.purpose, "case": found.case or None, "note": found.note or None}


def _decided(ask: Ask, verdict: Verdict) -> Response:
    note = read_word(ask.document(), today=ask.today)
    word = Word(ask.path_id("request", RequestId), verdict, note)
    view, receipt = ask.application.approvals.decide(ask.caller, word)
    return receipted(_listed(view), receipt)


def _listed(view: RequestView) -> dict[str, Any]:
    row = view.row
    return {
        "request": row.id,
        "action": LOOKUP if view.action is None else view.action.value,
        "state": view.state.value,
        "principal": row.principal,
        "asker": view.asker,
        "unit": view.unit or None,
        "needs": {"approvals": row.needs, "other_unit": row.needs_other_unit},
        "approvals": view.approvals,
        "created_at": iso(from_unix_ms(row.created_at)),
        "until": iso(from_unix_ms(row.until)),
    }
