"""A made-up agency: who looked at whom within a year, and how copies were drawn."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from registry.attribution.weights import Holding, fame
from registry.domain.categories import Category
from registry.marks.slots import (
    AREA_CODE,
    COMMAS,
    DIRECTION,
    ORDINAL,
    SAINT,
    UNIT,
    Slot,
    slots_of,
)

WINDOW = 365.0
# How often a card has room for a slot; the others are always there. A fifth of telephone numbers are drawn with +1 in
# front; people live in a state that has another usual writing, in small letters.
_PRESENT = {UNIT: 0.25, ORDINAL: 0.12, SAINT: 0.08, DIRECTION: 0.40, COMMAS: 0.97, AREA_CODE: 0.8}
_OWN_UNIT, _EXPLAINED, _GAP = 0.8, 0.94, 14.0
_FAME_RANK, _FAME_SLOPE, _ACTIVITY = 60, 0.75, 1.0

Forms = tuple[int, ...]


@dataclass(frozen=True)
class Size:
    """How large an agency is."""

    staff: int = 500
    units: int = 25
    people: int = 20_000
    lookups: int = 240_000


@dataclass
class World:
    """What an agency's ledger shows. Accounts and people are numbers; a unit is a number modulo the units."""

    size: Size
    chance: random.Random
    viewers: Mapping[int, Mapping[int, float]]  # person -> account -> day of the last look
    seen: Mapping[int, Sequence[int]]  # account -> people
    _drawn: dict[tuple[int, int], Forms] = field(default_factory=dict)
    _slots: dict[int, tuple[Slot, ...]] = field(default_factory=dict)
    _pools: dict[int | None, tuple[list[int], list[int]]] = field(default_factory=dict)

    @cached_property
    def total(self) -> int:
        """Return the sum that fame is measured by."""
        return self.size.people + sum(len(accounts) for accounts in self.viewers.values())

    @cached_property
    def busiest(self) -> Sequence[int]:
        """Return the accounts that saw most."""
        return sorted(self.seen, key=lambda account: -len(self.seen[account]))[: self.size.staff // 50]

    def slots(self, person: int) -> tuple[Slot, ...]:
        """Return the slots that a person's card has room for: of the product's own table."""
        if person not in self._slots:
            table = (*slots_of(Category.HOME_ADDRESS), *slots_of(Category.PHONE))
            self._slots[person] = tuple(one for one in table if self.chance.random() < _PRESENT.get(one.name, 1.0))
        return self._slots[person]

    def drawn(self, account: int, person: int) -> Forms:
        """Return the forms of a copy: drawn once, uniformly, each by itself."""
        if (account, person) not in self._drawn:
            forms = tuple(self.chance.randrange(one.forms) + 1 for one in self.slots(person))
            self._drawn[account, person] = forms
        return self._drawn[account, person]

    def forget(self) -> None:
        """Draw anew from here on, so that investigations do not share draws."""
        self._drawn.clear()

    def holdings(self, found: Sequence[int], day: float, leaker: int | None) -> dict[str, Holding]:
        """Return what the ledger knows of every account that saw any of the found people."""
        held: dict[int, list[int]] = defaultdict(list)
        for person in found:
            for account in self.viewers.get(person, {}):
                held[account].append(person)
        return {str(account): self._holding(account, people, day, leaker) for account, people in held.items()}

    def _holding(self, account: int, people: Sequence[int], day: float, leaker: int | None) -> Holding:
        chance, misused = self.chance, account == leaker
        days = {
            str(person): chance.expovariate(1 / _GAP) if misused else abs(day - self.viewers[person][account])
            for person in people
        }
        explained = {str(person): chance.random() < (0.3 if misused else _EXPLAINED) for person in people}
        return Holding(frozenset(map(str, people)), len(self.seen[account]), days, explained)

    def famous(self, found: Sequence[int]) -> dict[str, float]:
        """Return the fame of the found people."""
        return fame({str(person): len(self.viewers.get(person, {})) for person in found}, self.total)

    def by_fame(self, count: int, unit: int | None = None) -> list[int]:
        """Draw different people by how often they are looked at, of one unit if said."""
        pool, rates = self._pool(unit)
        found: dict[int, None] = {}
        while len(found) < min(count, len(pool)):
            found.update(dict.fromkeys(self.chance.choices(pool, cum_weights=rates, k=count - len(found))))
        return list(found)

    def _pool(self, unit: int | None) -> tuple[list[int], list[int]]:
        if unit not in self._pools:
            pool = [one for one in self.viewers if unit is None or one % self.size.units == unit]
            self._pools[unit] = pool, list(accumulate(len(self.viewers[one]) + 1 for one in pool))
        return self._pools[unit]

    def someone(self, least: int) -> int:
        """Draw an account that saw at least so many people."""
        return self.chance.choice([one for one in self.seen if len(self.seen[one]) >= least])


def build(seed: int, size: Size) -> World:
    """Make an agency: few accounts look much, few people are looked at much, most of it within a unit."""
    chance = random.Random(seed)
    activity = [chance.lognormvariate(0, _ACTIVITY) for _ in range(size.staff)]
    ranks = list(range(size.people))
    chance.shuffle(ranks)
    rate = [(rank + _FAME_RANK) ** -_FAME_SLOPE for rank in ranks]
    own = {unit: list(range(unit, size.people, size.units)) for unit in range(size.units)}
    own_rate = {unit: [rate[person] for person in people] for unit, people in own.items()}
    everybody = list(range(size.people))
    viewers: dict[int, dict[int, float]] = defaultdict(dict)
    seen: dict[int, dict[int, None]] = defaultdict(dict)
    for account, share in enumerate(activity):
        looks = round(size.lookups * share / sum(activity))
        inside = round(looks * _OWN_UNIT)
        unit = account % size.units
        people = chance.choices(own[unit], own_rate[unit], k=inside) + chance.choices(everybody, rate, k=looks - inside)
        for person in people:
            viewers[person][account] = chance.uniform(0, WINDOW)
            seen[account][person] = None
    return World(size, chance, dict(viewers), {account: list(people) for account, people in seen.items()})
