"""Raised limits, lifted locks and decoys."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_brakes as described
from registry.api.asking import Ask, json_body
from registry.api.brake_bodies import read_decoys, read_unlock
from registry.api.problems import json_answer
from registry.api.render import receipt_document
from registry.domain.ids import PrincipalId
from registry.services.kernel import ReceiptView
from registry.services.principals import ADMINS
from registry.services.unlock import UNLOCKERS

router = APIRouter()

UnlockAsk = Annotated[Ask, Depends(json_body(UNLOCKERS, "unlock"))]
DecoysAsk = Annotated[Ask, Depends(json_body(ADMINS, "decoys"))]


@router.post("/v1/principals/{principal}/unlock", **described.UNLOCK.options())  # noqa: FAST003 - Ask.path_id reads it
def unlock(ask: UnlockAsk) -> Response:
    raised, reason = read_unlock(ask.document(), now=ask.application.kernel.clock.now())
    target = ask.path_id("principal", PrincipalId)
    service = ask.application.unlock
    if raised is None:
        return _done(service.lift_lock(ask.caller, target, reason))
    return _done(service.raise_limit(ask.caller, target, raised))


@router.post("/v1/decoys", **described.DECOYS.options())
def decoys(ask: DecoysAsk) -> Response:
    numbers, is_end = read_decoys(ask.document(), now=ask.application.kernel.clock.now())
    service = ask.application.decoys
    return _done(service.remove(ask.caller, numbers) if is_end else service.add(ask.caller, numbers))


def _done(receipt: ReceiptView) -> Response:
    return json_answer({"receipt": receipt_document(receipt)}, headers={"Audit-Receipt": receipt.header})
