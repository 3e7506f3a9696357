"""The purposes that a lookup may state, and a second person's word on policies that are to come into force."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_policies as described
from registry.api.asking import Ask, json_body, without_body
from registry.api.bodies import open_body
from registry.api.problems import json_answer
from registry.api.render import receipted
from registry.domain.principals import Role
from registry.services.policy_changes import VERSION_FORM
from registry.services.principals import ADMINS
from registry.text.rules.texts import reason_problem

router = APIRouter()

# Who states a purpose, decides on one, or watches over them.
PURPOSE_READERS = frozenset({Role.READER, Role.APPROVER, Role.AUDITOR, Role.SECURITY_ADMIN})

PurposesAsk = Annotated[Ask, Depends(without_body(PURPOSE_READERS, "purposes"))]
AgreeAsk = Annotated[Ask, Depends(json_body(ADMINS, "agreed"))]
_KEYS = frozenset({"version", "reason"})
_VERSION = re.compile(VERSION_FORM)


@router.get("/v1/purposes", **described.PURPOSES.options())
def purposes(ask: PurposesAsk) -> Response:
    policy = ask.application.kernel.policy
    listed = [
        {
            "code": one.code,
            "hl7": one.hl7 or None,
            "opens": sorted(one.opens),
            "needs_case": one.needs_case,
            "needs_step_up": one.needs_step_up,
        }
        for one in policy.purposes
    ]
    return json_answer({"purposes": listed, "policy": policy.version})


@router.post("/v1/policies", **described.AGREE.options())
def agree(ask: AgreeAsk) -> Response:
    body = open_body(ask.document(), _KEYS, ask.today)
    version, reason = body.required("version", _version_problem), body.required("reason", reason_problem)
    body.reading.finish()
    return receipted({}, ask.application.policy_changes.agree(ask.caller, version, reason))


def _version_problem(text: str) -> str | None:
    return None if _VERSION.fullmatch(text) else "not_a_version"
