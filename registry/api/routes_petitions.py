"""Disputes, corrections and the safe contact: what subjects ask for, and the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_petitions as described
from registry.api.asking import Ask, json_body, without_body
from registry.api.petition_bodies import read_answer, read_contact, read_correction, read_dispute, read_note
from registry.api.problems import json_answer
from registry.api.render import receipted
from registry.domain.clock import from_unix_ms, iso
from registry.domain.ids import PetitionId
from registry.services.enroll import ENROLLERS
from registry.services.petition_answers import Reply
from registry.services.petitions import CORRECTION, DISPUTE, REFUSED, Filed, Petition, Sort, Written
from registry.services.read_audit import AUDITORS, SUBJECTS

router = APIRouter()

DisputeBody = Annotated[Ask, Depends(json_body(SUBJECTS, "dispute"))]
CorrectionBody = Annotated[Ask, Depends(json_body(SUBJECTS, "correction"))]
ContactBody = Annotated[Ask, Depends(json_body(SUBJECTS, "contact"))]
OwnAsk = Annotated[Ask, Depends(without_body(SUBJECTS, "own petitions"))]
AuditorAsk = Annotated[Ask, Depends(without_body(AUDITORS, "disputes"))]
AuditorBody = Annotated[Ask, Depends(json_body(AUDITORS, "answer a dispute"))]
EnrollerAsk = Annotated[Ask, Depends(without_body(ENROLLERS, "corrections"))]
EnrollerBody = Annotated[Ask, Depends(json_body(ENROLLERS, "answer a correction"))]


@router.post("/v1/me/disputes", **described.DISPUTE_ENTRY.options())
def dispute(ask: DisputeBody) -> Response:
    entry, text = read_dispute(ask.document(), today=ask.today)
    return _filed(ask.application.petitions.dispute(ask.caller, entry, text, key=ask.idempotency_key()))


@router.get("/v1/me/disputes", **described.OWN_DISPUTES.options())
def own_disputes(ask: OwnAsk) -> Response:
    return _list(DISPUTE, ask.application.petitions.own(ask.caller, DISPUTE))


@router.post("/v1/me/disputes/{dispute}/reveal", **described.OWN_DISPUTE.options())  # noqa: FAST003 - Ask.path_id reads it
def own_dispute(ask: OwnAsk) -> Response:
    return _written(ask.application.petitions.reveal(ask.caller, DISPUTE, ask.path_id("dispute", PetitionId)))


@router.get("/v1/disputes", **described.DISPUTES.options())
def disputes(ask: AuditorAsk) -> Response:
    return _list(DISPUTE, ask.application.petition_answers.listing(ask.caller, DISPUTE))


@router.post("/v1/disputes/{dispute}/reveal", **described.DISPUTE_TEXT.options())  # noqa: FAST003 - Ask.path_id reads it
def dispute_text(ask: AuditorAsk) -> Response:
    return _written(ask.application.petition_answers.reveal(ask.caller, DISPUTE, ask.path_id("dispute", PetitionId)))


@router.post("/v1/disputes/{dispute}/answer", **described.DISPUTE_ANSWER.options())  # noqa: FAST003 - Ask.path_id reads it
def dispute_answer(ask: AuditorBody) -> Response:
    answer = read_answer(ask.document(), today=ask.today)
    petition = ask.path_id("dispute", PetitionId)
    return receipted({}, ask.application.petition_answers.answer(ask.caller, DISPUTE, petition, Reply(*answer)))


@router.post("/v1/me/corrections", **described.CORRECT_RECORD.options())
def correct(ask: CorrectionBody) -> Response:
    wanted = read_correction(ask.document(), today=ask.today)
    return _filed(ask.application.petitions.correct(ask.caller, wanted, key=ask.idempotency_key()))


@router.get("/v1/me/corrections", **described.OWN_CORRECTIONS.options())
def own_corrections(ask: OwnAsk) -> Response:
    return _list(CORRECTION, ask.application.petitions.own(ask.caller, CORRECTION))


@router.post("/v1/me/corrections/{correction}/reveal", **described.OWN_CORRECTION.options())  # noqa: FAST003 - Ask.path_id reads it
def own_correction(ask: OwnAsk) -> Response:
    return _written(ask.application.petitions.reveal(ask.caller, CORRECTION, ask.path_id("correction", PetitionId)))


@router.get("/v1/corrections", **described.CORRECTIONS.options())
def corrections(ask: EnrollerAsk) -> Response:
    return _list(CORRECTION, ask.application.petition_answers.listing(ask.caller, CORRECTION))


@router.post("/v1/corrections/{correction}/reveal", **described.CORRECTION_TEXT.options())  # noqa: FAST003 - Ask.path_id reads it
def correction_text(ask: EnrollerAsk) -> Response:
    return _written(
        ask.application.petition_answers.reveal(ask.caller, CORRECTION, ask.path_id("correction", PetitionId))
    )


@router.post("/v1/corrections/{correction}/accept", **described.ACCEPT.options())  # noqa: FAST003 - Ask.path_id reads it
def accept(ask: EnrollerBody) -> Response:
    note = read_note(ask.document(), today=ask.today)
    petition = ask.path_id("correction", PetitionId)
    return receipted({}, ask.application.petition_answers.accept(ask.caller, petition, note))


@router.post("/v1/corrections/{correction}/refuse", **described.REFUSE.options())  # noqa: FAST003 - Ask.path_id reads it
def refuse(ask: EnrollerBody) -> Response:
    reply = Reply(REFUSED, read_note(ask.document(), today=ask.today))
    petition = ask.path_id("correction", PetitionId)
    return receipted({}, ask.application.petition_answers.answer(ask.caller, CORRECTION, petition, reply))


@router.put("/v1/me/contact", **described.PUT_CONTACT.options())
def put_contact(ask: ContactBody) -> Response:
    return receipted({}, ask.application.contacts.put(ask.caller, read_contact(ask.document(), today=ask.today)))


@router.post("/v1/me/contact/reveal", **described.OWN_CONTACT.options())
def own_contact(ask: OwnAsk) -> Response:
    contact, receipt = ask.application.contacts.reveal(ask.caller)
    return receipted({"kind": contact.kind, "value": contact.value}, receipt)


def _filed(filed: Filed) -> Response:
    response = receipted({"id": filed.petition}, filed.receipt, 201)
    if filed.is_replay:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _written(written: Written) -> Response:
    return receipted({"text": written.text, "note": written.note or None}, written.receipt)


def _list(sort: Sort, found: Sequence[Petition]) -> Response:
    return json_answer({f"{sort.word}s": [_line(sort, one) for one in found]})


def _line(sort: Sort, one: Petition) -> dict[str, Any]:
    line = {"id": one.id, "at": iso(from_unix_ms(one.created_at)), "state": one.state, "subject": one.subject}
    if sort is DISPUTE:
        return {**line, "entry": int(one.what)}
    return {**line, "record": one.what, "has_value": one.has_value}
