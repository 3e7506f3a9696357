"""What the service can do. Of nobody, and so open to whoever has the role, without an entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api.asking import Ask, without_body
from registry.api.problems import HttpRefusal, Problem
from registry.api.scim.answers import ScimRoute, scim_answer
from registry.api.scim.discovery import RESOURCE_TYPES, SCHEMAS, SERVICE_PROVIDER_CONFIG, listed
from registry.api.scim.names import BASE
from registry.services.enroll import ENROLLERS

router = APIRouter(route_class=ScimRoute, include_in_schema=False)

ReadAsk = Annotated[Ask, Depends(without_body(ENROLLERS, "read provisioning"))]


@router.get(f"{BASE}/ServiceProviderConfig")
def configuration(_ask: ReadAsk) -> Response:
    return scim_answer(SERVICE_PROVIDER_CONFIG)


@router.get(f"{BASE}/ResourceTypes")
def resource_types(_ask: ReadAsk) -> Response:
    return scim_answer(listed(RESOURCE_TYPES))


@router.get(f"{BASE}/ResourceTypes/{{name}}")
def resource_type(ask: ReadAsk) -> Response:
    return _one(ask, RESOURCE_TYPES)


@router.get(f"{BASE}/Schemas")
def schemas(_ask: ReadAsk) -> Response:
    return scim_answer(listed(SCHEMAS))


@router.get(f"{BASE}/Schemas/{{name}}")
def schema(ask: ReadAsk) -> Response:
    return _one(ask, SCHEMAS)


def _one(ask: Ask, documents: Mapping[str, dict[str, Any]]) -> Response:
    document = documents.get(str(ask.request.path_params["name"]))
    if document is None:
        raise HttpRefusal(Problem(404, "not_found"))
    return scim_answer(document)
