"""Cards opened in an emergency, and the review that follows."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_break_glass as described
from registry.api.asking import Ask, json_body, without_body
from registry.api.glass_bodies import read_emergency, read_review
from registry.api.problems import json_answer
from registry.api.render import receipted
from registry.domain.clock import from_unix_ms, iso
from registry.domain.ids import BreakGlassId
from registry.services.break_glass import BREAKERS, REVIEWERS, WATCHERS, GlassView

router = APIRouter()

OpenAsk = Annotated[Ask, Depends(json_body(BREAKERS, "break glass"))]
ListAsk = Annotated[Ask, Depends(without_body(WATCHERS, "break-glass"))]
ReviewAsk = Annotated[Ask, Depends(json_body(REVIEWERS, "review"))]


@router.post("/v1/break-glass", **described.OPEN.options())
def open_glass(ask: OpenAsk) -> Response:
    emergency = read_emergency(ask.document(), ask.application.kernel.number_tag, today=ask.today)
    row, receipt = ask.application.break_glass.open(ask.caller, emergency)
    document = {
        "id": row.id,
        "expires_at": iso(from_unix_ms(row.until)),
        "review_by": iso(from_unix_ms(row.review_by)),
    }
    return receipted(document, receipt, 201)


@router.get("/v1/break-glass", **described.LIST.options())
def listing(ask: ListAsk) -> Response:
    return json_answer({"break_glass": [_listed(view) for view in ask.application.break_glass.listing(ask.caller)]})


@router.get("/v1/break-glass/{glass}", **described.DETAIL.options())  # noqa: FAST003 - Ask.path_id reads it
def detail(ask: ListAsk) -> Response:
    found = ask.application.break_glass.get(ask.caller, ask.path_id("glass", BreakGlassId))
    document = {
        **_listed(found.view),
        "subject": found.subject,
        "case": found.case or None,
        "reason": found.reason,
    }
    return receipted(document, found.receipt)


@router.post("/v1/break-glass/{glass}/review", **described.REVIEW.options())  # noqa: FAST003 - Ask.path_id reads it
def review(ask: ReviewAsk) -> Response:
    judgement = read_review(ask.document(), ask.path_id("glass", BreakGlassId), today=ask.today)
    view, receipt = ask.application.break_glass.review(ask.caller, judgement)
    return receipted(_listed(view), receipt)


def _listed(view: GlassView) -> dict[str, Any]:
    row = view.row
    return {
        "id": row.id,
        "principal": row.principal,
        "asker": view.asker,
        "unit": view.unit or None,
        "categories": sorted(row.categories),
        "created_at": iso(from_unix_ms(row.created_at)),
        "expires_at": iso(from_unix_ms(row.until)),
        "review_by": iso(from_unix_ms(row.review_by)),
        "overdue": view.is_overdue,
        "finding": row.finding or None,
        "reviewer": row.reviewer,
        "reviewed_at": None if row.reviewed_at is None else iso(from_unix_ms(row.reviewed_at)),
    }
