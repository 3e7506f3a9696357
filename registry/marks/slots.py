"""The slot table: in which places a served value may be written in one of several usual ways that mean the same.

A vector has one byte for each slot of its category, from 1 to the slot's number of forms. Form 0 is the writing that
is public (postal standard, common directory): no copy is ever served in it where there is one, so that a text in that
form speaks against nobody.

The rates say how often a form survives being carried on in a given way; those of the last one are assumed, the others
were measured with a text recogniser and with common normalisers. They steer how much evidence a slot gives, and never
whether the bound on false accusations holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from registry.domain.categories import Category

# Part of what is committed at every disclosure: a change of anything here is another version. Slots that are added
# behind those of a category are none: what was drawn before stays as it is, and an older vector ends before them.
TABLE_VERSION = 1
PUBLIC = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """One place where the writing may vary.

    Attributes:
        name: of the slot, within its category.
        forms: how many forms are allotted, at least 2.
        kept: how often a form survives: verbatim, normalised by a program, recognised from a picture, typed again.
        has_public: whether there is a public form beside the allotted ones.
    """

    name: str
    forms: int
    kept: tuple[float, float, float, float]
    has_public: bool = True


ORDER = "order"
UNIT, ORDINAL, SAINT = "unit", "ordinal", "saint"
DIRECTION, STREET_TYPE, STATE = "direction", "street-type", "state"
COMMAS, CITY_LETTERS, STREET_LETTERS, AREA_CODE = "commas", "city-letters", "street-letters", "area-code"
GROUPING, WRITING, LEVEL = "grouping", "writing", "level"

TABLE: Mapping[Category, tuple[Slot, ...]] = {
    Category.HOME_ADDRESS: (
        Slot(ORDER, 6, (0.999, 0.999, 0.98, 0.70), has_public=False),
        Slot(UNIT, 3, (0.999, 0.95, 0.98, 0.60)),
        Slot(ORDINAL, 2, (0.999, 0.999, 0.90, 0.80), has_public=False),
        Slot(SAINT, 2, (0.999, 0.85, 0.97, 0.70)),
        Slot(DIRECTION, 2, (0.999, 0.85, 0.97, 0.65)),
        Slot(STREET_TYPE, 2, (0.999, 0.85, 0.95, 0.60)),
        Slot(STATE, 2, (0.999, 0.90, 0.95, 0.50)),
        # Added: an older copy has none of these.
        Slot(COMMAS, 5, (0.999, 0.90, 0.90, 0.20)),
        Slot(CITY_LETTERS, 2, (0.999, 0.30, 0.97, 0.05)),
        Slot(STREET_LETTERS, 2, (0.999, 0.30, 0.97, 0.05)),
        Slot(AREA_CODE, 4, (0.999, 0.70, 0.93, 0.30)),
    ),
    Category.PHONE: (Slot(GROUPING, 5, (0.999, 0.80, 0.95, 0.45)),),
    Category.DATE_OF_BIRTH: (Slot(WRITING, 4, (0.999, 0.90, 0.93, 0.50)),),
    Category.SCHOOL: (Slot(LEVEL, 3, (0.999, 0.90, 0.93, 0.60)),),
    Category.SSN: (Slot(GROUPING, 2, (0.999, 0.0, 0.97, 0.31)),),
}
# The last four digits of a canary's telephone number, the last one first; its public form is the enrolled number. Only
# as many of them vary as its range has. Digits survive being typed again, since they say whom to call.
CANARY_DIGITS = (
    Slot("digit-1", 9, (0.999, 0.999, 0.98, 0.97)),
    *(Slot(f"digit-{place}", 10, (0.999, 0.999, 0.98, 0.97)) for place in (2, 3, 4)),
)

# How many slots a category had in older vectors.
_BEFORE: Mapping[Category, int] = {Category.HOME_ADDRESS: 7}

_CANARY_TABLE = {**TABLE, Category.PHONE: TABLE[Category.PHONE] + CANARY_DIGITS}
# Vectors whose forms are remembered: every address's, telephone number's and so on but those of canaries' digits.
_VECTORS = 2_048


def slots_of(category: Category) -> tuple[Slot, ...]:
    """Return the slots of a category; none where a value is never altered."""
    return TABLE.get(category, ())


def added_slots(category: Category) -> frozenset[str]:
    """Return the names of the slots that older copies of a category do not have."""
    return frozenset(slot.name for slot in slots_of(category)[_BEFORE.get(category, len(slots_of(category))) :])


def older(category: Category, vector: bytes) -> bytes:
    """Return a vector as it was drawn before slots were added to its category."""
    return vector[: _BEFORE.get(category, len(vector))]


def slots_of_canary(category: Category) -> tuple[Slot, ...]:
    """Return the slots of a category of a canary: a telephone number's digits may vary, too."""
    return _CANARY_TABLE.get(category, ())


def is_digit(slot: str) -> bool:
    """Tell whether a slot is a digit of a canary's number."""
    return any(one.name == slot for one in CANARY_DIGITS)


def has_digits(category: Category, vector: bytes) -> bool:
    """Tell whether a vector has the digits of a canary."""
    return len(vector) > len(slots_of(category))


@lru_cache(maxsize=_VECTORS)
def forms_of(category: Category, vector: bytes) -> Mapping[str, int]:
    """Return the form of each slot by its name; those of a canary's digits where the vector has them.

    An older vector has no form for the slots that were added since.

    Raises:
        ValueError: the vector is not one of this category.
    """
    usual = slots_of(category)
    known = (usual, usual[: _BEFORE.get(category, len(usual))], slots_of_canary(category))
    slots = next((slots for slots in known if len(slots) == len(vector)), None)
    if slots is None or not all(1 <= form <= slot.forms for slot, form in zip(slots, vector, strict=True)):
        raise ValueError("not a vector of this category")
    return MappingProxyType({slot.name: form for slot, form in zip(slots, vector, strict=True)})
