"""``health``: ``{"statement"}``, words of the person who wrote it; may run over lines."""

from __future__ import annotations

from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import paragraphs

KEYS = frozenset({"statement"})

MAX_STATEMENT = 4000
_STATEMENT = paragraphs(MAX_STATEMENT)


def check_health(value: ObjectReader) -> None:
    value.required("statement", _STATEMENT)
