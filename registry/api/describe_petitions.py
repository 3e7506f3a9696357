"""OpenAPI descriptions of the routes of routes_petitions."""

from __future__ import annotations

from typing import Any

from registry.api.describe import IDEMPOTENCY_KEY, Answer, Body, Operation, path_id
from registry.api.samples import RECEIPT

_ID, _SUBJECT, _RECORD = f"{11:032x}", f"{1:032x}", f"{3:032x}"
_AT = "2026-03-04T10:00:00.000Z"
_TEXT = "Nobody at this desk had a reason to look me up that day."
_NOTE = "The lookup had no open case; the unit was told."
_RECEIPT_HEADER = ("Audit-Receipt",)
_DISPUTE_ID = (path_id("dispute", "Its id, from the list."),)
_CORRECTION_ID = (path_id("correction", "Its id, from the list."),)
_FILED = Answer(
    "Filed.", "PetitionFiled", (*_RECEIPT_HEADER, "Idempotent-Replayed"), example={"id": _ID, "receipt": RECEIPT}
)
_DONE = Answer("Done.", "PetitionDone", _RECEIPT_HEADER, example={"receipt": RECEIPT})
_WRITTEN = Answer(
    "What was written.", "PetitionText", _RECEIPT_HEADER, example={"text": _TEXT, "note": None, "receipt": RECEIPT}
)
_DISPUTE: dict[str, Any] = {"id": _ID, "at": _AT, "state": "open", "subject": _SUBJECT, "entry": 17}
_DISPUTES = Answer("Open ones first, then newest first.", "DisputeList", example={"disputes": [_DISPUTE]})
_CORRECTION: dict[str, Any] = {
    "id": _ID,
    "at": _AT,
    "state": "open",
    "subject": _SUBJECT,
    "record": _RECORD,
    "has_value": True,
}
_CORRECTIONS = Answer("Open ones first, then newest first.", "CorrectionList", example={"corrections": [_CORRECTION]})
_NOT_OWN = "Never for their own person, under any account, nor for anybody close (`conflict_of_interest`). "
_STRONGLY = "A strong and recent sign-in is needed (`step_up_required`). "
_NOTE_BODY = Body("PetitionNote", {"a note": {"note": "Taken from the new lease."}})


def _operation(operation: str, summary: str, description: str, answer: Answer, **more: Any) -> Operation:
    return Operation(operation, more.pop("tag", "me"), summary, description, answer, **more)


