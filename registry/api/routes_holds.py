"""Holds: notices to a subject that are kept back for a time."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_holds as described
from registry.api.asking import Ask, json_body, without_body
from registry.api.bodies import read_word
from registry.api.hold_bodies import read_hold
from registry.api.problems import json_answer
from registry.api.render import receipted
from registry.domain.approvals import ApprovalRules
from registry.domain.clock import from_unix_ms, iso
from registry.domain.holds import HoldState
from registry.domain.ids import HoldId
from registry.services.hold_history import Renewal
from registry.services.holds import ENDERS, PLACERS, REVIEWERS, HoldView, HoldWord
from registry.services.kernel import ReceiptView

router = APIRouter()

PlaceAsk = Annotated[Ask, Depends(json_body(PLACERS, "hold"))]
ListAsk = Annotated[Ask, Depends(without_body(ENDERS, "holds"))]
OneAsk = Annotated[Ask, Depends(without_body(ENDERS, "hold"))]
ReviewAsk = Annotated[Ask, Depends(json_body(REVIEWERS, "hold review"))]
EndAsk = Annotated[Ask, Depends(json_body(ENDERS, "hold ended"))]


@router.post("/v1/holds", **described.PLACE.options())
def place(ask: PlaceAsk) -> Response:
    kernel = ask.application.kernel
    asked = read_hold(ask.document(), kernel.number_tag, known=kernel.policy.codes, today=ask.today)
    return _now(*ask.application.holds.place(ask.caller, asked), status=201)


@router.get("/v1/holds", **described.LIST.options())
def listing(ask: ListAsk) -> Response:
    return json_answer({"holds": [_listed(view) for view in ask.application.holds.listing(ask.caller)]})


@router.get("/v1/holds/{hold}", **described.DETAIL.options())  # noqa: FAST003 - Ask.path_id reads it
def detail(ask: OneAsk) -> Response:
    found = ask.application.holds.get(ask.caller, ask.path_id("hold", HoldId))
    document = {
        **_listed(found.view),
        "subject": found.held.subject,
        "purposes": sorted(found.held.purposes),
        "legal": found.held.is_legal,
        "statement": found.statement,
        "asked_by": found.asked_by,
        "reason": found.reason,
        "case": found.case or None,
        "renewal": None if found.renewal is None else _renewal(found.renewal, ask.application.kernel.rules),
    }
    return receipted(document, found.receipt)


@router.post("/v1/holds/{hold}/confirm", **described.CONFIRM.options())  # noqa: FAST003 - Ask.path_id reads it
def confirm(ask: ReviewAsk) -> Response:
    return _settled(ask, HoldState.CONFIRMED)


@router.post("/v1/holds/{hold}/refuse", **described.REFUSE.options())  # noqa: FAST003 - Ask.path_id reads it
def refuse(ask: ReviewAsk) -> Response:
    return _settled(ask, HoldState.REFUSED)


@router.post("/v1/holds/{hold}/end", **described.END.options())  # noqa: FAST003 - Ask.path_id reads it
def end(ask: EndAsk) -> Response:
    return _settled(ask, HoldState.ENDED)


def _settled(ask: Ask, state: HoldState) -> Response:
    note = read_word(ask.document(), today=ask.today)
    return _now(*ask.application.holds.settle(ask.caller, HoldWord(ask.path_id("hold", HoldId), state, note)))


def _now(view: HoldView, receipt: ReceiptView, status: int = 200) -> Response:
    return receipted(_listed(view), receipt, status)


def _listed(view: HoldView) -> dict[str, Any]:
    row = view.row
    return {
        "hold": row.id,
        "state": view.state.value,
        "principal": row.principal,
        "placed_by": view.placed_by,
        "created_at": iso(from_unix_ms(row.created_at)),
        "until": iso(from_unix_ms(row.until)),
        "settled_by": row.settled_by,
        "settled_at": None if row.settled_at is None else iso(from_unix_ms(row.settled_at)),
    }


def _renewal(renewal: Renewal, rules: ApprovalRules) -> dict[str, Any]:
    return {
        "since": iso(from_unix_ms(renewal.since_ms)),
        "days": renewal.days,
        "days_with_this": renewal.days_with_this,
        "most_days": rules.hold_days,
        "most_days_of_one_approver": rules.hold_approver_days,
        "holds": [
            {
                "hold": one.id,
                "from": iso(from_unix_ms(one.span.start)),
                "until": iso(from_unix_ms(one.span.end)),
                "placed_by": f"{one.placed_by.issuer}#{one.placed_by.sub}",
                "confirmed_by": f"{one.confirmed_by.issuer}#{one.confirmed_by.sub}",
            }
            for one in renewal.earlier
        ],
    }
