"""Raised limits, lifted locks, decoys; whether a value is protected; what is unusual about look-ups."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api import describe_brakes as described
from registry.api.asking import Ask, json_body, without_body
from registry.api.brake_bodies import read_check, read_decoys, read_unlock, read_value_ask
from registry.api.disclosing import quota_answer
from registry.api.queries import page_answer
from registry.api.render import receipted
from registry.api.routes_audit import read_before
from registry.domain.clock import from_unix_ms, iso
from registry.domain.ids import PrincipalId
from registry.services.check_value import CHECKERS
from registry.services.copies import account_of
from registry.services.entry_reading import ReadEntry
from registry.services.principals import ADMINS
from registry.services.read_audit import AUDITORS
from registry.services.unlock import UNLOCKERS, RaisedLimit
from registry.services.unusual import UnusualEntry
from registry.services.value_searches import ASKERS

router = APIRouter()

ValueSearchesAsk = Annotated[Ask, Depends(json_body(ASKERS, "audit by value"))]
CheckAsk = Annotated[Ask, Depends(json_body(CHECKERS, "check"))]
UnusualAsk = Annotated[Ask, Depends(without_body(AUDITORS, "unusual"))]
UnlockAsk = Annotated[Ask, Depends(json_body(UNLOCKERS, "unlock"))]
DecoysAsk = Annotated[Ask, Depends(json_body(ADMINS, "decoys"))]


@router.post("/v1/principals/{principal}/unlock", **described.UNLOCK.options())  # noqa: FAST003 - Ask.path_id reads it
def unlock(ask: UnlockAsk) -> Response:
    kernel = ask.application.kernel
    raised, reason = read_unlock(ask.document(), known=kernel.policy.codes, now=kernel.clock.now())
    target = ask.path_id("principal", PrincipalId)
    service = ask.application.unlock
    if isinstance(raised, RaisedLimit):
        return receipted({}, service.raise_limit(ask.caller, target, raised))
    lift = service.lift_lock if raised == "lock" else service.lift_brake
    return receipted({}, lift(ask.caller, target, reason))


@router.post("/v1/decoys", **described.DECOYS.options())
def decoys(ask: DecoysAsk) -> Response:
    numbers, is_end = read_decoys(ask.document(), now=ask.application.kernel.clock.now())
    service = ask.application.decoys
    return receipted({}, service.remove(ask.caller, numbers) if is_end else service.add(ask.caller, numbers))


@router.post("/v1/confidentiality/check", **described.CHECK.options())
def check(ask: CheckAsk) -> Response:
    category, value = read_check(ask.document(), now=ask.application.kernel.clock.now())
    checked = ask.application.check_value.check(ask.caller, category, value)
    if checked.is_protected is None:
        return quota_answer(ask, checked.receipt)
    return receipted({"protected": checked.is_protected}, checked.receipt)


@router.post("/v1/audit/value-searches", **described.VALUE_SEARCHES.options())
def value_searches(ask: ValueSearchesAsk) -> Response:
    found = ask.application.value_searches.find(
        ask.caller, read_value_ask(ask.document(), now=ask.application.kernel.clock.now())
    )
    if found.entries is None:
        return quota_answer(ask, found.receipt)
    return receipted({"entries": [_asking(one) for one in found.entries], "before": found.before}, found.receipt)


@router.get("/v1/audit/unusual", **described.UNUSUAL.options())
def unusual(ask: UnusualAsk) -> Response:
    page = ask.application.unusual.page(ask.caller, before=read_before(ask))
    following = None if page.before is None else f"/v1/audit/unusual?before={page.before}"
    return page_answer({"entries": [_unusual(one) for one in page.entries]}, following, page.receipt)


def _asking(one: ReadEntry) -> dict[str, Any]:
    said = one.values or {}
    return {
        "index": one.index,
        "at": iso(from_unix_ms(one.unix_ms)),
        "kind": one.kind,
        "principal": account_of(one),
        "result": said.get("result", ""),
    }


def _unusual(one: UnusualEntry) -> dict[str, Any]:
    said = one.entry.values or {}
    return {
        "index": one.entry.index,
        "at": iso(from_unix_ms(one.entry.unix_ms)),
        "principal": account_of(one.entry),
        "subject": said["subject"],
        "purpose": said["purpose"],
        "reasons": [reason.value for reason in one.reasons],
    }
