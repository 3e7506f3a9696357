"""Texts of two accounts, and texts that only look like it: how often pairs are called, and how often wrongly.

A pair is called wrongly as soon as one of the two had no part. What each of two is called alone stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from benchmarks.attribution.figures import share
from benchmarks.attribution.judge import Judged, judge
from benchmarks.attribution.leaks import Way, Writer
from benchmarks.attribution.power import Cell, from_outside, inside
from benchmarks.attribution.world import WINDOW, Forms, Size, World, build
from benchmarks.table import markdown
from registry.attribution.decision import LEAD_BOUND, STRONG_BOUND
from registry.attribution.pairs import PAIR_SHARE, PairBound, judge_pairs

LEVELS = (0.1, 0.01, 0.001)
_SHARED = 24  # people whom both of two have seen, at least
_NOBODY = 10.0  # above every bound
Played = tuple[Judged, frozenset[int]]


@dataclass
class _Tally:
    """What pairs were called in texts of one kind."""

    texts: int = 0
    looked: int = 0
    right: list[int] = field(default_factory=lambda: [0, 0])
    alone: int = 0
    wrong: list[int] = field(default_factory=lambda: [0, 0])
    below: list[int] = field(default_factory=lambda: [0] * len(LEVELS))

    def count(self, judged: Judged, parts: frozenset[int]) -> None:
        """Count one text; ``parts`` are the accounts that had one."""
        names = set(map(str, parts))
        pairs = judge_pairs(judged.records, {name: one.e for name, one in judged.verdicts.items()}, judged.weights)
        right = _least(one for one in pairs if {one.first, one.second} <= names)
        wrong = _least(one for one in pairs if not {one.first, one.second} <= names)
        self.texts += 1
        self.looked += bool(pairs)
        self.alone += all(judged.bounds.get(name, 1.0) <= STRONG_BOUND for name in names)
        for place, limit in enumerate((LEAD_BOUND, STRONG_BOUND)):
            self.right[place] += right <= limit
            self.wrong[place] += wrong <= limit
        # As if pairs had the whole allowance: what their own bound promises.
        self.below = [now + (wrong * PAIR_SHARE <= level) for now, level in zip(self.below, LEVELS, strict=True)]


def _least(pairs: Iterable[PairBound]) -> float:
    # The bound without its cap of one, since a tenth of the allowance hides what lies above.
    return min((1.0 / (one.e * one.weight) if one.e * one.weight > 0.0 else _NOBODY for one in pairs), default=_NOBODY)


def _two(world: World, cards: int, way: Way, *, by_card: bool) -> Played:
    """Judge a text that two colleagues put together from their copies of the same people."""
    world.forget()
    first, second, shared = _colleagues(world)
    found = world.chance.sample(shared, cards)
    chosen = []
    for person in found:
        pair = world.drawn(first, person), world.drawn(second, person)
        chosen.append(world.chance.choice(pair) if by_card else _mixed(world, *pair))
    read = Writer(way, world.chance).text([(world.slots(one), forms) for one, forms in zip(found, chosen, strict=True)])
    return judge(world, found, read, world.chance.uniform(0, WINDOW)), frozenset((first, second))


def _mixed(world: World, one: Forms, two: Forms) -> Forms:
    return tuple(world.chance.choice(pair) for pair in zip(one, two, strict=True))


def _colleagues(world: World) -> tuple[int, int, list[int]]:
    """Draw somebody, and who of the same unit saw most of the same people."""
    while True:
        first = world.someone(_SHARED)
        own = set(world.seen[first])
        units = world.size.units
        others = [one for one in world.seen if one != first and one % units == first % units]
        second = max(others, key=lambda one: len(own & set(world.seen[one])))
        shared = sorted(own & set(world.seen[second]))
        if len(shared) >= _SHARED:
            return first, second, shared


def _made_up(world: World, cards: int, part: float) -> Played:
    """Judge a leak by one account that made up the forms of a part of all places, so as to look like two."""
    world.forget()
    leaker = world.someone(_SHARED)
    found = world.chance.sample(list(world.seen[leaker]), cards)
    read = [
        tuple(
            world.chance.randrange(slot.forms) + 1 if world.chance.random() < part else form
            for slot, form in zip(world.slots(one), world.drawn(leaker, one), strict=True)
        )
        for one in found
    ]
    return judge(world, found, read, world.chance.uniform(0, WINDOW), leaker), frozenset((leaker,))


def _one(world: World, cell: Cell) -> Played:
    judged, leaker = inside(world, cell)
    return judged, frozenset((leaker,))


def _unit(world: World, cards: int) -> Played:
    return from_outside(world, cards, world.chance.randrange(world.size.units)), frozenset()


_TWO: dict[str, tuple[Callable[[World], Played], int]] = {
    f"two, {cards} cards {way}, {'card by card' if by_card else 'place by place'}": (
        partial(_two, cards=cards, way=way, by_card=by_card),
        100,
    )
    for cards, way in ((5, Way.VERBATIM), (10, Way.VERBATIM), (10, Way.PICTURE), (20, Way.VERBATIM), (20, Way.RETYPED))
    for by_card in (False, True)
}
_NOT_TWO: dict[str, tuple[Callable[[World], Played], int]] = {
    "outside, 1 card of one unit": (lambda world: _unit(world, 1), 10_000),
    "outside, 3 cards of one unit": (lambda world: _unit(world, 3), 3_000),
    "outside, 10 cards of one unit": (lambda world: _unit(world, 10), 500),
    "one, 1 card, half made up": (lambda world: _made_up(world, 1, 0.5), 10_000),
    "one, 3 cards, half made up": (lambda world: _made_up(world, 3, 0.5), 3_000),
    "one, 10 cards, half made up": (lambda world: _made_up(world, 10, 0.5), 500),
    "one, 10 cards, a fifth made up": (lambda world: _made_up(world, 10, 0.2), 500),
    "one, 3 cards typed again": (lambda world: _one(world, Cell(3, Way.RETYPED, 0)), 2_000),
    "one, 10 cards typed again": (lambda world: _one(world, Cell(10, Way.RETYPED, 0)), 500),
}


def together(seed: int, size: Size, scale: float) -> str:
    """Return the tables of texts of two, and of texts that only look like it."""
    world = build(seed, size)
    tallies = {
        name: _played(world, make, max(10, round(count * scale))) for name, (make, count) in (_TWO | _NOT_TWO).items()
    }
    right = [
        [name, str(one.texts), *(share(hits, one.texts) for hits in (*one.right, one.alone)), *map(str, one.wrong)]
        for name, one in tallies.items()
        if name in _TWO
    ]
    null = [(name, one) for name, one in tallies.items() if name in _NOT_TWO]
    whole = _sum([one for _, one in null])
    wrong = [
        [name, f"{one.texts:,}", f"{one.looked:,}", *(f"{hits}: {share(hits, one.texts)}" for hits in one.below)]
        + [str(hits) for hits in one.wrong]
        for name, one in (*null, ("all", whole))
    ]
    called = ["called a lead together", "called strong together", "both strong alone", "another pair: lead", "strong"]
    levels = [f"1 / (e v) at {level:g}" for level in LEVELS]
    return "\n\n".join(
        [
            markdown(["two put together", "texts", *called], right),
            markdown(["no pair had a part", "texts", "looked for pairs", *levels, "called a lead", "strong"], wrong),
        ]
    )


def _played(world: World, make: Callable[[World], Played], count: int) -> _Tally:
    tally = _Tally()
    for _ in range(count):
        tally.count(*make(world))
    return tally


def _sum(tallies: Iterable[_Tally]) -> _Tally:
    whole = _Tally()
    for one in tallies:
        whole.texts += one.texts
        whole.looked += one.looked
        whole.wrong = [now + more for now, more in zip(whole.wrong, one.wrong, strict=True)]
        whole.below = [now + more for now, more in zip(whole.below, one.below, strict=True)]
    return whole
