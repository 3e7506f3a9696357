"""Investigations in which no flagged copy had a part, asked over HTTP: real lookups, real copies, real traces.

What is shared and what is not: a block of investigations shares an agency, its accounts and its keys. Each is about
people of its own, and what is drawn for a copy is a keyed function of account and record version: so no two of them
share a draw, and whether one flags anybody says nothing of another. Weights rest on lookups alone, never on draws.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.attribution.agency import Agency, Population, agency
from benchmarks.attribution.citizens import Citizen
from benchmarks.attribution.figures import share
from benchmarks.attribution.hands import Hand, Manner, carried, framed, from_outside
from benchmarks.table import markdown

LEVELS = (0.1, 0.01, 0.001)
BLOCKS = 20
_STRONG = ("strong", "attributed copy")
_CAP = 1e3
# As unlike the model as can be: keeps a third of what a typist keeps, never the public way, often an odd one.
_UNLIKE = Manner(care=1 / 3, public_style=0.0, odd=0.5)
_APART_DAYS = 0.01


@dataclass(frozen=True, slots=True)
class Asked:
    """What one investigation said of copies without a part.

    Attributes:
        block, kind: of the investigation.
        accounts: how many were judged, the leaker's left out.
        least: the smallest bound on false flags of theirs; 1 where there is none.
        strong: how many of them were called ``strong`` or more.
        capped: sum of their e-values, each cut off at a thousand.
        squares: sum of the squares of those.
        found: values of the text that were found.
    """

    block: int
    kind: str
    accounts: int
    least: float
    strong: int
    capped: float
    squares: float
    found: int


@dataclass(frozen=True, slots=True)
class Case:
    """One investigation before it is asked: whose cards, whose copy it was made from if any, and how it is written."""

    people: Sequence[Citizen]
    leaker: int | None
    write: Callable[[Agency, Sequence[Citizen], int | None], str]


def _outside(population: Population) -> Case:
    return Case([population.person()], None, _from_elsewhere)


def _unit(population: Population) -> Case:
    unit = population.unit()
    return Case([population.person(unit) for _ in range(3)], None, _from_elsewhere)


def _heavy(population: Population) -> Case:
    return Case([population.person(viewers=population.busiest)], None, _from_elsewhere)


def _framer(population: Population) -> Case:
    leaker = population.somebody()
    return Case([population.person(leaker=leaker)], leaker, _flipped)


def _unlike(population: Population) -> Case:
    leaker = population.somebody()
    return Case([population.person(leaker=leaker) for _ in range(3)], leaker, _typed_unlike)


def _typist(population: Population) -> Case:
    leaker = population.somebody()
    return Case([population.person(leaker=leaker)], leaker, _typed)


def _from_elsewhere(asked: Agency, people: Sequence[Citizen], _: int | None) -> str:
    return from_outside(people, asked.chance)


def _flipped(asked: Agency, people: Sequence[Citizen], leaker: int | None) -> str:
    return "\n\n".join(framed(one, asked.lines(leaker, one), asked.chance) for one in people)


def _typed(asked: Agency, people: Sequence[Citizen], leaker: int | None) -> str:
    return carried(Hand.TYPED, [(one, asked.lines(leaker, one)) for one in people], asked.chance)


def _typed_unlike(asked: Agency, people: Sequence[Citizen], leaker: int | None) -> str:
    return carried(Hand.TYPED, [(one, asked.lines(leaker, one)) for one in people], asked.chance, _UNLIKE)


# What an investigation is about, and how many of a block are.
KINDS: Mapping[str, tuple[Callable[[Population], Case], int]] = {
    "outside, 1 card": (_outside, 20),
    "outside, 3 cards of one unit": (_unit, 20),
    "outside, seen by all of the busiest": (_heavy, 20),
    "inside, every form flipped": (_framer, 20),
    "inside, 3 cards, nothing as the model has it": (_unlike, 10),
    "inside, 1 card typed again": (_typist, 10),
}


def block(seed: int, number: int) -> Iterator[Asked]:
    """Ask one block of investigations."""
    with agency(f"{seed} {number}") as asked:
        population = Population(asked.chance)
        cases = [(kind, make(population)) for kind, (make, many) in KINDS.items() for _ in range(many)]
        asked.enroll(population.people)
        asked.look_up(population.looks)
        for kind, case in cases:
            report = asked.trace(case.write(asked, case.people, case.leaker), _APART_DAYS)
            own = {asked.receipt(case.leaker, one) for one in case.people} if case.leaker is not None else set()
            yield _tallied(number, kind, report, own)


def _tallied(number: int, kind: str, report: Mapping[str, Any], own: set[int]) -> Asked:
    entries = {one["label"]: {copy["entry"] for copy in one["copies"]} for one in report["accounts"]}
    lines = [] if report["marks"] is None else report["marks"]["copies"]
    others = [one for one in lines if not own & entries[one["account"]]]
    values = [min(one["e"], _CAP) for one in others]
    return Asked(
        number,
        kind,
        len(others),
        min((one["bound"] for one in others), default=1.0),
        sum(one["tier"] in _STRONG for one in others),
        sum(values),
        sum(value * value for value in values),
        sum(len(person["findings"]) for person in report["people"]),
    )


def kept(path: Path | None) -> list[Asked]:
    """Return what an earlier run left; a block that was not finished was not kept."""
    if path is None or not path.exists():
        return []
    return [Asked(**json.loads(line)) for line in path.read_text().splitlines()]


def asked(seed: int, blocks: int, path: Path | None) -> str:
    """Return the table of wrong flags.

    Args:
        seed: of everything that is made up.
        blocks: of a hundred investigations each.
        path: what is done is appended there block by block, and not done again; of one seed.
    """
    done = kept(path)
    for number in sorted(set(range(blocks)) - {one.block for one in done}):
        fresh = list(block(seed, number))
        done += fresh
        if path is not None:
            with path.open("a") as file:
                file.writelines(json.dumps(asdict(one)) + "\n" for one in fresh)
    rows = [_row(kind, [one for one in done if one.kind == kind]) for kind in KINDS]
    columns = ["over HTTP, no flagged copy had a part", "investigations", *(f"at {level:g}" for level in LEVELS)]
    return markdown(
        [*columns, "called strong or more", "judged, and accounts each", "mean min(E, 1000)"],
        [*rows, _row("all", done)],
    )


def _row(name: str, those: Sequence[Asked]) -> list[str]:
    flagged = [sum(one.least <= level for one in those) for level in LEVELS]
    copies = max(1, sum(one.accounts for one in those))
    mean = sum(one.capped for one in those) / copies
    error = (max(0.0, sum(one.squares for one in those) / copies - mean * mean) / copies) ** 0.5
    return [
        name,
        f"{len(those):,}",
        *(f"{hits}: {share(hits, len(those))}" for hits in flagged),
        str(sum(one.strong > 0 for one in those)),
        # An investigation in which nobody could be flagged shows nothing: it is counted apart.
        f"{sum(one.accounts > 0 for one in those):,}; {copies / max(1, len(those)):.1f}",
        f"{mean:.3f} (s.e. {error:.3f})",
    ]
