"""Releasing values: one card, many cards, and the subject's own. A disclosure is a POST; no GET returns a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from registry.api import describe_disclosures as described
from registry.api.asking import Ask, json_body
from registry.api.bodies import read_batch, read_own_disclosure
from registry.api.disclosing import READERS, count, disclosure_ask, problem_for, shown
from registry.api.errors import problem_of
from registry.api.lookup import LOOKUP_PATH, look_up
from registry.api.problems import json_answer, json_bytes
from registry.api.render import card_document, waiting_document
from registry.domain.errors import AuditUnavailable
from registry.services.disclose import Answer, Disclosed, DisclosureAsk, Waiting
from registry.services.outcomes import releases
from registry.services.read_audit import SUBJECTS

router = APIRouter()

BATCH_BODY = 2 << 20
# So many cards a transaction: a batch gives way to single lookups in between.
CARDS_AT_ONCE = 64

ManyAsk = Annotated[Ask, Depends(json_body(READERS, "disclose batch", BATCH_BODY))]
OwnAsk = Annotated[Ask, Depends(json_body(SUBJECTS, "disclose own"))]


@router.post(LOOKUP_PATH, **described.DISCLOSE.options())
async def disclose(request: Request) -> Response:
    return await look_up(request)


@router.post("/v1/me/disclosures", **described.DISCLOSE_OWN.options())
def disclose_own(ask: OwnAsk) -> Response:
    categories, records = read_own_disclosure(ask.document(), today=ask.today)
    return _answered(ask, DisclosureAsk(None, ask.principal.employee_tag, categories, records, None, "self"))


@router.post("/v1/disclosures/batch", **described.DISCLOSE_BATCH.options())
def disclose_batch(ask: ManyAsk) -> Response:
    cards, purpose = read_batch(ask.document(), today=ask.today)
    asks = [disclosure_ask(ask.application.kernel, card, purpose, "batch") for card in cards]
    return json_answer({"results": list(_results(ask, asks))})


def _answered(ask: Ask, wanted: DisclosureAsk) -> Response:
    (answer,) = ask.application.disclose.disclose_many([(ask.caller, wanted)])
    return shown(ask, answer)


def _results(ask: Ask, asks: Sequence[DisclosureAsk]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(asks), CARDS_AT_ONCE):
        part = asks[start : start + CARDS_AT_ONCE]
        try:
            answers = ask.application.disclose.disclose_many([(ask.caller, one) for one in part])
        except AuditUnavailable as error:
            if start == 0:
                raise  # nothing was answered yet, so the whole request is the failure
            yield from [problem_of(error).document()] * (len(asks) - start)
            return
        yield from (_result(ask, answer) for answer in answers)


def _result(ask: Ask, answer: Answer) -> dict[str, Any]:
    count(ask, answer)
    if isinstance(answer, Disclosed):
        document = {"status": 200, **card_document(answer)}
        releases(ask.request.scope, answer, json_bytes(document))
        return document
    if isinstance(answer, Waiting):
        return {"status": 202, **waiting_document(answer)}
    return problem_for(ask, answer).document()
