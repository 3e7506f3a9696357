"""The week's sample of lookups, and what a reviewer finds of one."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_sample as described
from registry.api.asking import Ask, json_body, without_body
from registry.api.bodies import open_body
from registry.api.problems import json_answer
from registry.api.queries import query_of
from registry.api.render import receipted
from registry.api.sample_documents import sample_document
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput
from registry.domain.weeks import Week, week_named
from registry.services.read_audit import AUDITORS
from registry.services.review_sample import Finding, Judgement
from registry.text.rules.texts import one_of, reason_problem

router = APIRouter()

SampleAsk = Annotated[Ask, Depends(without_body(AUDITORS, "sample"))]
ReviewAsk = Annotated[Ask, Depends(json_body(AUDITORS, "review of the sample"))]
_KEYS = frozenset({"finding", "note"})
_FINDING = one_of(frozenset(Finding))
_INDEX = re.compile(r"0|[1-9][0-9]{0,14}")
_NO_ENTRY = 10**15


@router.get("/v1/audit/sample", **described.SAMPLE.options())
def sample(ask: SampleAsk) -> Response:
    found = ask.application.review_sample.sample(ask.caller, _week(ask))
    return json_answer(sample_document(found), headers={"Audit-Receipt": found.receipt.header})


@router.post("/v1/audit/sample/{entry}", **described.REVIEW.options())  # noqa: FAST003 - read off the request
def review(ask: ReviewAsk) -> Response:
    body = open_body(ask.document(), _KEYS, ask.today)
    finding = body.required("finding", _FINDING)
    note = body.optional("note", reason_problem)
    if finding and finding != Finding.FITS and not body.has("note"):
        body.refuse("missing", "note")
    body.reading.finish()
    text = str(ask.request.path_params["entry"])
    index = int(text) if _INDEX.fullmatch(text) else _NO_ENTRY
    row, receipt = ask.application.review_sample.review(ask.caller, Judgement(index, Finding(finding), note))
    return receipted({"entry": row.entry, "finding": row.finding}, receipt)


def _week(ask: Ask) -> Week:
    problems: list[FieldProblem] = []
    named = query_of(ask.request, frozenset({"week"}), problems).get("week")
    last = ask.application.review_sample.last_week()
    week = last if named is None else week_named(named)
    if week is None:
        problems.append(FieldProblem("/query/week", "not_a_week"))
    elif week.start_ms > last.start_ms:
        problems.append(FieldProblem("/query/week", "not_over"))
    if problems:
        raise InvalidInput(problems[:50])
    return week or last
