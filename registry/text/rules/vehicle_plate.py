"""``vehicle_plate``: ``{"plate", "state"}``."""

from __future__ import annotations

import re

from registry.text.rules.reading import ObjectReader

KEYS = frozenset({"plate", "state"})

MAX_PLATE = 10
_PLATE = re.compile(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*")
_STATE = re.compile(r"[A-Za-z]{2,3}")  # US states and territories, provinces, and the like


def check_vehicle_plate(value: ObjectReader) -> None:
    value.required("plate", plate_problem)
    value.required("state", _state_problem)


def plate_problem(text: str) -> str | None:
    """Check a plate: 1-10 letters, digits, single blanks and dashes. Code ``plate_form``."""
    return None if len(text) <= MAX_PLATE and _PLATE.fullmatch(text) else "plate_form"


def _state_problem(text: str) -> str | None:
    return None if _STATE.fullmatch(text) else "state_form"
