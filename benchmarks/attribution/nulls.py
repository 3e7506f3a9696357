"""Investigations in which no flagged copy had a part: whoever is flagged here is flagged wrongly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.attribution.figures import share
from benchmarks.attribution.judge import Judged, judge
from benchmarks.attribution.leaks import Way, Writer
from benchmarks.attribution.power import Cell, from_outside, inside
from benchmarks.attribution.world import WINDOW, Size, World, build
from benchmarks.table import markdown

LEVELS = (0.1, 0.01, 0.001, 1e-6)
_TESTED, _DRAWS = 0.01, 200
Null = tuple[Judged, int | None]


@dataclass
class Tally:
    """Wrong flags of one kind of investigation."""

    investigations: int = 0
    flagged: list[int] = field(default_factory=lambda: [0] * len(LEVELS))
    tested: int = 0
    tested_flagged: list[int] = field(default_factory=lambda: [0] * len(LEVELS))
    copies: int = 0
    capped: float = 0.0
    squares: float = 0.0

    def count(self, judged: Judged, leaker: int | None) -> None:
        """Count one investigation; the leaker's own copy does not count."""
        bounds = [bound for name, bound in judged.bounds.items() if name != str(leaker)]
        least = min(bounds, default=1.0)
        self.investigations += 1
        self.flagged = [now + (least <= level) for now, level in zip(self.flagged, LEVELS, strict=True)]
        values = [min(one.e, 1e3) for name, one in judged.verdicts.items() if name != str(leaker)]
        self.copies += len(values)
        self.capped += sum(values)
        self.squares += sum(value * value for value in values)

    def test(self, judged: Judged, leaker: int | None, seed: int) -> None:
        """Count one investigation by the randomisation test of every copy."""
        bounds = [judged.sharpened(name, seed, _DRAWS) for name in judged.bounds if name != str(leaker)]
        least = min(bounds, default=1.0)
        self.tested += 1
        self.tested_flagged = [now + (least <= level) for now, level in zip(self.tested_flagged, LEVELS, strict=True)]

    @property
    def mean(self) -> tuple[float, float]:
        """Return the mean of capped e-values of copies without a part, and its standard error."""
        mean = self.capped / max(1, self.copies)
        spread = max(0.0, self.squares / max(1, self.copies) - mean * mean)
        return mean, (spread / max(1, self.copies)) ** 0.5


def _heavy(world: World) -> Null:
    """Judge a text from outside about somebody whom one of the busiest accounts saw."""
    world.forget()
    found = [world.chance.choice(world.seen[world.chance.choice(world.busiest)])]
    read = Writer(Way.RETYPED, world.chance).text([(world.slots(one), None) for one in found])
    return judge(world, found, read, world.chance.uniform(0, WINDOW)), None


def _flipped(world: World) -> Null:
    """Judge a verbatim leak whose leaker changed every form to another one, so as to look like somebody else."""
    world.forget()
    leaker = world.someone(20)
    found = [world.chance.choice(world.seen[leaker])]
    slots, own = world.slots(found[0]), world.drawn(leaker, found[0])
    read = tuple(
        (form - 1 + world.chance.randrange(1, one.forms)) % one.forms + 1 for one, form in zip(slots, own, strict=True)
    )
    return judge(world, found, [read], world.chance.uniform(0, WINDOW), leaker), leaker


def _unlike(world: World, care: float, public_style: float) -> Null:
    """Judge a leak by a writer whose rates and habits are far from those of the model."""
    world.forget()
    leaker = world.someone(20)
    found = [world.chance.choice(world.seen[leaker])]
    writer = Writer(Way.RETYPED, world.chance, care, public_style)
    read = writer.text([(world.slots(one), world.drawn(leaker, one)) for one in found])
    return judge(world, found, read, world.chance.uniform(0, WINDOW), leaker), leaker


def _canonical(world: World) -> Null:
    judged, _ = inside(world, Cell(1, Way.CANONICAL, 0))
    return judged, None  # nobody can be told from others: a flag of the leaker would be by luck too


KINDS: Mapping[str, tuple[Callable[[World], Null], int]] = {
    "outside, 1 record": (lambda world: (from_outside(world, 1, None), None), 20_000),
    "outside, 1 record of one unit": (lambda world: (from_outside(world, 1, world.chance.randrange(25)), None), 20_000),
    "outside, seen by the busiest": (_heavy, 15_000),
    "inside, every form flipped": (_flipped, 20_000),
    "inside, keeps a third, no public style": (lambda world: _unlike(world, 1 / 3, 0.0), 12_000),
    "inside, 1 retyped record": (lambda world: inside(world, Cell(1, Way.RETYPED, 0)), 8_000),
    "brought to the public form": (_canonical, 5_000),
    "outside, 10 records": (lambda world: (from_outside(world, 10, None), None), 1_500),
    "outside, 10 records of one unit": (
        lambda world: (from_outside(world, 10, world.chance.randrange(25)), None),
        2_000,
    ),
    "inside, 10 retyped records": (lambda world: inside(world, Cell(10, Way.RETYPED, 0)), 500),
}


def nulls(seed: int, size: Size, scale: float) -> str:
    """Return the table of wrong flags."""
    world = build(seed, size)
    rows, whole = [], Tally()
    for name, (make, count) in KINDS.items():
        tally = Tally()
        for turn in range(max(20, round(count * scale))):
            judged, leaker = make(world)
            for one in (tally, whole):
                one.count(judged, leaker)
            if turn < count * scale * _TESTED and len(judged.found) == 1:
                for one in (tally, whole):
                    one.test(judged, leaker, turn)
        rows.append([name, *_row(tally)])
    rows.append(["all", *_row(whole)])
    columns = ["no flagged copy had a part", "investigations", *(f"flagged at {level:g}" for level in LEVELS)]
    return markdown([*columns, "by the test (number; at .1 / .01 / .001 / 1e-6)", "mean min(E, 1000)"], rows)


def _row(tally: Tally) -> list[str]:
    mean, error = tally.mean
    tested = f"{tally.tested:,}; {' / '.join(map(str, tally.tested_flagged))}" if tally.tested else "-"
    shares = [f"{hits}: {share(hits, tally.investigations)}" for hits in tally.flagged]
    return [f"{tally.investigations:,}", *shares, tested, f"{mean:.4f} (s.e. {error:.4f})"]
