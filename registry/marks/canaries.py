"""Canary numbers: a made-up person's telephone number, whose last digits differ from copy to copy.

Digits of a real person are never altered. A canary's may be, because its number lies in a range that nobody else can
have: one that is kept for fiction (555-0100 to 555-0199 of any area code), or one that the agency says is its own.
The number as enrolled is the first of its range, and is served in no marked copy: a text that has it comes from the
database, a backup or an unmarked copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from registry.domain.categories import Category
from registry.domain.errors import MisconfiguredHome
from registry.marks.copies import SlotReading
from registry.marks.slots import CANARY_DIGITS, PUBLIC, slots_of
from registry.text.phones import canonical_phone
from registry.text.rules.phone import phone_problem

_RESERVED, _OWNED = "reserved_phones", "owned_phones"
_NUMBER = 10
_FICTION = re.compile(r"[0-9]{3}55501")
# From an exchange's ten thousand numbers down to a hundred.
_OWN = re.compile(r"[0-9]{6,8}")
_WRITTEN = re.compile(r"[0-9 .()-]+")


@dataclass(frozen=True, slots=True)
class Canaries:
    """The ranges of canary numbers.

    Attributes:
        ranges: leading digits of each, 6 to 8 of the ten; none begins with another.
    """

    ranges: tuple[str, ...] = ()

    def range_of(self, number: str) -> str:
        """Return the range in which ten digits lie; "" for none."""
        return next((one for one in self.ranges if number.startswith(one)), "")

    def enrolled_in(self, category: Category, value: Mapping[str, str]) -> str:
        """Return the range of which an enrolled value is the first number; "" for any other value."""
        number = canonical_phone(value["number"]) if category is Category.PHONE else None
        within = "" if number is None else self.range_of(number)
        return within if within and number == first_of(within) else ""

    def served(self, category: Category, value: Mapping[str, str], vector: bytes) -> dict[str, str]:
        """Return a value as the copy with this vector has it: another number of the range for a canary's.

        Args:
            category: of the value.
            value: as enrolled.
            vector: with the digits of a canary; any other leaves every value as it is.
        """
        within = self.enrolled_in(category, value)
        drawn = vector[len(slots_of(category)) :]
        if not within or not drawn:
            return dict(value)
        digits = _digits_of(drawn[: _NUMBER - len(within)])
        return {**value, "number": within + digits}


def numbers_of(within: str) -> Iterator[str]:
    """Return all numbers of a range."""
    places = _NUMBER - len(within)
    return (f"{within}{number:0{places}}" for number in range(10**places))


def first_of(within: str) -> str:
    """Return the first number of a range: the one that a canary is enrolled with."""
    return within.ljust(_NUMBER, "0")


def read_digits(within: str, text: str) -> tuple[SlotReading, ...]:
    """Read the last digits of a canary's number in a text, knowing its range and nothing of what was drawn.

    Args:
        within: the range.
        text: the stretch that holds the number.

    Returns:
        One reading a digit, the last digit first; the public form in all of them for the number as enrolled, None in
        all of them for a number that no copy has, and where none of the range is to be recognised.
    """
    last = number_in(within, text)[len(within) :][::-1]
    slots = CANARY_DIGITS[: _NUMBER - len(within)]
    read: Sequence[int | None] = [None] * len(slots)
    if last and not last.strip("0"):
        read = [PUBLIC] * len(slots)
    elif last and last[0] != "0":
        # The last digit's first form is 1, those of the others begin with 0.
        read = [int(last[0]), *(int(digit) + 1 for digit in last[1:])]
    return tuple(
        SlotReading(slot.name, slot.forms, slot.kept, slot.has_public, form, tuple(range(1, slot.forms + 1)))
        for slot, form in zip(slots, read, strict=True)
    )


def number_in(within: str, text: str) -> str:
    """Return the ten digits of a range's number that stands in a text; "" where none does."""
    digits = "".join(char for char in text if char.isdecimal() and char.isascii())
    start = digits.find(within)
    found = digits[start : start + _NUMBER] if start >= 0 else ""
    return found if len(found) == _NUMBER else ""


def numbers_served(within: str) -> int:
    """Return how many numbers of a range copies may have: those with another last digit than the enrolled one's."""
    return prod(slot.forms for slot in CANARY_DIGITS[: _NUMBER - len(within)])


def read_canaries(given: object) -> Canaries:
    """Read ``[canaries]`` of the settings.

    Raises:
        MisconfiguredHome: a range that is not kept for fiction and not stated to be owned, or two that overlap.
    """
    if not isinstance(given, dict) or set(given) - {_RESERVED, _OWNED}:
        raise MisconfiguredHome(
            f"config.toml: write the ranges of canaries as a table, [canaries], with {_RESERVED} and {_OWNED}"
        )
    reserved = [_leading(_RESERVED, one, _FICTION) for one in _listed(_RESERVED, given.get(_RESERVED, []))]
    owned = [_leading(_OWNED, one, _OWN) for one in _listed(_OWNED, given.get(_OWNED, []))]
    ranges = tuple(sorted([*reserved, *owned]))
    if any(later.startswith(earlier) for earlier, later in pairwise(ranges)):
        raise MisconfiguredHome("config.toml: canaries: two ranges overlap")
    return Canaries(ranges)


def _listed(name: str, given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise MisconfiguredHome(f"config.toml: canaries: {name} is a list of leading digits")
    return given


def _leading(name: str, written: str, allowed: re.Pattern[str]) -> str:
    digits = "".join(char for char in written if char.isdecimal())
    is_range = _WRITTEN.fullmatch(written) and allowed.fullmatch(digits)
    if not is_range or phone_problem(first_of(digits)) is not None:
        what = "area code and 555-01" if name == _RESERVED else "six to eight leading digits of a number"
        raise MisconfiguredHome(f"config.toml: canaries: {name} has a range that is not {what}")
    if name == _OWNED and digits[3:6] == "555":
        # 555 numbers belong to nobody for good; those that are kept for fiction have a list of their own.
        raise MisconfiguredHome(f"config.toml: canaries: {name} has a range of 555 numbers, which nobody owns")
    return digits


def _digits_of(drawn: bytes) -> str:
    """Return the digits that a vector's forms stand for, the last digit's form first."""
    last, *others = drawn
    return "".join(str(form - 1) for form in reversed(others)) + str(last)


NO_CANARIES = Canaries()
