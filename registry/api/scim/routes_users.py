"""Users: people whom an HR system provisions, by the services that /v1/subjects goes through."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api.asking import Ask, json_body, without_body
from registry.api.render import provisioned_texts
from registry.api.scim import reading
from registry.api.scim.answers import SCIM_BODY, Listed, ScimRoute, list_answer, scim_answer
from registry.api.scim.documents import etag_of, location_of, seen_document, written_document
from registry.api.scim.names import BASE, ENTERPRISE
from registry.api.scim.patch import read_patch
from registry.api.scim.users import UserDraft, read_new, read_part, read_whole
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput, NotFound
from registry.domain.ids import ProvisionId
from registry.services.enroll import ENROLLERS
from registry.services.kernel import ReceiptView
from registry.services.provision import BY_ID, Found, Provided, ProvidedNames, ProvisionChange, Wanted

router = APIRouter(route_class=ScimRoute, include_in_schema=False)

_ETAG = re.compile(r'(?:W/)?"(0|[1-9][0-9]{0,9})"|\*')

WriteAsk = Annotated[Ask, Depends(json_body(ENROLLERS, "provision", form=SCIM_BODY))]
ReadAsk = Annotated[Ask, Depends(without_body(ENROLLERS, "read provisioned"))]
SearchAsk = Annotated[Ask, Depends(json_body(ENROLLERS, "read provisioned", form=SCIM_BODY))]
RemoveAsk = Annotated[Ask, Depends(without_body(ENROLLERS, "provision"))]


@router.get(f"{BASE}/Users")
def users(ask: ReadAsk) -> Response:
    return _listed(ask, reading.of_query(ask.request))


@router.post(f"{BASE}/Users/.search")
def search(ask: SearchAsk) -> Response:
    return _listed(ask, reading.of_body(ask.document()))


@router.get(f"{BASE}/Users/{{user}}")
def user(ask: ReadAsk) -> Response:
    selection = reading.selection_of(ask.request)
    found = _found(ask, _named(ask))
    (seen,) = found.seen
    return scim_answer(selection.of(seen_document(seen)), headers=_headers(seen.version, found.receipt))


@router.post(f"{BASE}/Users")
def create(ask: WriteAsk) -> Response:
    draft = read_new(ask.document(), today=ask.today)
    supervisor = _supervisor(ask, draft)
    is_employed = draft.is_employed is not False
    provided = Provided(draft.names(), draft.enrollment(supervisor), is_employed, ask.today)
    written = ask.application.provision.create(ask.caller, provided)
    headers = {"Location": location_of(written.row), **_headers(written.version, written.receipt)}
    return scim_answer(written_document(written, draft), 201, headers)


@router.put(f"{BASE}/Users/{{user}}")
def replace_user(ask: WriteAsk) -> Response:
    draft = read_whole(ask.document(), today=ask.today)
    # A whole document: what it leaves out and may be empty is taken away. Of values that are kept, nothing ever is.
    draft = replace(draft, title=draft.title or "", outside_id=draft.outside_id or "")
    written = ask.application.provision.change(ask.caller, _change(ask, draft, draft.names()))
    return scim_answer(written_document(written, draft), headers=_headers(written.version, written.receipt))


@router.patch(f"{BASE}/Users/{{user}}")
def patch(ask: WriteAsk) -> Response:
    draft = read_part(read_patch(ask.document()), today=ask.today)
    written = ask.application.provision.change(ask.caller, _change(ask, draft, _names(ask, draft)))
    return Response(status_code=204, headers=_headers(written.version, written.receipt))


@router.delete(f"{BASE}/Users/{{user}}")
def remove(ask: RemoveAsk) -> Response:
    receipt = ask.application.provision.remove(ask.caller, _named(ask), _expected(ask), ask.today)
    return Response(status_code=204, headers={"Audit-Receipt": receipt.header})


def listed(ask: Ask, wished: reading.Reading) -> Listed:
    """Return the users of a page, as they are to be shown."""
    found = ask.application.provision.find(ask.caller, wished.wanted)
    shown = [wished.selection.of(seen_document(seen)) for seen in found.seen]
    return Listed(shown, found.total, found.receipt)


def _listed(ask: Ask, wished: reading.Reading) -> Response:
    return list_answer(listed(ask, wished), wished.start)


def _found(ask: Ask, provision: ProvisionId) -> Found:
    return ask.application.provision.find(ask.caller, Wanted(BY_ID, provision))


def _change(ask: Ask, draft: UserDraft, names: ProvidedNames | None) -> ProvisionChange:
    return ProvisionChange(
        provision=_named(ask),
        changes=draft.changes(_supervisor(ask, draft)),
        employee_number=draft.employee_number,
        names=names,
        is_employed=draft.is_employed,
        expected=_expected(ask),
        today=ask.today,
    )


def _names(ask: Ask, draft: UserDraft) -> ProvidedNames | None:
    """Return both names after a part was changed; the other one is read for it."""
    if draft.user_name is None and draft.outside_id is None:
        return None
    if draft.user_name is not None and draft.outside_id is not None:
        return draft.names()
    texts = provisioned_texts(_found(ask, _named(ask)).seen[0])
    user_name = texts["user_name"] if draft.user_name is None else draft.user_name
    return ProvidedNames(user_name, texts["outside_id"] if draft.outside_id is None else draft.outside_id)


def _supervisor(ask: Ask, draft: UserDraft) -> str | None:
    """Return the manager's employee number; reading it is an entry like any other."""
    if not draft.manager:
        return draft.manager
    try:
        (manager,) = _found(ask, ProvisionId(draft.manager)).seen
    except NotFound:
        raise InvalidInput([FieldProblem(f"/{ENTERPRISE}/manager", "unknown_member")]) from None
    return provisioned_texts(manager)["employee_number"]


def _named(ask: Ask) -> ProvisionId:
    return ask.path_id("user", ProvisionId)


def _expected(ask: Ask) -> int | None:
    known = ask.single_header("if-match", _ETAG, "if_match_form")
    return None if known in (None, "*") else int(known.removeprefix("W/").strip('"'))


def _headers(version: int, receipt: ReceiptView) -> dict[str, str]:
    return {"ETag": etag_of(version), "Audit-Receipt": receipt.header}
