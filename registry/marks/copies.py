"""A copy's writing and its reading, for every category that may be written in several ways."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from registry.domain.categories import Category
from registry.marks.addresses import has_room, read_address, write_address
from registry.marks.days_and_schools import read_day, read_school, write_day, write_school
from registry.marks.numbers import area_code_in, read_phone, read_ssn, write_phone, write_ssn
from registry.marks.slots import AREA_CODE, ORDER, Slot, forms_of, slots_of

_Write = Callable[[Mapping[str, str], Mapping[str, int]], dict[str, str]]
_Read = Callable[[Mapping[str, str], str], dict[str, int | None]]

_WRITE: Mapping[Category, _Write] = {
    Category.HOME_ADDRESS: write_address,
    Category.PHONE: write_phone,
    Category.DATE_OF_BIRTH: write_day,
    Category.SCHOOL: write_school,
    Category.SSN: write_ssn,
}
_READ: Mapping[Category, _Read] = {
    Category.HOME_ADDRESS: read_address,
    Category.PHONE: read_phone,
    Category.DATE_OF_BIRTH: read_day,
    Category.SCHOOL: read_school,
    Category.SSN: read_ssn,
}
# What of a card is put in one of six orders.
_ORDERED = (Category.HOME_ADDRESS, Category.PHONE, Category.EMAIL)
_FEWEST = 2  # an order is of two at least
_ORDERS: Sequence[tuple[Category, ...]] = tuple(permutations(_ORDERED))


@dataclass(frozen=True, slots=True)
class SlotReading:
    """How one slot of one value stands in a text.

    Attributes:
        slot: name of the slot.
        forms: in how many ways a copy of this value may have it.
        kept, has_public: as in ``Slot``.
        read: the form that was read: 0 the public one, None when none is to be recognised.
        classes: for each drawn form, from 1, which of the ``forms`` ways it shows as; usually itself.
    """

    slot: str
    forms: int
    kept: tuple[float, float, float, float]
    has_public: bool
    read: int | None
    classes: tuple[int, ...] = field(repr=False)


def write_copy(
    category: Category,
    value: Mapping[str, str],
    vector: bytes,
    room: Collection[str] | None = None,
    card: bytes | None = None,
) -> dict[str, str]:
    """Write a value in the form of one copy: the same meaning in other usual letters.

    Args:
        category: of the value.
        value: as enrolled.
        vector: as ``RecordMarks.vector`` draws it.
        room: what ``room_of`` says of this value, where that is known; it is most of the work.
        card: of a telephone number that stands on a card with an address, that one's vector.

    Raises:
        ValueError: the vector is not one of this category.
    """
    forms, write = forms_of(category, vector), _WRITE.get(category)
    if category is Category.PHONE and card is not None:
        forms = {**forms, AREA_CODE: forms_of(Category.HOME_ADDRESS, card).get(AREA_CODE, 1)}
    if write is None:
        return dict(value)
    if category is Category.HOME_ADDRESS:
        free = room_of(category, value) if room is None else room
        forms = {slot: form for slot, form in forms.items() if slot in free}
    return write(value, forms)


def is_altered(category: Category, value: Mapping[str, str]) -> bool:
    """Tell whether copies of this value may differ at all."""
    return bool(room_of(category, value))


def read_copy(category: Category, value: Mapping[str, str], text: str) -> tuple[SlotReading, ...]:
    """Read how a value is written in a text, knowing the value and nothing of what was drawn for anybody.

    Args:
        category: of the value.
        value: as enrolled.
        text: the stretch of the text that holds it, and for an address what follows, as published.

    Returns:
        One reading for each slot that the value has room for.
    """
    room = room_of(category, value)
    read = _READ[category](value, text) if category in _READ else {}
    return tuple(
        SlotReading(
            slot.name, slot.forms, slot.kept, slot.has_public, read.get(slot.name), tuple(range(1, slot.forms + 1))
        )
        for slot in slots_of(category)
        if slot.name in room
    )


def order_of(vector: bytes) -> tuple[Category, ...]:
    """Return the order in which a card shows address, telephone and e-mail, by the vector of its address."""
    return _ORDERS[forms_of(Category.HOME_ADDRESS, vector)[ORDER] - 1]


def read_order(places: Mapping[Category, int]) -> SlotReading | None:
    """Read in which order the parts of a card stand in a text.

    Args:
        places: where each part that was found begins.

    Returns:
        The reading, for copies that showed all of those; None where fewer than two are found.
    """
    found = [category for category in _ORDERED if category in places]
    if len(found) < _FEWEST:
        return None
    ways = sorted({tuple(one for one in order if one in found) for order in _ORDERS}, key=_rank)
    classes = tuple(1 + ways.index(tuple(one for one in order if one in found)) for order in _ORDERS)
    read = 1 + ways.index(tuple(sorted(found, key=lambda category: places[category])))
    slot = next(slot for slot in slots_of(Category.HOME_ADDRESS) if slot.name == ORDER)
    return SlotReading(ORDER, len(ways), slot.kept, slot.has_public, read, classes)


def read_area_code(value: Mapping[str, str], text: str) -> SlotReading | None:
    """Read how the area code of a telephone number is written, which the vector of the card's address says.

    Args:
        value: the number as enrolled.
        text: the stretch of the text that holds it.

    Returns:
        The reading; None where copies of this number never differ in it.
    """
    if not room_of(Category.PHONE, value):
        return None
    slot = next(slot for slot in slots_of(Category.HOME_ADDRESS) if slot.name == AREA_CODE)
    forms, classes, read = area_code_in(value, text)
    return SlotReading(AREA_CODE, forms, slot.kept, slot.has_public, read, classes)


def _rank(way: tuple[Category, ...]) -> tuple[int, ...]:
    return tuple(_ORDERED.index(category) for category in way)


def room_of(category: Category, value: Mapping[str, str]) -> frozenset[str]:
    """Return the slots in which copies of this value may differ."""
    if category is Category.HOME_ADDRESS:
        return has_room(value)
    if category not in _WRITE:
        return frozenset()
    slots: Sequence[Slot] = slots_of(category)
    ways = {str(_WRITE[category](value, dict.fromkeys((slot.name for slot in slots), form))) for form in (1, 2)}
    return frozenset(slot.name for slot in slots) if len(ways) > 1 else frozenset()
