"""Where plaintext leaves its wrapper for a page. The only module of this room that calls ``expose()``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from registry.console.words import CATEGORIES
from registry.domain.categories import Category
from registry.domain.ids import SubjectId
from registry.services.disclose import Disclosed
from registry.services.search import Found
from registry.services.values import shown_form

_ORDER = {category.value: position for position, category in enumerate(Category)}


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One value ready for a page.

    Attributes:
        category: in words.
        owner: a household member's name where the card has it, else its ref; empty for the subject's own.
        text: the value, in one or more lines.
        note: what else is known of it, such as the kind of a phone; may be empty.
    """

    category: str
    owner: str = field(repr=False)
    text: str = field(repr=False)
    note: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShownHit:
    """One person that a search found."""

    subject: SubjectId
    name: str = field(repr=False)
    department: str = field(repr=False)
    title: str = field(repr=False)


def shown_card(card: Disclosed) -> list[ShownValue]:
    """Return the values of a released card in the order of the categories."""
    fields = sorted(card.fields, key=lambda one: (_ORDER[one.category], one.member or "", one.record))
    values = [(one, shown_form(Category(one.category), one.expose())) for one in fields]
    names = {one.member: _name(value) for one, value in values if one.category == Category.FAMILY_MEMBER}
    return [
        ShownValue(
            category=CATEGORIES[one.category],
            owner=names.get(one.member, f"household member {one.member}")
            if one.member and one.category != Category.FAMILY_MEMBER
            else "",
            text=_TEXTS[Category(one.category)](value),
            note=value.get(_NOTES.get(one.category, ""), ""),
        )
        for one, value in values
    ]


def shown_hits(found: Found) -> list[ShownHit]:
    """Return what a search found: names, departments and titles, nothing else of anybody."""
    return [_hit(hit.subject, hit.expose()) for hit in found.hits]


def _hit(subject: SubjectId, value: Mapping[str, str]) -> ShownHit:
    return ShownHit(subject, _name(value), value["department"], value["title"])


def _name(value: Mapping[str, str]) -> str:
    return _joined(value, " ", "given_name", "family_name")


def _address(value: Mapping[str, str]) -> str:
    if "line" in value:
        return value["line"]
    region = _joined(value, " ", "state", "postal_code")
    lines = (_joined(value, " ", "street", "unit"), ", ".join(part for part in (value.get("city"), region) if part))
    return "\n".join(line for line in lines if line)


def _joined(value: Mapping[str, str], between: str, *names: str) -> str:
    return between.join(value[name] for name in names if value.get(name))


_TEXTS: Mapping[Category, Callable[[Mapping[str, str]], str]] = {
    Category.HOME_ADDRESS: _address,
    Category.PHONE: lambda value: value["number"],
    Category.EMAIL: lambda value: value["address"],
    Category.SSN: lambda value: value["number"],
    Category.DATE_OF_BIRTH: lambda value: value["date"],
    Category.PAYMENT_CARD: lambda value: f"ending in {value['last_four']}",
    Category.SCHOOL: lambda value: _joined(value, ", ", "name", "city"),
    Category.HEALTH: lambda value: value["statement"],
    Category.FAMILY_MEMBER: _name,
    Category.VEHICLE_PLATE: lambda value: value["plate"],
}
# The part of a value that stands beside it.
_NOTES: Mapping[str, str] = {
    Category.PHONE: "kind",
    Category.FAMILY_MEMBER: "relation",
    Category.VEHICLE_PLATE: "state",
}
