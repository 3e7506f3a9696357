"""Serving a copy in the forms that were drawn for who is shown it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from registry.domain.categories import Category
from registry.domain.ids import RecordId
from registry.marks.canaries import Canaries
from registry.marks.copies import order_of, room_of, write_copy
from registry.marks.draw import Drawn
from registry.marks.slots import has_digits
from registry.vault.revealed import RevealedField

_Place = tuple[RecordId, int]  # a version of a record
# Addresses whose slots are remembered; more than that many are looked at anew from time to time.
_REMEMBERED = 65_536


class Marking:
    """Writes cards, and remembers of each version of an address in which places it may vary: of the value, nothing.

    That takes an address apart in all of its forms, a third of the work of a lookup in a batch.
    """

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._rooms: dict[_Place, frozenset[str]] = {}

    def marked(self, fields: Sequence[RevealedField], drawn: Mapping[RecordId, Drawn]) -> tuple[RevealedField, ...]:
        """Return a card as one account sees it: values in their drawn writing, address and ways to call in its order.

        Args:
            fields: as opened.
            drawn: what was drawn for each record.
        """
        address = next((one for one in fields if one.category == Category.HOME_ADDRESS), None)
        card = None if address is None else drawn[address.record].vector
        written = [
            one.rewritten(self._written, drawn[one.record].vector, card, (one.record, one.version)) for one in fields
        ]
        if address is None:
            return tuple(written)
        order = _places(order_of(drawn[address.record].vector))
        return tuple(sorted(written, key=lambda one: order.get(one.category, len(order))))

    def _written(
        self, category: Category, value: Mapping[str, str], vector: bytes, card: bytes | None, place: _Place
    ) -> Mapping[str, str]:
        room = self._room(place, category, value) if category is Category.HOME_ADDRESS else None
        served = self._canaries.served(category, value, vector) if has_digits(category, vector) else value
        return write_copy(category, served, vector, room, card)

    def _room(self, place: _Place, category: Category, value: Mapping[str, str]) -> frozenset[str]:
        room = self._rooms.get(place)
        if room is None:
            room = room_of(category, value)
            if len(self._rooms) >= _REMEMBERED:
                self._rooms.clear()
            self._rooms[place] = room
        return room


@lru_cache  # there are six orders
def _places(order: tuple[Category, ...]) -> Mapping[str, int]:
    return {category.value: place for place, category in enumerate(order)}
