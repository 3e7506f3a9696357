"""``home_address``: ``{"line"}`` or ``{"street", "unit", "city", "state", "postal_code"}``."""

from __future__ import annotations

import re

from registry.text.rules.reading import ObjectReader, TextRule
from registry.text.rules.texts import one_line

_PARTS = frozenset({"street", "unit", "city", "state", "postal_code"})
KEYS = _PARTS | {"line"}

MAX_LINE = 300
MAX_STREET = 200
MAX_UNIT = 60
MAX_CITY = 100
MAX_STATE = 60
MAX_POSTAL_CODE = 12

# Signs of programs and markup. Everything else that people write (#5, 1/2, c/o, &, @) may stand.
_PROGRAM_SIGN = re.compile(r"[<>{}]")
_POSTAL_CODE = re.compile(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)?")  # ZIP, ZIP+4 and foreign codes


def _address_text(max_length: int) -> TextRule:
    text_rule = one_line(max_length)

    def rule(text: str) -> str | None:
        return text_rule(text) or ("address_character" if _PROGRAM_SIGN.search(text) else None)

    return rule


def _postal_code_problem(text: str) -> str | None:
    if len(text) > MAX_POSTAL_CODE:
        return "too_long"
    return None if _POSTAL_CODE.fullmatch(text) else "postal_code_form"


_LINE = _address_text(MAX_LINE)
_STREET = _address_text(MAX_STREET)
_UNIT = _address_text(MAX_UNIT)
_CITY = _address_text(MAX_CITY)
_STATE = _address_text(MAX_STATE)


def check_home_address(value: ObjectReader) -> None:
    """Check either form; both at once are refused (``line_and_parts``), since they could name two homes."""
    if value.has("line"):
        if any(value.has(part) for part in _PARTS):
            value.refuse("line_and_parts")
        value.required("line", _LINE)
        return
    value.required("street", _STREET)
    value.optional("unit", _UNIT)
    value.required("city", _CITY)
    value.optional("state", _STATE)
    value.optional("postal_code", _postal_code_problem)
