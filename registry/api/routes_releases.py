"""Checking a document before it is published."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_releases as described
from registry.api.asking import Ask, json_body
from registry.api.disclosing import quota_exceeded
from registry.api.file_bodies import MAX_FILE_BODY
from registry.api.problems import json_answer
from registry.api.release_bodies import read_release_check
from registry.api.render import receipt_document
from registry.reports.release_json import release_document
from registry.services.check_value import CHECKERS

router = APIRouter()

ReleaseBody = Annotated[Ask, Depends(json_body(CHECKERS, "release-check", MAX_FILE_BODY))]


@router.post("/v1/release-checks", **described.RELEASE_CHECK.options())
def release_check(ask: ReleaseBody) -> Response:
    checked = ask.application.release_check.check(ask.caller, read_release_check(ask.document(), today=ask.today))
    receipt, headers = receipt_document(checked.receipt), {"Audit-Receipt": checked.receipt.header}
    if checked.is_refused:
        response = quota_exceeded(ask).saying(receipt=receipt).response()
        response.headers.update(headers)
        return response
    return json_answer({**release_document(checked), "receipt": receipt}, headers=headers)
