"""A second person's word on changes of keys, which are then made at the machine."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_keys as described
from registry.api.asking import Ask, json_body
from registry.api.bodies import open_body
from registry.api.render import receipted
from registry.services.key_changes import is_change
from registry.services.principals import ADMINS
from registry.text.rules.texts import reason_problem

router = APIRouter()

ChangeAsk = Annotated[Ask, Depends(json_body(ADMINS, "keys"))]
_KEYS = frozenset({"change", "reason"})


@router.post("/v1/keys", **described.ASK.options())
def ask_for_change(ask: ChangeAsk) -> Response:
    body = open_body(ask.document(), _KEYS, ask.today)
    change, reason = body.required("change", _change_problem), body.required("reason", reason_problem)
    body.reading.finish()
    return receipted({}, ask.application.key_changes.ask(ask.caller, change, reason))


def _change_problem(text: str) -> str | None:
    return None if is_change(text) else "not_a_change"
