"""Days of birth and names of schools: the same day, the same school, in one of the usual writings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from registry.marks.slots import LEVEL, PUBLIC, WRITING

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# Another writing with a name of three letters is no other one for May.
_SAME_SHORT = 5
_NAME = "|".join(month[:3] for month in _MONTHS)
_LONG = "|".join(_MONTHS)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_READ = (
    (re.compile(r"\b(?:19|20)\d\d-\d\d-\d\d\b"), 1),
    (re.compile(rf"\b(?:{_LONG})\.?\s+{_DAY}\b", re.IGNORECASE), 2),
    (re.compile(rf"\b(?:{_NAME})[a-z]?\.?\s+{_DAY}\b", re.IGNORECASE), 3),
    (re.compile(rf"\b{_DAY}\s+(?:{_NAME})[a-z]*\b", re.IGNORECASE), 4),
    (re.compile(r"\b\d{1,2}/\d{1,2}/\d{2,4}\b"), PUBLIC),
)
# The words that say which kind of school it is, as it is enrolled: whole, without "School", shortened, initials.
_LEVELS = {
    "Elementary School": ("Elementary", "Elem.", "ES"),
    "Middle School": ("Middle", "Middle Sch.", "MS"),
    "High School": ("High", "High Sch.", "HS"),
}


def write_day(value: Mapping[str, str], forms: Mapping[str, int]) -> dict[str, str]:
    """Write a day in one of four ways, none of which can be read as another day."""
    day = date.fromisoformat(value["date"])
    month = _MONTHS[day.month - 1]
    written = (
        value["date"],
        f"{month} {day.day}, {day.year}",
        f"{month[:3]} {day.day}, {day.year}",
        f"{day.day} {month[:3]} {day.year}",
    )
    return {**value, "date": written[forms[WRITING] - 1]}


def read_day(value: Mapping[str, str], text: str) -> dict[str, int | None]:
    """Tell how a day is written in a text that holds it."""
    found = next((form for pattern, form in _READ if pattern.search(text)), None)
    is_may = date.fromisoformat(value["date"]).month == _SAME_SHORT
    return {WRITING: None if is_may and found in (2, 3) else found}


def write_school(value: Mapping[str, str], forms: Mapping[str, int]) -> dict[str, str]:
    """Write what kind of school it is in another usual way, where the name ends with it."""
    stem, level = _taken_apart(value["name"])
    return {**value, "name": f"{stem} {_LEVELS[level][forms[LEVEL] - 1]}"} if level else dict(value)


def read_school(value: Mapping[str, str], text: str) -> dict[str, int | None]:
    """Tell how the kind of school is written in a text that holds its name."""
    stem, level = _taken_apart(value["name"])
    last = re.escape(stem.rsplit(" ", 1)[-1])
    if not level:
        return {LEVEL: None}
    known = [(level, PUBLIC), *((written, form) for form, written in enumerate(_LEVELS[level], start=1))]
    # The longest first: "Elementary" also begins "Elementary School".
    for written, form in sorted(known, key=lambda one: -len(one[0])):
        pattern = r"\s+".join(re.escape(word).replace(r"\.", r"\.?") for word in written.split())
        if re.search(rf"\b{last}\s+{pattern}(?![A-Za-z])", text, re.IGNORECASE):
            return {LEVEL: form}
    return {LEVEL: None}


def _taken_apart(name: str) -> tuple[str, str]:
    for level in _LEVELS:
        if name.endswith(f" {level}"):
            return name.removesuffix(f" {level}"), level
    return name, ""
