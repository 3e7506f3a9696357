"""Which users somebody wants to see, from a query or from the body of a search."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from starlette.requests import Request

from registry.api.scim.answers import refuse
from registry.api.scim.documents import Place, Selection, user_place
from registry.api.scim.filters import read_filter
from registry.api.scim.names import SEARCH
from registry.services.provision import MAX_PAGE, Wanted

_NUMBER = re.compile(r"-?[0-9]{1,9}")
_KEYS = {
    key.casefold(): key
    for key in ("schemas", "filter", "startIndex", "count", "attributes", "excludedAttributes", "sortBy", "sortOrder")
}


class Way(NamedTuple):
    """How one kind of resource is asked for: its filters, and where its documents have what."""

    read_filter: Callable[[object], tuple[str, str]]
    place_of: Callable[[str], Place | None]


USERS = Way(read_filter, user_place)


class Reading(NamedTuple):
    """Whom somebody wants to see, what of them, and from which place (from 1)."""

    wanted: Wanted
    selection: Selection
    start: int


def of_query(request: Request, way: Way = USERS) -> Reading:
    """Read a query. Members that nobody knows are left alone, as clients add some of their own.

    Raises:
        HttpRefusal: 400.
    """
    given = {_KEYS[name.casefold()]: text for name, text in request.query_params.items() if name.casefold() in _KEYS}
    return _reading({name: _split(text) if name.endswith("ttributes") else text for name, text in given.items()}, way)


def of_body(document: object, way: Way = USERS) -> Reading:
    """Read the body of a search, which keeps names out of addresses.

    Raises:
        HttpRefusal: 400.
    """
    given = document if isinstance(document, dict) else {}
    named = {_KEYS[name.casefold()]: value for name, value in given.items() if name.casefold() in _KEYS}
    if named.get("schemas") != [SEARCH] or len(named) < len(given):
        refuse("body", "a SearchRequest, with schemas")
    return _reading(named, way)


def selection_of(request: Request) -> Selection:
    """Return what of one user somebody wants to see.

    Raises:
        HttpRefusal: 400.
    """
    return of_query(request).selection


def _reading(given: Mapping[str, Any], way: Way) -> Reading:
    if "sortBy" in given:
        # An order by a protected attribute would tell what nobody may read back; there is no other order either.
        refuse("filter", "sorting is not supported")
    start, count = _whole(given, "startIndex", 1), _whole(given, "count", MAX_PAGE)
    start, count = max(start, 1), min(max(count, 0), MAX_PAGE)
    selection = Selection(_names(given, "attributes"), _names(given, "excludedAttributes"), way.place_of)
    if "filter" not in given:
        return Reading(Wanted("page", "", start - 1, count), selection, start)
    by, term = way.read_filter(given["filter"])
    return Reading(Wanted(by, term, start - 1, count), selection, start)


def _whole(given: Mapping[str, Any], key: str, default: int) -> int:
    value = given.get(key, default)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**9:
        refuse("invalid", f"{key} is no number")
    return value


def _names(given: Mapping[str, Any], key: str) -> list[str]:
    value = given.get(key, [])
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        refuse("body", f"{key} is a list of names")
    return value


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
