"""Masked forms of values: enough to recognise what one has already, too little to learn it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from registry.domain.categories import Category

HIDDEN = "***"
_SHOWN = 4


def masked_value(category: Category, value: Mapping[str, str]) -> dict[str, str]:
    """Return the last four of a number or the city of an address; of any other value nothing but that there is one."""
    mask = _MASKS.get(category)
    return dict.fromkeys(value, HIDDEN) if mask is None else mask(value)


def _last_four(number: str) -> str:
    digits = [character for character in number if character.isdigit()]
    # A number of few digits would be shown whole.
    return HIDDEN if len(digits) < 2 * _SHOWN else f"{HIDDEN}-{''.join(digits[-_SHOWN:])}"


_MASKS: Mapping[Category, Callable[[Mapping[str, str]], dict[str, str]]] = {
    Category.HOME_ADDRESS: lambda value: {"city": value.get("city") or HIDDEN},
    Category.PHONE: lambda value: {"number": _last_four(value["number"]), "kind": value["kind"]},
    Category.SSN: lambda value: {"number": _last_four(value["number"])},
    Category.PAYMENT_CARD: lambda value: {"last_four": value["last_four"]},
}
