"""Enrolling, changing and finding subjects. Answers carry ids and receipts; a search shows directory data."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_subjects as described
from registry.api.asking import Ask, file_body, json_body
from registry.api.bodies import SearchBody, read_search
from registry.api.describe_erasures import ERASE
from registry.api.disclosing import quota_answer
from registry.api.erase_bodies import erased_document, read_erasure
from registry.api.errors import problem_of
from registry.api.importing import BATCH_LINES, MAX_ERRORS_TOLD, ImportTurns, existing_of, imported_document, rows_of
from registry.api.problems import HttpRefusal, json_answer
from registry.api.render import hits_document, receipt_document, receipted
from registry.domain.errors import AccessDenied, RegistryError, TokenTakenBack
from registry.domain.ids import SubjectId
from registry.services.enroll import ENROLLERS, Enrolled
from registry.services.import_file import ImportRun, Tally
from registry.services.search import ANY_ROLE, Search, SearchAsk
from registry.services.update import UpdateAsk
from registry.text.intake import read_changes, read_enrollment

router = APIRouter()

_ETAG = re.compile(r'"(0|[1-9][0-9]{0,9})"|\*')

EnrollAsk = Annotated[Ask, Depends(json_body(ENROLLERS, "enroll"))]
ChangeAsk = Annotated[Ask, Depends(json_body(ENROLLERS, "update"))]
EraseAsk = Annotated[Ask, Depends(json_body(ENROLLERS, "erase"))]
ImportAsk = Annotated[Ask, Depends(file_body(ENROLLERS, "import"))]
FindAsk = Annotated[Ask, Depends(json_body(ANY_ROLE, "search"))]


@router.post("/v1/subjects", **described.ENROLL.options())
def enroll(ask: EnrollAsk) -> Response:
    key = ask.idempotency_key()
    enrollment = read_enrollment(ask.document(), today=ask.today)
    enrolled = ask.application.enroll.enroll(ask.caller, enrollment, key=key)
    headers = {"Location": f"/v1/subjects/{enrolled.subject}", **_headers(enrolled)}
    if enrolled.is_replay:
        headers["Idempotent-Replayed"] = "true"
    return json_answer(_enrolled(enrolled), 201, headers)


@router.post("/v1/subjects/import", **described.IMPORT.options())
def import_subjects(ask: ImportAsk) -> Response:
    existing = existing_of(ask.request)
    rows = rows_of(ask.request, ask.application.settings.import_max_bytes)
    turns: ImportTurns = ask.request.app.state.import_turns
    tally = Tally(MAX_ERRORS_TOLD)
    with turns.taken():
        try:
            people = ask.application.import_people
            ImportRun(people, ask.caller, existing, ask.today, batch_lines=BATCH_LINES).run(rows, tally)
        except (AccessDenied, TokenTakenBack):
            raise
        except RegistryError as error:
            raise HttpRefusal(problem_of(error).saying(imported=imported_document(tally))) from None
        except HttpRefusal as refusal:
            raise HttpRefusal(refusal.problem.saying(imported=imported_document(tally))) from None
    return json_answer(imported_document(tally))


@router.patch("/v1/subjects/{subject}", **described.UPDATE.options())  # noqa: FAST003 - Ask.path_id reads it
def update(ask: ChangeAsk) -> Response:
    subject = ask.path_id("subject", SubjectId)
    known = ask.single_header("if-match", _ETAG, "if_match_form")
    expected = None if known in (None, "*") else int(known.strip('"'))
    changes = read_changes(ask.document(), today=ask.today)
    enrolled = ask.application.update.update(ask.caller, UpdateAsk(subject, changes, expected, ask.today))
    return json_answer(_enrolled(enrolled), 200, _headers(enrolled))


@router.delete("/v1/subjects/{subject}", **ERASE.options())  # noqa: FAST003 - Ask.path_id reads it
def erase(ask: EraseAsk) -> Response:
    asked = read_erasure(ask.document(), ask.path_id("subject", SubjectId), today=ask.today)
    done = ask.application.erase.erase(ask.caller, asked)
    return receipted(erased_document(done), done.receipt)


@router.post("/v1/subjects/search", **described.SEARCH.options())
def search(ask: FindAsk) -> Response:
    wanted = _search_ask(ask.application.search, read_search(ask.document(), today=ask.today))
    found = ask.application.search.search(ask.caller, wanted)
    if found.is_stopped:
        return quota_answer(ask, found.receipt)
    return json_answer(hits_document(found), headers={"Audit-Receipt": found.receipt.header})


def _search_ask(search: Search, body: SearchBody) -> SearchAsk:
    if body.employee_number:
        return search.by_number(body.employee_number)
    if body.category is not None:
        return search.by_value(body.category, body.value)
    if body.given_name or body.family_name:
        return search.by_name(body.given_name, body.family_name, body.department)
    return search.by_department(body.department)


def _headers(enrolled: Enrolled) -> dict[str, str]:
    return {"ETag": f'"{enrolled.version}"', "Audit-Receipt": enrolled.receipt.header}


def _enrolled(enrolled: Enrolled) -> dict[str, Any]:
    return {
        "subject": enrolled.subject,
        "version": enrolled.version,
        "records": [
            {"record": line.record, "category": line.category.value, "member": line.member, "version": line.version}
            for line in enrolled.records
        ],
        "receipt": receipt_document(enrolled.receipt),
    }
