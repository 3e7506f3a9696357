"""North American telephone numbers: ten digits, however they are written; an extension is not part of the number."""

from __future__ import annotations

import re

from registry.text.digits import Run
from registry.text.fold import fold_word

PHONE_RUNS = frozenset({10, 11})
_AREA_LAST = (3, 4, 3)  # digits of 555-0123 (816)
_EXTENSION = re.compile(r"(?:\bextension|\bext|\bx|#)\s*\.?\s*\d{1,8}\s*$")


def canonical_phone(number: str) -> str | None:
    """Return the ten digits of an enrolled number, or None if it does not hold ten (or 1 and ten)."""
    text = _EXTENSION.sub("", fold_word(number).strip())
    return _ten("".join(char for char in text if char.isdigit()))


def _ten(digits: str) -> str | None:
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    return digits if len(digits) == 10 else None


def phones_in(run: Run, *, is_alone: bool = True) -> list[str]:
    """Return the numbers that a run of ten or eleven digits may stand for.

    Args:
        run: the digits.
        is_alone: whether no digits stand beside it. Between two numbers in a row, the end of one and the area code of
            the next are none.
    """
    readings = run.readings
    if is_alone and run.shape == _AREA_LAST:
        readings = (*readings, *(reading[7:] + reading[:7] for reading in readings))
    found = (_ten(reading) for reading in readings)
    return [digits for digits in found if digits and digits[0] in "23456789" and digits[3] in "23456789"]
