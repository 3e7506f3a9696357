"""``ssn``: ``{"number"}``, a social security number or an individual taxpayer number (ITIN)."""

from __future__ import annotations

import re

from stdnum.us import itin
from stdnum.us import ssn as social_security

from registry.text.rules.reading import ObjectReader

KEYS = frozenset({"number"})

# 123-45-6789, 123 45 6789 or 123456789; ASCII digits only, one kind of separator.
_FORM = re.compile(r"([0-9]{3})([- ]?)([0-9]{2})\2([0-9]{4})")


def check_ssn(value: ObjectReader) -> None:
    value.required("number", ssn_problem)


def ssn_problem(text: str) -> str | None:
    """Check form and the parts that were never given out.

    Returns:
        ``ssn_form``, ``ssn_area`` (000, 666, or 9xx that is no ITIN), ``ssn_group`` (00), ``ssn_serial`` (0000),
        ``ssn_never_valid`` (published specimens such as the one printed on wallet inserts), or None.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        return "ssn_form"
    area, _separator, group, serial = form.groups()
    compact = area + group + serial
    if area in {"000", "666"} or (area[0] == "9" and not itin.is_valid(compact)):
        return "ssn_area"
    if group == "00":
        return "ssn_group"
    if serial == "0000":
        return "ssn_serial"
    if area[0] != "9" and not social_security.is_valid(compact):
        return "ssn_never_valid"
    return None
