"""The factors of a copy's places, one after the other, under one behaviour.

What a habit is at a place depends on the earlier places of the same name alone, and on whether each of them agreed. So
thousands of draws of one copy go the same few ways, and what stands at a step of such a way is worked out once.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate

from registry.attribution.channel import PUBLIC, SlotRead, chances, habit_after

# Steps that a course remembers, of a few hundred bytes: a dump of thousands of records has more ways than draws.
MOST_KEPT = 10_000

_NOTHING: Mapping[int, float] = {}


class Step:
    """One place that was read, after what was learnt at earlier places of its name.

    Attributes:
        factors: how much likelier the reading is under a drawn form than under a random one: where another form was
            drawn, and where the one that was read was. Over all forms that could have been drawn, the mean is one.
        after: the next step of the same name after either, where somebody has been.
    """

    __slots__ = ("_chances", "_seen", "_slot", "_weights", "after", "factors")

    def __init__(self, slot: SlotRead, behaviour: int, seen: Mapping[int, float] = _NOTHING) -> None:
        """Work out a place where something was read.

        Args:
            slot: as read.
            behaviour: number of it.
            seen: soft counts of readings that were not kept at earlier places of this name, by form.
        """
        free, kept, mean = chances(slot, behaviour, habit_after(seen, slot, slot.read or PUBLIC))
        self._slot, self._seen, self._chances = slot, seen, (free, kept)
        self._weights: list[float] | None = None
        self.factors = (free / mean, kept / mean) if mean > 0.0 else (1.0, 1.0)
        self.after: list[Step | None] = [None, None]

    def learnt(self, *, agrees: bool) -> Mapping[int, float]:
        """Return the soft counts after this place: a reading counts by the chance that it is the writer's own."""
        likelihood, read = self._chances[agrees], self._slot.read or PUBLIC
        if likelihood <= 0.0:
            return self._seen
        return {**self._seen, read: self._seen.get(read, 0.0) + self._chances[False] / likelihood}

    def draw(self, chance: random.Random, *, is_even: bool) -> bool:
        """Draw a form, evenly or with the factors as density over that; tells whether it is the one that was read."""
        read, forms = self._slot.read, self._slot.forms
        if self._weights is None:
            other, same = self._chances
            self._weights = list(accumulate(same if form == read else other for form in range(1, forms + 1)))
        whole = self._weights[-1]
        if is_even or whole <= 0.0:
            return int(chance.random() * forms) + 1 == read
        return bisect(self._weights, chance.random() * whole, 0, forms - 1) + 1 == read


_NOWHERE = Step(SlotRead("", 2, (0.0, 0.0, 0.0, 0.0), PUBLIC), 0)


class Course:
    """All places of some records in order, under one behaviour.

    Places where nothing was read say nothing: an ``agreeing`` below has one item for each of the others.
    """

    def __init__(self, records: Sequence[tuple[SlotRead, ...]], behaviour: int, *, learns: bool) -> None:
        """Lay the places out.

        Args:
            records: slots as read, record by record.
            behaviour: number of it.
            learns: whether a habit is learnt from place to place of a name.
        """
        self._behaviour = behaviour
        self._slots = [slot for slots in records for slot in slots if slot.read is not None]
        numbers = iter(range(len(self._slots)))
        self._records = [[None if slot.read is None else next(numbers) for slot in slots] for slots in records]
        self._read = [[place for place in places if place is not None] for places in self._records]
        self._later = _next_of_name(self._slots) if learns else [None] * len(self._slots)
        followed = set(self._later)
        # A step that follows another depends on the way there, and is put in its place on the way.
        self._starts = [
            _NOWHERE if place in followed else Step(slot, behaviour) for place, slot in enumerate(self._slots)
        ]
        self._kept = 0

    def ratios(self, agreeing: Sequence[bool]) -> list[float]:
        """Return each record's product of factors.

        Args:
            agreeing: whether the drawn form is the one that was read, place by place.
        """
        steps, later = self._starts.copy(), self._later
        ratios = []
        for places in self._read:
            ratio = 1.0
            for place in places:
                step, agrees = steps[place], agreeing[place]
                ratio *= step.factors[agrees]
                following = later[place]
                if following is not None:
                    steps[place] = _NOWHERE  # a dump's steps are not all held at once
                    steps[following] = step.after[agrees] or self._go(step, following, agrees=agrees)
            ratios.append(ratio)
        return ratios

    def draw(self, chance: random.Random, share: float) -> list[bool]:
        """Draw forms with a density of the ratios over the true one, and tell which places agree.

        Args:
            chance: asked once a record and once a slot, read or not.
            share: of records that come from elsewhere, and say nothing.
        """
        steps = self._starts.copy()
        agreeing = []
        for places in self._records:
            is_even = chance.random() < share
            for place in places:
                if place is None:
                    chance.random()
                    continue
                step = steps[place]
                agrees = step.draw(chance, is_even=is_even)
                agreeing.append(agrees)
                following = self._later[place]
                if following is not None:
                    steps[place] = _NOWHERE  # a dump's steps are not all held at once
                    steps[following] = step.after[agrees] or self._go(step, following, agrees=agrees)
        return agreeing

    def _go(self, step: Step, place: int, *, agrees: bool) -> Step:
        following = Step(self._slots[place], self._behaviour, step.learnt(agrees=agrees))
        if self._kept < MOST_KEPT:
            self._kept += 1
            step.after[agrees] = following
        return following


def _next_of_name(slots: Sequence[SlotRead]) -> list[int | None]:
    """Return for each place the next one of the same name."""
    following: list[int | None] = [None] * len(slots)
    last: dict[str, int] = {}
    for place, slot in enumerate(slots):
        if slot.name in last:
            following[last[slot.name]] = place
        last[slot.name] = place
    return following
