"""From a card's ask to its answer, for the single lookup, the batch and the subject's own card."""

from __future__ import annotations

from starlette.responses import Response

from registry.api.asking import Ask
from registry.api.bodies import CardAsk
from registry.api.errors import problem_of
from registry.api.problems import Problem, json_answer
from registry.api.render import card_document, receipt_document, waiting_document
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput, TokenRefused
from registry.domain.principals import Role
from registry.domain.purposes import Purpose
from registry.policy.decide import APPROVAL_REQUIRED, QUOTA_EXCEEDED
from registry.services.brakes import seconds_to_next_day
from registry.services.disclose import NOT_FOUND, Answer, Disclosed, DisclosureAsk, Refused, Waiting
from registry.services.kernel import Kernel, ReceiptView
from registry.services.outcomes import releases

READERS = frozenset({Role.READER})


def disclosure_ask(kernel: Kernel, card: CardAsk, purpose: Purpose, via: str) -> DisclosureAsk:
    """Return what the service is asked.

    Raises:
        InvalidInput: there is no such purpose, or the case or the note is not in the form that the agency asks for.
    """
    purpose = kernel.policy.stated(purpose)
    if problems := kernel.policy.problems(purpose):
        raise InvalidInput([FieldProblem(f"/purpose{one.pointer}", one.code) for one in problems])
    tag = None if card.employee_number is None else kernel.number_tag(card.employee_number)
    return DisclosureAsk(card.subject, tag, card.categories, card.records, purpose, via, card.form)


def shown(ask: Ask, answer: Answer) -> Response:
    """Return the HTTP answer to one ask, and count it."""
    count(ask, answer)
    if isinstance(answer, Disclosed):
        response = json_answer(card_document(answer), headers={"Audit-Receipt": answer.receipt.header})
        releases(ask.request.scope, answer, bytes(response.body))
        return response
    if isinstance(answer, Waiting):
        headers = {"Location": f"/v1/requests/{answer.request.id}", "Audit-Receipt": answer.receipt.header}
        return json_answer(waiting_document(answer), 202, headers)
    response = problem_for(ask, answer).response()
    if answer.receipt is not None:
        response.headers["Audit-Receipt"] = answer.receipt.header
    return response


def count(ask: Ask, answer: Answer) -> None:
    """Count one answer under its outcome."""
    ask.application.meters.looked_up(_outcome(answer))


def _outcome(answer: Answer) -> str:
    if isinstance(answer, Refused):
        return answer.reason
    if isinstance(answer, Waiting):
        return APPROVAL_REQUIRED
    if isinstance(answer, Disclosed):
        return "shown"
    return "token_refused" if isinstance(answer.error, TokenRefused) else "failed"


def problem_for(ask: Ask, answer: Answer) -> Problem:
    """Return the problem document of an ask that released nothing."""
    if isinstance(answer, Refused):
        problem = _refusal(ask, answer.reason)
    elif isinstance(answer, Disclosed | Waiting):
        raise TypeError("a released card is no problem, nor is one that waits")
    else:
        problem = problem_of(answer.error)
    return problem if answer.receipt is None else problem.saying(receipt=receipt_document(answer.receipt))


def quota_exceeded(ask: Ask) -> Problem:
    """Return the answer to who has used up a day's limit."""
    seconds = seconds_to_next_day(ask.application.kernel.now_ms())
    return Problem(429, QUOTA_EXCEEDED, {"retry_after": seconds}, {"Retry-After": str(seconds)})


def quota_answer(ask: Ask, receipt: ReceiptView) -> Response:
    """Return the answer of a route to who has used up a day's limit, with the receipt of the refusal."""
    response = quota_exceeded(ask).saying(receipt=receipt_document(receipt)).response()
    response.headers["Audit-Receipt"] = receipt.header
    return response


def _refusal(ask: Ask, reason: str) -> Problem:
    if reason == NOT_FOUND:
        return Problem(404, "not_found")
    if reason == QUOTA_EXCEEDED:
        return quota_exceeded(ask)
    return Problem(403, "access_denied", {"reason": reason})
