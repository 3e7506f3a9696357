"""Telephone and social security numbers: the same digits, grouped in one of the usual ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from registry.marks.slots import GROUPING, PUBLIC
from registry.text.phones import canonical_phone

_PHONE: Sequence[Callable[[str, str, str], str]] = (
    lambda area, exchange, line: f"({area}) {exchange}-{line}",  # as directories print it
    lambda area, exchange, line: f"{area}-{exchange}-{line}",
    lambda area, exchange, line: f"{area}.{exchange}.{line}",
    lambda area, exchange, line: f"{area} {exchange} {line}",
    lambda area, exchange, line: f"+1 {area} {exchange} {line}",
    lambda area, exchange, line: f"{area}{exchange}{line}",
)
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
    (re.compile(rf"\+{_SPACE}*1(?:{_SPACE}|{_DASH}|\.)*\(?\d"), 4),
    (re.compile(rf"\(\d{{3}}\){_SPACE}*\d{{3}}{_SPACE}*{_DASH}{_SPACE}*\d{{4}}"), PUBLIC),
    (re.compile(rf"\d{{3}}{_DASH}\d{{3}}{_DASH}\d{{4}}"), 1),
    (re.compile(r"\d{3}\.\d{3}\.\d{4}"), 2),
    (re.compile(rf"\d{{3}}{_SPACE}\d{{3}}{_SPACE}\d{{4}}"), 3),
    (re.compile(r"(?<!\d)\d{10}(?!\d)"), 5),
)
_SSN_READ: Sequence[tuple[re.Pattern[str], int]] = (
    (re.compile(rf"\d{{3}}{_DASH}\d{{2}}{_DASH}\d{{4}}"), PUBLIC),
    (re.compile(rf"\d{{3}}{_SPACE}\d{{2}}{_SPACE}\d{{4}}"), 1),
    (re.compile(r"(?<!\d)\d{9}(?!\d)"), 2),
)


def write_phone(value: Mapping[str, str], forms: Mapping[str, int]) -> dict[str, str]:
    """Group a North American number anew; numbers of other countries and with an extension stay as they are."""
    written = value["number"].strip()
    digits = canonical_phone(written)
    is_abroad = written.startswith("+") and not written.startswith("+1")
    if digits is None or is_abroad or _EXTENSION.search(written):
        return dict(value)
    return {**value, "number": _PHONE[forms[GROUPING]](digits[:3], digits[3:6], digits[6:])}


def write_ssn(value: Mapping[str, str], forms: Mapping[str, int]) -> dict[str, str]:
    """Group a social security number anew."""
    digits = "".join(char for char in value["number"] if char.isdigit())
    return {**value, "number": _SSN[forms[GROUPING]](digits[:3], digits[3:5], digits[5:])}


def read_phone(_value: Mapping[str, str], text: str) -> dict[str, int | None]:
    """Tell how a telephone number is grouped in a text that holds it; None when in no way that is known."""
    return {GROUPING: _first(_PHONE_READ, text)}


def read_ssn(_value: Mapping[str, str], text: str) -> dict[str, int | None]:
    """Tell how a social security number is grouped in a text that holds it."""
    return {GROUPING: _first(_SSN_READ, text)}


def _first(table: Sequence[tuple[re.Pattern[str], int]], text: str) -> int | None:
    return next((form for pattern, form in table if pattern.search(text)), None)
