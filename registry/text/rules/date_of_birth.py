"""``date_of_birth``: ``{"date"}``."""

from __future__ import annotations

from registry.text.rules.dates import born_by
from registry.text.rules.reading import ObjectReader

KEYS = frozenset({"date"})


def check_date_of_birth(value: ObjectReader) -> None:
    value.required("date", born_by(value.reading.today))
