"""``payment_card``: ``{"number"}``."""

from __future__ import annotations

import re

from stdnum import luhn

from registry.text.rules.reading import ObjectReader

KEYS = frozenset({"number"})

MIN_DIGITS = 12
MAX_DIGITS = 19  # ISO/IEC 7812-1
_MAX_WRITTEN = 40

# Digits in groups parted by single blanks or dashes. No card begins with 0 (ISO/TC 68 keeps it for itself).
_FORM = re.compile(r"[1-9][0-9]*(?:[ -][0-9]+)*")


def check_payment_card(value: ObjectReader) -> None:
    value.required("number", card_problem)


def card_problem(text: str) -> str | None:
    """Check form, length and check digit. Codes ``card_form``, ``card_length``, ``luhn``."""
    if len(text) > _MAX_WRITTEN or _FORM.fullmatch(text) is None:
        return "card_form"
    digits = text.replace(" ", "").replace("-", "")
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        return "card_length"
    return None if luhn.is_valid(digits) else "luhn"
