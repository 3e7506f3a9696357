"""A search over all kinds of resources: users, and behind them groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from registry.api.asking import Ask, json_body
from registry.api.problems import HttpRefusal
from registry.api.scim import reading, routes_groups, routes_users
from registry.api.scim.answers import SCIM_BODY, Listed, ScimRoute, list_answer
from registry.api.scim.names import BASE
from registry.services.enroll import ENROLLERS

router = APIRouter(route_class=ScimRoute, include_in_schema=False)

SearchAsk = Annotated[Ask, Depends(json_body(ENROLLERS, "read provisioned", form=SCIM_BODY))]


@router.post(f"{BASE}/.search")
def search_all(ask: SearchAsk) -> Response:
    groups = _of_groups(ask)
    try:
        users = reading.of_body(ask.document())
    except HttpRefusal:
        if groups is None:
            raise
        return list_answer(routes_groups.listed(ask, groups), groups.start)
    found = routes_users.listed(ask, users)
    if groups is not None:
        found = _joined(found, routes_groups.listed(ask, _after(groups, found)))
    return list_answer(found, users.start)


def _of_groups(ask: Ask) -> reading.Reading | None:
    """Read the search as one for groups; None: it is none, by its filter or altogether."""
    try:
        return reading.of_body(ask.document(), routes_groups.GROUPS)
    except HttpRefusal:
        return None


def _after(wished: reading.Reading, found: Listed) -> reading.Reading:
    """Return which page of groups follows on what was found of users."""
    wanted = wished.wanted
    first, most = max(0, wanted.start - found.total), wanted.limit - len(found.resources)
    return wished._replace(wanted=replace(wanted, start=first, limit=most))


def _joined(first: Listed, second: Listed) -> Listed:
    return Listed([*first.resources, *second.resources], first.total + second.total, second.receipt)
