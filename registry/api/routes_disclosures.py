"""Releasing values: one card, many cards, and the subject's own. A disclosure is a POST; no GET returns a value."""

from __future__ import annotations

from asyncio import wrap_future
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_disclosures as described
from registry.api.asking import Ask, json_body, lookup_body
from registry.api.bodies import CardAsk, read_batch, read_disclosure, read_own_disclosure
from registry.api.errors import problem_of
from registry.api.problems import Problem, json_answer
from registry.api.render import card_document, receipt_document
from registry.domain.errors import AuditUnavailable
from registry.domain.principals import Role
from registry.domain.purposes import Purpose
from registry.services.disclose import NOT_FOUND, Answer, Disclosed, DisclosureAsk, Refused
from registry.services.kernel import Kernel
from registry.services.read_audit import SUBJECTS

router = APIRouter()

READERS = frozenset({Role.READER})
BATCH_BODY = 2 << 20
# So many cards a transaction: a batch gives way to single lookups in between.
CARDS_AT_ONCE = 64

OneAsk = Annotated[Ask, Depends(lookup_body(READERS, "disclose"))]
ManyAsk = Annotated[Ask, Depends(json_body(READERS, "disclose batch", BATCH_BODY))]
OwnAsk = Annotated[Ask, Depends(json_body(SUBJECTS, "disclose own"))]


@router.post("/v1/disclosures", **described.DISCLOSE.options())
async def disclose(ask: OneAsk) -> Response:
    # Not a plain function: it does no I/O, it waits for its turn in the lane.
    card, purpose = read_disclosure(ask.document(), today=ask.today)
    wanted = _disclosure_ask(ask.application.kernel, card, purpose, "single")
    return _shown(ask, await wrap_future(ask.application.lane.submit(ask.caller, wanted)))


@router.post("/v1/me/disclosures", **described.DISCLOSE_OWN.options())
def disclose_own(ask: OwnAsk) -> Response:
    categories, records = read_own_disclosure(ask.document(), today=ask.today)
    return _answered(ask, DisclosureAsk(None, ask.principal.employee_tag, categories, records, None, "self"))


@router.post("/v1/disclosures/batch", **described.DISCLOSE_BATCH.options())
def disclose_batch(ask: ManyAsk) -> Response:
    cards, purpose = read_batch(ask.document(), today=ask.today)
    asks = [_disclosure_ask(ask.application.kernel, card, purpose, "batch") for card in cards]
    return json_answer({"results": list(_results(ask, asks))})


def _answered(ask: Ask, wanted: DisclosureAsk) -> Response:
    (answer,) = ask.application.disclose.disclose_many([(ask.caller, wanted)])
    return _shown(ask, answer)


def _shown(ask: Ask, answer: Answer) -> Response:
    _count(ask, answer)
    if isinstance(answer, Disclosed):
        return json_answer(card_document(answer), headers={"Audit-Receipt": answer.receipt.header})
    response = _problem(answer).response()
    if answer.receipt is not None:
        response.headers["Audit-Receipt"] = answer.receipt.header
    return response


def _disclosure_ask(kernel: Kernel, card: CardAsk, purpose: Purpose, via: str) -> DisclosureAsk:
    tag = None if card.employee_number is None else kernel.number_tag(card.employee_number)
    return DisclosureAsk(card.subject, tag, card.categories, card.records, purpose, via)


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
    _count(ask, answer)
    if isinstance(answer, Disclosed):
        return {"status": 200, **card_document(answer)}
    return _problem(answer).document()


def _count(ask: Ask, answer: Answer) -> None:
    refused = answer.reason if isinstance(answer, Refused) else "failed"
    ask.application.meters.looked_up("shown" if isinstance(answer, Disclosed) else refused)


def _problem(answer: Answer) -> Problem:
    if isinstance(answer, Refused):
        refusal = Problem(403, "access_denied", {"reason": answer.reason})
        problem = Problem(404, "not_found") if answer.reason == NOT_FOUND else refusal
    elif isinstance(answer, Disclosed):
        raise TypeError("a released card is no problem")
    else:
        problem = problem_of(answer.error)
    return problem if answer.receipt is None else problem.saying(receipt=receipt_document(answer.receipt))
