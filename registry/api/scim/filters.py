"""Filters: ``attribute eq "value"`` for the three names that somebody is found again by, and nothing else.

A filter on a protected attribute would tell by its hits what nobody may read back.
"""

from __future__ import annotations

import json
import re

from registry.api.scim.answers import refuse
from registry.api.scim.names import CORE, ENTERPRISE, attribute_of, group_attribute_of
from registry.services.provision import OUTSIDE_ID, USER_NAME
from registry.services.units import NAME as UNIT_NAME

MOST_CHARACTERS = 1_000
_EQUAL = re.compile(r'\s*([A-Za-z$][\w$:.-]*)\s+eq\s+("(?:[^"\\]|\\.)*")\s*', re.IGNORECASE | re.DOTALL)
_FOUND_BY = {
    (CORE, "userName"): USER_NAME,
    (CORE, "externalId"): OUTSIDE_ID,
    (ENTERPRISE, "employeeNumber"): "employee_number",
}
# Some systems leave the extension's name out.
_SHORT = {"employeenumber": (ENTERPRISE, "employeeNumber")}
_GROUPS_FOUND_BY = {"displayName": UNIT_NAME, "externalId": OUTSIDE_ID}
_ONLY_OF_GROUPS = 'only displayName and externalId, each as: attribute eq "value"'
_ONLY = 'only userName, externalId and employeeNumber, each as: attribute eq "value"'


def read_filter(text: object) -> tuple[str, str]:
    """Return by what and which text somebody is looked for.

    Raises:
        HttpRefusal: 400 ``filter``: anything else.
    """
    name, value = _read(text, _ONLY)
    known = attribute_of(name) or _SHORT.get(name.casefold())
    if known not in _FOUND_BY:
        refuse("filter", _ONLY)
    return _FOUND_BY[known], value


def read_group_filter(text: object) -> tuple[str, str]:
    """Return by what and which text a group is looked for; see ``read_filter``."""
    name, value = _read(text, _ONLY_OF_GROUPS)
    found_by = _GROUPS_FOUND_BY.get(group_attribute_of(name) or "")
    if found_by is None:
        refuse("filter", _ONLY_OF_GROUPS)
    return found_by, value


def _read(text: object, only: str) -> tuple[str, str]:
    matched = _EQUAL.fullmatch(text) if isinstance(text, str) and len(text) <= MOST_CHARACTERS else None
    if matched is None:
        refuse("filter", only)
    try:
        value: str = json.loads(matched[2])
        value.encode()
    except ValueError:
        refuse("filter", only)
    return matched[1], value
