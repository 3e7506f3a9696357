"""Employee numbers: text, never arithmetic."""

from __future__ import annotations

import re

MAX_EMPLOYEE_NUMBER = 32

# Single separators between runs of letters and digits: no "..", no "//", nothing that a path or a formula starts with.
_FORM = re.compile(r"[A-Za-z0-9]+(?:[-_./][A-Za-z0-9]+)*")


def employee_number_problem(text: str) -> str | None:
    """Check the form; leading zeros and case are part of the number. Codes ``too_long``, ``employee_number_form``."""
    if len(text) > MAX_EMPLOYEE_NUMBER:
        return "too_long"
    return None if _FORM.fullmatch(text) else "employee_number_form"
