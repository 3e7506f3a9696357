"""Where plaintext leaves its wrapper for a page. The only module of this room that calls ``expose()``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from registry.console.words import CATEGORIES
from registry.domain.categories import Category
from registry.domain.ids import SubjectId
from registry.services.disclose import Disclosed
from registry.services.search import Found
from registry.services.values import shown_form

_PART_NAMES: Mapping[str, str] = {
    "city": "City",
    "family_name": "Family name",
    "given_name": "Given name",
    "kind": "Kind",
    "last_four": "Ends in",
    "name": "Name",
    "number": "Number",
    "postal_code": "ZIP code",
    "relation": "Relation",
    "state": "State",
    "street": "Street",
    "unit": "Unit",
}
_ORDER = {category.value: position for position, category in enumerate(Category)}


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One value ready for a page.

    Attributes:
        category: in words.
        member: ref of the household member it belongs to, or empty.
        version: which version.
        parts: names and texts; a value of one part has no name for it.
    """

    category: str
    member: str
    version: int
    parts: Sequence[tuple[str, str]] = field(repr=False)


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
    return [
        ShownValue(
            category=CATEGORIES[one.category],
            member=one.member or "",
            version=one.version,
            parts=_parts(shown_form(Category(one.category), one.expose())),
        )
        for one in fields
    ]


def shown_hits(found: Found) -> list[ShownHit]:
    """Return what a search found: names, departments and titles, nothing else of anybody."""
    return [_hit(hit.subject, hit.expose()) for hit in found.hits]


def _hit(subject: SubjectId, value: Mapping[str, str]) -> ShownHit:
    name = " ".join(part for part in (value["given_name"], value["family_name"]) if part)
    return ShownHit(subject, name, value["department"], value["title"])


def _parts(value: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    parts = [(_PART_NAMES.get(name, name), text) for name, text in value.items() if text]
    return [("", parts[0][1])] if len(parts) == 1 and "last_four" not in value else parts
