"""``school``: ``{"name", "city"}``; belongs to a household member."""

from __future__ import annotations

from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import one_line

KEYS = frozenset({"name", "city"})

_NAME = one_line(150)
_CITY = one_line(100)


def check_school(value: ObjectReader) -> None:
    value.required("name", _NAME)
    value.optional("city", _CITY)
