"""Serving a copy in the forms that were drawn for who is shown it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from registry.domain.categories import Category
from registry.domain.ids import RecordId
from registry.marks.copies import order_of, write_copy
from registry.marks.draw import Drawn
from registry.vault.revealed import RevealedField


def marked(fields: Sequence[RevealedField], drawn: Mapping[RecordId, Drawn]) -> tuple[RevealedField, ...]:
    """Return a card as one account sees it: values in their drawn writing, address, telephone and e-mail in its order.

    Args:
        fields: as opened.
        drawn: what was drawn for each record.
    """
    written = [one.rewritten(partial(_written, drawn[one.record].vector)) for one in fields]
    address = next((one for one in fields if one.category == Category.HOME_ADDRESS), None)
    if address is None:
        return tuple(written)
    order = {category.value: place for place, category in enumerate(order_of(drawn[address.record].vector))}
    return tuple(sorted(written, key=lambda one: order.get(one.category, len(order))))


def _written(vector: bytes, category: Category, value: Mapping[str, str]) -> Mapping[str, str]:
    return write_copy(category, value, vector)
