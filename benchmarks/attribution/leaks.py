"""How leaked texts come to be. Nothing here is shared with the model that scores them: neither rates nor code.

The rates were set for this file alone and are assumptions as those of the model are. A writer has one way of writing of
their own for each kind of slot, which may be the public one or any other, and falls back to it whenever a form is lost.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from registry.marks.slots import AREA_CODE, CITY_LETTERS, COMMAS, ORDER, STREET_LETTERS, Slot


class Way(StrEnum):
    """How a text was made from a copy."""

    VERBATIM = "verbatim"
    PICTURE = "from a picture"
    RETYPED = "typed again"
    AS_ASSUMED = "typed again as the model assumes"
    CANONICAL = "brought to the public form"


# How often a careful typist keeps what is before them, by the number of ways it may look, and how far writers differ.
_CARE = {2: 0.57, 3: 0.62, 5: 0.48, 6: 0.66}
# Of what hardly anybody minds while typing: commas, capitals, what stands around an area code.
_LITTLE_CARE = {COMMAS: 0.22, STREET_LETTERS: 0.07, CITY_LETTERS: 0.09, AREA_CODE: 0.27}
_DIFFER = 0.12
_PICTURE_LOST, _PICTURE_WRONG = 0.055, 0.008
_COPIED_WRONG = 0.002
_PUBLIC_STYLE = 0.72


@dataclass(frozen=True)
class Writer:
    """Somebody who carries a text on."""

    way: Way
    chance: random.Random
    care: float = 1.0
    public_style: float = _PUBLIC_STYLE

    def text(self, cards: Sequence[tuple[Sequence[Slot], Sequence[int] | None]]) -> list[tuple[int | None, ...]]:
        """Return how each slot of each card stands in the text; cards without forms are written from other sources."""
        style: dict[str, int] = {}
        skill = self.chance.gauss(0, _DIFFER)
        return [
            tuple(
                self._slot(one, None if forms is None else forms[place], style, skill)
                for place, one in enumerate(slots)
            )
            for slots, forms in cards
        ]

    def _slot(self, slot: Slot, form: int | None, style: dict[str, int], skill: float) -> int | None:
        own = style.get(slot.name)
        if own is None:
            is_public = slot.name != ORDER and self.chance.random() < self.public_style
            own = style[slot.name] = 0 if is_public else 1 + self.chance.randrange(slot.forms)
        if self.way is Way.CANONICAL:
            return int(slot.name == ORDER)
        if form is None:
            return own
        dice = self.chance.random()
        if self.way is Way.VERBATIM:
            return form if dice >= _COPIED_WRONG else own
        if self.way is Way.PICTURE:
            if dice < _PICTURE_LOST:
                return None
            return form if dice >= _PICTURE_LOST + _PICTURE_WRONG else self.chance.randrange(slot.forms) + 1
        kept = min(0.98, max(0.0, ((_LITTLE_CARE.get(slot.name) or _CARE[slot.forms]) + skill) * self.care))
        return form if dice < (slot.kept[3] if self.way is Way.AS_ASSUMED else kept) else own
