"""Filters: ``attribute eq "value"`` for the three names that somebody is found again by, and nothing else.

A filter on a protected attribute would tell by its hits what nobody may read back.
"""

from __future__ import annotations

import json
import re

from registry.api.scim.answers import refuse
from registry.api.scim.names import CORE, ENTERPRISE, attribute_of
from registry.services.provision import OUTSIDE_ID, USER_NAME

MOST_CHARACTERS = 1_000
_EQUAL = re.compile(r'\s*([A-Za-z$][\w$:.-]*)\s+eq\s+("(?:[^"\\]|\\.)*")\s*', re.IGNORECASE | re.DOTALL)
_FOUND_BY = {
    (CORE, "userName"): USER_NAME,
    (CORE, "externalId"): OUTSIDE_ID,
    (ENTERPRISE, "employeeNumber"): "employee_number",
}
# Some systems leave the extension's name out.
_SHORT = {"employeenumber": (ENTERPRISE, "employeeNumber")}
_ONLY = 'only userName, externalId and employeeNumber, each as: attribute eq "value"'


def read_filter(text: object) -> tuple[str, str]:
    """Return by what and which text somebody is looked for.

    Raises:
        HttpRefusal: 400 ``filter``: anything else.
    """
    matched = _EQUAL.fullmatch(text) if isinstance(text, str) and len(text) <= MOST_CHARACTERS else None
    if matched is None:
        refuse("filter", _ONLY)
    name = attribute_of(matched[1]) or _SHORT.get(matched[1].casefold())
    if name not in _FOUND_BY:
        refuse("filter", _ONLY)
    try:
        value = json.loads(matched[2])
        value.encode()
    except ValueError:
        refuse("filter", _ONLY)
    return _FOUND_BY[name], value
