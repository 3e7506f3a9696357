"""Leaks from inside: how often the copy is named, how often another one, and how well the figures are calibrated."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.attribution.figures import calibration_error, cllr, share
from benchmarks.attribution.judge import Judged, judge
from benchmarks.attribution.leaks import Way, Writer
from benchmarks.attribution.world import WINDOW, Size, World, build
from benchmarks.table import markdown

STRONG, TOP = 1e-3, 1e-6
DUMP, MOST = 0.6, 300
_DRAWS = 200


@dataclass(frozen=True)
class Cell:
    """A kind of leak: how many records (0: a dump), how it was made, how carefully, and how many are made up."""

    records: int
    way: Way
    events: int
    care: float = 1.0

    @property
    def name(self) -> str:
        """Return what a table says of it."""
        count = {0: "a dump", 1: "1 record"}.get(self.records, f"{self.records} records")
        return f"{count}, {self.way}" + ("" if self.care == 1.0 else f", care x {self.care}")


CELLS = (
    *(Cell(1, way, 200) for way in Way if way is not Way.AS_ASSUMED),
    Cell(3, Way.RETYPED, 150),
    *(Cell(10, way, 60) for way in (Way.VERBATIM, Way.PICTURE, Way.RETYPED, Way.CANONICAL)),
    *(Cell(10, Way.RETYPED, 60, care) for care in (0.5, 0.75, 1.25)),
    *(Cell(0, way, 12) for way in (Way.VERBATIM, Way.RETYPED, Way.CANONICAL)),
    Cell(1, Way.AS_ASSUMED, 200),
)


def inside(world: World, cell: Cell) -> tuple[Judged, int]:
    """Make up one leak by one account, and judge it."""
    world.forget()
    leaker = world.someone(max(cell.records, 20))
    seen = world.seen[leaker]
    count = cell.records or min(MOST, round(DUMP * len(seen)))
    found = world.chance.sample(list(seen), count)
    writer = Writer(cell.way, world.chance, cell.care)
    read = writer.text([(world.slots(one), world.drawn(leaker, one)) for one in found])
    return judge(world, found, read, world.chance.uniform(0, WINDOW), leaker), leaker


def from_outside(world: World, records: int, unit: int | None) -> Judged:
    """Make up one leak in which nobody inside had a part, in one writer's style, and judge it."""
    world.forget()
    found = world.by_fame(records, unit)
    read = Writer(Way.RETYPED, world.chance).text([(world.slots(one), None) for one in found])
    return judge(world, found, read, world.chance.uniform(0, WINDOW))


def power(seed: int, size: Size, scale: float) -> str:
    """Return the tables of leaks from inside."""
    world = build(seed, size)
    named, ranked, sure = [], [], []
    for cell in CELLS:
        events = [inside(world, cell) for _ in range(max(10, round(cell.events * scale)))]
        named.append([cell.name, *_named(events)])
        ranked.append([cell.name, *_ranked(world, events)])
        if cell.records:
            others = [
                from_outside(world, cell.records, world.chance.randrange(size.units) if turn % 2 else None)
                for turn in range(len(events))
            ]
            sure.append([cell.name, *_calibrated(events, others)])
    bounds = ["flagged at 1e-3, by 1/E", "by the test", "at 1e-6, by 1/E", "another at 1e-3"]
    methods = ["guilt formula", "overlap", "weights", "forms", "forms and weights"]
    calibration = [
        "ECE of the first, prior 0.5",
        "Cllr of the ratio to outside",
        "Cllr without its bound",
        "innocent above .99, outside leaks",
    ]
    return "\n\n".join(
        [
            markdown(["leak from inside", "leaks", *bounds], named),
            markdown(["AUC / first in rank", *methods], ranked),
            markdown(["calibration", *calibration], sure),
        ]
    )


def _named(events: Sequence[tuple[Judged, int]]) -> list[str]:
    own = [judged.bounds[str(leaker)] for judged, leaker in events]
    test = [
        bound if bound <= STRONG / 100 or len(judged.found) > 10 else judged.sharpened(str(leaker), turn, _DRAWS)
        for turn, ((judged, leaker), bound) in enumerate(zip(events, own, strict=True))
    ]
    innocent = sum(
        any(bound <= STRONG for name, bound in judged.bounds.items() if name != str(leaker))
        for judged, leaker in events
    )
    count = len(events)
    strong, top = sum(one <= STRONG for one in own), sum(one <= TOP for one in own)
    sharp = sum(one <= STRONG for one in test)
    return [str(count), share(strong, count), share(sharp, count), share(top, count), share(innocent, count)]


def _ranked(world: World, events: Sequence[tuple[Judged, int]]) -> list[str]:
    sums = [[0.0, 0.0] for _ in range(5)]
    compared = 0
    for judged, leaker in events:
        if len(judged.bounds) < 2:
            continue
        compared += 1
        viewers = {name: len(world.viewers[int(name)]) for name in judged.found}
        methods = [judged.by_guilt(viewers), judged.by_overlap(), judged.weights, judged.by_forms(), judged.by_all()]
        for total, scores in zip(sums, methods, strict=True):
            area, first = _place(scores, str(leaker), world.chance)
            total[0] += area
            total[1] += first
    return [f"{area / compared:.3f} / {first / compared:.2f}" for area, first in sums]


def _place(scores: Mapping[str, float], leaker: str, chance: random.Random) -> tuple[float, float]:
    own = scores[leaker]
    others = [value for name, value in scores.items() if name != leaker]
    below = sum(1.0 if value < own else 0.5 if value == own else 0.0 for value in others)
    equal = sum(value == own for value in others)
    is_first = not any(value > own for value in others) and chance.random() < 1 / (1 + equal)
    return below / len(others), float(is_first)


def _calibrated(events: Sequence[tuple[Judged, int]], others: Sequence[Judged]) -> list[str]:
    said: list[tuple[float, bool]] = []
    for judged, leaker in events:
        name, chance = max(judged.posteriors(0.5).items(), key=lambda item: item[1])
        said.append((chance, name == str(leaker)))
    wrong = 0
    innocent: list[tuple[Judged, str]] = []
    for judged in others:
        posteriors = judged.posteriors(0.5)
        top = max(posteriors.values(), default=0.0)
        said.append((top, False))
        wrong += top > 0.99
        innocent.extend((judged, name) for name in list(posteriors)[:20])
    guilty = [(judged, str(leaker)) for judged, leaker in events]
    costs = [
        cllr([ratio(*one) for one in guilty], [ratio(*one) for one in innocent])
        for ratio in (Judged.log10_ratio, Judged.log10_ratio_as_modelled)
    ]
    return [f"{calibration_error(said):.3f}", *(f"{cost:.3f}" for cost in costs), share(wrong, len(others))]
