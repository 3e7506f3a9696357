"""Groups: units that an HR system keeps. Whoever joins one is moved by the service that changes people."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api.asking import Ask, json_body, without_body
from registry.api.scim import reading
from registry.api.scim.answers import SCIM_BODY, Listed, ScimRoute, list_answer, scim_answer
from registry.api.scim.filters import read_group_filter
from registry.api.scim.groups import (
    GroupDraft,
    etag_of_group,
    group_document,
    group_place,
    location_of_group,
    read_group,
    read_group_patch,
)
from registry.api.scim.names import BASE
from registry.domain.ids import UnitId
from registry.services.enroll import ENROLLERS
from registry.services.kernel import ReceiptView
from registry.services.provision import Wanted
from registry.services.units import BY_UNIT, NAME, UnitChange, UnitName, UnitSeen, UnitsFound

router = APIRouter(route_class=ScimRoute, include_in_schema=False)

_ETAG = re.compile(r'(?:W/)?"([0-9a-f]{1,64})"|\*')
GROUPS = reading.Way(read_group_filter, group_place)
_MEMBERS = ("members", "")

WriteAsk = Annotated[Ask, Depends(json_body(ENROLLERS, "provision", form=SCIM_BODY))]
ReadAsk = Annotated[Ask, Depends(without_body(ENROLLERS, "read units"))]
SearchAsk = Annotated[Ask, Depends(json_body(ENROLLERS, "read units", form=SCIM_BODY))]
RemoveAsk = Annotated[Ask, Depends(without_body(ENROLLERS, "provision"))]


@router.get(f"{BASE}/Groups")
def groups(ask: ReadAsk) -> Response:
    return _listed(ask, reading.of_query(ask.request, GROUPS))


@router.post(f"{BASE}/Groups/.search")
def search_groups(ask: SearchAsk) -> Response:
    return _listed(ask, reading.of_body(ask.document(), GROUPS))


@router.get(f"{BASE}/Groups/{{group}}")
def group(ask: ReadAsk) -> Response:
    selection = reading.of_query(ask.request, GROUPS).selection
    found = _found(ask, _named(ask), shows_members=selection.shows(_MEMBERS))
    (seen,) = found.seen
    return scim_answer(selection.of(group_document(seen)), headers=_headers(seen, found.receipt))


@router.post(f"{BASE}/Groups")
def create(ask: WriteAsk) -> Response:
    draft = read_group(ask.document())
    name = UnitName(draft.name or "", draft.outside_id or "")
    receipt = ask.application.units.create(ask.caller, name, draft.members.only or frozenset(), ask.today)
    (seen,) = ask.application.units.find(ask.caller, Wanted(NAME, name.name), shows_members=True).seen
    headers = {"Location": location_of_group(seen), **_headers(seen, receipt)}
    return scim_answer(group_document(seen), 201, headers)


@router.put(f"{BASE}/Groups/{{group}}")
def replace_group(ask: WriteAsk) -> Response:
    receipt = _changed(ask, read_group(ask.document()))
    (seen,) = _found(ask, _named(ask)).seen
    return scim_answer(group_document(seen), headers=_headers(seen, receipt))


@router.patch(f"{BASE}/Groups/{{group}}")
def patch(ask: WriteAsk) -> Response:
    receipt = _changed(ask, read_group_patch(ask.document()))
    return Response(status_code=204, headers={"Audit-Receipt": receipt.header})


@router.delete(f"{BASE}/Groups/{{group}}")
def remove(ask: RemoveAsk) -> Response:
    receipt = ask.application.units.remove(ask.caller, _named(ask), _expected(ask))
    return Response(status_code=204, headers={"Audit-Receipt": receipt.header})


def listed(ask: Ask, wished: reading.Reading) -> Listed:
    """Return the groups of a page, as they are to be shown."""
    shows_members = wished.selection.shows(_MEMBERS)
    found = ask.application.units.find(ask.caller, wished.wanted, shows_members=shows_members)
    shown = [wished.selection.of(group_document(seen)) for seen in found.seen]
    return Listed(shown, found.total, found.receipt)


def _listed(ask: Ask, wished: reading.Reading) -> Response:
    return list_answer(listed(ask, wished), wished.start)


def _found(ask: Ask, unit: UnitId, *, shows_members: bool = True) -> UnitsFound:
    return ask.application.units.find(ask.caller, Wanted(BY_UNIT, unit), shows_members=shows_members)


def _changed(ask: Ask, draft: GroupDraft) -> ReceiptView:
    change = UnitChange(_named(ask), draft.name, draft.outside_id, draft.members, _expected(ask), ask.today)
    return ask.application.units.change(ask.caller, change)


def _named(ask: Ask) -> UnitId:
    return ask.path_id("group", UnitId)


def _expected(ask: Ask) -> str | None:
    known = ask.single_header("if-match", _ETAG, "if_match_form")
    return None if known in (None, "*") else known.removeprefix("W/").strip('"')


def _headers(seen: UnitSeen, receipt: ReceiptView) -> dict[str, str]:
    tag = {"ETag": etag_of_group(seen.version)} if seen.version else {}
    return {**tag, "Audit-Receipt": receipt.header}
