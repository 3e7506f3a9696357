"""Telephone and social security numbers: the same digits, grouped in one of the usual ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from registry.marks.slots import AREA_CODE, GROUPING, PUBLIC
from registry.text.phones import canonical_phone

# What stands between the groups of a telephone number. The public form, (612) 555-0123, is none of these.
_BETWEEN = {1: "-", 2: ".", 3: " ", 4: " ", 5: ""}
_WITH_COUNTRY = 4  # the form that begins with +1
_PLAIN = 1  # of the area code: neither a 1 before it nor brackets around it
_SSN: Sequence[Callable[[str, str, str], str]] = (
    lambda area, group, serial: f"{area}-{group}-{serial}",  # as cards print it
    lambda area, group, serial: f"{area} {group} {serial}",
    lambda area, group, serial: f"{area}{group}{serial}",
)
_DASH = r"[-\u2010-\u2015\u2212\u00ad]"
_SPACE = r"[ \u00a0\u2000-\u200a\u202f]"
_EXTENSION = re.compile(r"(?:x|ext|#)", re.IGNORECASE)
# What stands between the groups, and whether the country code stands before them.
_PHONE_READ: Sequence[tuple[re.Pattern[str], int]] = (
    (re.compile(rf"\+{_SPACE}*1(?:{_SPACE}|{_DASH}|\.)*\(?\d"), _WITH_COUNTRY),
    (re.compile(rf"\(\d{{3}}\){_SPACE}*\d{{3}}{_SPACE}*{_DASH}{_SPACE}*\d{{4}}"), PUBLIC),
    (re.compile(rf"\d{{3}}\)?{_DASH}\d{{3}}{_DASH}\d{{4}}"), 1),
    (re.compile(r"\d{3}\)?\.\d{3}\.\d{4}"), 2),
    (re.compile(rf"\d{{3}}\)?{_SPACE}\d{{3}}{_SPACE}\d{{4}}"), 3),
    (re.compile(r"(?<!\d)(?:1?\(\d{3}\)\d{7}|1?\d{10})(?!\d)"), 5),
)
_SSN_READ: Sequence[tuple[re.Pattern[str], int]] = (
    (re.compile(rf"\d{{3}}{_DASH}\d{{2}}{_DASH}\d{{4}}"), PUBLIC),
    (re.compile(rf"\d{{3}}{_SPACE}\d{{2}}{_SPACE}\d{{4}}"), 1),
    (re.compile(r"(?<!\d)\d{9}(?!\d)"), 2),
)


def write_phone(value: Mapping[str, str], forms: Mapping[str, int]) -> dict[str, str]:
    """Group a North American number anew; numbers of other countries and with an extension stay as they are.

    Its area code is plain, but for the copies of a card whose address was drawn another form for it.
    """
    written = value["number"].strip()
    digits = canonical_phone(written)
    is_abroad = written.startswith("+") and not written.startswith("+1")
    if digits is None or is_abroad or _EXTENSION.search(written):
        return dict(value)
    groups = digits[:3], digits[3:6], digits[6:]
    return {**value, "number": _phone(groups, forms[GROUPING], forms.get(AREA_CODE, _PLAIN))}


def _phone(groups: tuple[str, str, str], grouping: int, area_code: int) -> str:
    has_trunk, has_brackets = divmod(area_code - 1, 2)
    area, *rest = groups
    between = _BETWEEN[grouping]
    start = "+1 " if grouping == _WITH_COUNTRY else f"1{between}" if has_trunk else ""
    return start + between.join((f"({area})" if has_brackets else area, *rest))


def write_ssn(value: Mapping[str, str], forms: Mapping[str, int]) -> dict[str, str]:
    """Group a social security number anew."""
    digits = "".join(char for char in value["number"] if char.isdigit())
    return {**value, "number": _SSN[forms[GROUPING]](digits[:3], digits[3:5], digits[5:])}


def read_phone(_value: Mapping[str, str], text: str) -> dict[str, int | None]:
    """Tell how a telephone number is grouped in a text that holds it; None when in no way that is known."""
    return {GROUPING: _first(_PHONE_READ, text)}


def area_code_in(value: Mapping[str, str], text: str) -> tuple[int, tuple[int, ...], int | None]:
    """Tell how the area code of a number is written in a text that holds it.

    Returns:
        In how many ways copies may have it, given how the number is grouped; the way of each drawn form; what was read.
    """
    digits, grouping = canonical_phone(value["number"]), _first(_PHONE_READ, text)
    between = rf"(?:{_SPACE}|{_DASH}|\.)*"
    ways: tuple[int, ...] = (1, 2, 3, 4)
    if digits is None:
        return len(ways), ways, None
    found = re.search(
        rf"(?<!\d)(?P<trunk>1{between})?(?P<open>\(?){digits[:3]}\)?{between}{digits[3:6]}{between}{digits[6:]}(?!\d)",
        text,
    )
    if found is None or grouping is None:
        return len(ways), ways, None
    if grouping == PUBLIC:
        return len(ways), ways, PUBLIC
    if grouping == _WITH_COUNTRY:  # its 1 stands there anyway
        return 2, (1, 2, 1, 2), 2 if found["open"] else 1
    return len(ways), ways, 1 + bool(found["open"]) + 2 * bool(found["trunk"])


def read_ssn(_value: Mapping[str, str], text: str) -> dict[str, int | None]:
    """Tell how a social security number is grouped in a text that holds it."""
    return {GROUPING: _first(_SSN_READ, text)}


def _first(table: Sequence[tuple[re.Pattern[str], int]], text: str) -> int | None:
    return next((form for pattern, form in table if pattern.search(text)), None)