DISPUTE_ENTRY = _operation(
    "disputeEntry",
    "Dispute a lookup",
    "Role `subject`. `entry` is an index of the caller's own accounting; any other is 404. The text is sealed under a "
    "key of its own; auditors read it under an entry. 409 `too_many_open` when twenty wait. An entry, in the "
    "accounting too. With an `Idempotency-Key` it is filed once.",
    _FILED,
    status=201,
    errors=(404, 409),
    parameters=(IDEMPOTENCY_KEY,),
    body=Body("DisputeAsk", {"a lookup": {"entry": 17, "text": _TEXT}}),
)
OWN_DISPUTES = _operation(
    "listOwnDisputes",
    "List the caller's own disputes and what became of them",
    "Role `subject`. Without texts. An entry.",
    _DISPUTES,
)
OWN_DISPUTE = _operation(
    "revealOwnDispute",
    "Read an own dispute and its answer",
    "Role `subject`. An entry.",
    _WRITTEN,
    errors=(404,),
    parameters=_DISPUTE_ID,
)
DISPUTES = _operation(
    "listDisputes",
    "List disputes, without texts",
    "Role `auditor`. An entry.",
    _DISPUTES,
    tag="audit",
)
DISPUTE_TEXT = _operation(
    "revealDispute",
    "Read what a subject wrote",
    f"Role `auditor`. {_NOT_OWN}Nor by whom the disputed entry names, or anybody close to them. An entry.",
    _WRITTEN,
    tag="audit",
    errors=(404,),
    parameters=_DISPUTE_ID,
)
DISPUTE_ANSWER = _operation(
    "answerDispute",
    "Answer a dispute, once",
    f"Role `auditor`. {_NOT_OWN}Nor by whom the disputed entry names, or anybody close to them. 409 `answered` the "
    "second time. An entry.",
    _DONE,
    tag="audit",
    errors=(404, 409),
    parameters=_DISPUTE_ID,
    body=Body("DisputeAnswer", {"upheld": {"finding": "upheld", "note": _NOTE}}),
)
CORRECT_RECORD = _operation(
    "correctRecord",
    "Ask for the correction of an own record",
    "Role `subject`. Any other record is 404. Text and proposed value are sealed under a key of their own; enrollers "
    "read the text under an entry, and nobody the value: accepting writes it unseen. 409 `too_many_open` when twenty "
    "wait. An entry, in the accounting too. With an `Idempotency-Key` it is filed once.",
    _FILED,
    status=201,
    errors=(404, 409),
    parameters=(IDEMPOTENCY_KEY,),
    body=Body(
        "CorrectionAsk",
        {
            "a text": {"record": _RECORD, "text": "I moved in May."},
            "a value": {
                "record": _RECORD,
                "text": "New number since May.",
                "value": {"kind": "mobile", "number": "816-555-0124"},
            },
        },
    ),
)
OWN_CORRECTIONS = _operation(
    "listOwnCorrections",
    "List the caller's own requests for correction and what became of them",
    "Role `subject`. Without texts. An entry.",
    _CORRECTIONS,
)
OWN_CORRECTION = _operation(
    "revealOwnCorrection",
    "Read an own request for correction and its answer",
    "Role `subject`. An entry. A proposed value is not in it: `POST /v1/me/disclosures` shows it once accepted.",
    _WRITTEN,
    errors=(404,),
    parameters=_CORRECTION_ID,
)
CORRECTIONS = _operation(
    "listCorrections",
    "List requests for correction, without texts",
    "Role `enroller`. An entry.",
    _CORRECTIONS,
    tag="subjects",
)
CORRECTION_TEXT = _operation(
    "revealCorrection",
    "Read what a subject wrote about a record",
    f"Role `enroller`. {_NOT_OWN}The proposed value is not in it. An entry.",
    _WRITTEN,
    tag="subjects",
    errors=(404,),
    parameters=_CORRECTION_ID,
)
ACCEPT = _operation(
    "acceptCorrection",
    "Accept a correction",
    f"Role `enroller`. {_NOT_OWN}A proposed value becomes the record's next version and is shown to nobody. 409 "
    "`answered`, or `changed` when the record is not what it was when this was asked for: refuse it then. An entry.",
    _DONE,
    tag="subjects",
    errors=(404, 409),
    parameters=_CORRECTION_ID,
    body=_NOTE_BODY,
)
REFUSE = _operation(
    "refuseCorrection",
    "Refuse a correction",
    f"Role `enroller`. {_NOT_OWN}409 `answered` the second time. An entry.",
    _DONE,
    tag="subjects",
    errors=(404, 409),
    parameters=_CORRECTION_ID,
    body=_NOTE_BODY,
)
PUT_CONTACT = _operation(
    "putContact",
    "Set where the caller wants to be told",
    f"Role `subject`. {_STRONGLY}Out of reach of whoever reads the post at home. Sealed; never part of a card, a "
    "search or the index. Replaces an earlier one. An entry, in the accounting too.",
    _DONE,
    errors=(404,),
    body=Body("Contact", {"mail": {"kind": "email", "value": "dana.safe@mail.example"}}),
)
OWN_CONTACT = _operation(
    "revealOwnContact",
    "Read back where the caller wants to be told",
    f"Role `subject`. {_STRONGLY}Only for the account that set it. An entry.",
    Answer(
        "The contact.",
        "OwnContact",
        _RECEIPT_HEADER,
        example={"kind": "email", "value": "dana.safe@mail.example", "receipt": RECEIPT},
    ),
    errors=(404,),
)
