"""Leaks through the whole product: cards served over HTTP, texts made of what was served, traced over HTTP.

A set is ten people whom one account looked at, among others; each kind of leak is tried with it once. So two kinds of
leak share sets, and two leaks of one kind share neither people nor draws.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.attribution.agency import Agency, Population, agency
from benchmarks.attribution.citizens import Citizen
from benchmarks.attribution.figures import calibration_error, cllr, guilt, share
from benchmarks.attribution.hands import Hand, Manner, carried, from_outside
from benchmarks.attribution.photos import is_reader_here, photographed
from benchmarks.table import markdown
from registry.attribution.weights import Holding, fame, overlap

BLOCKS, _SETS, _SET, _SINGLES, _DUMP = 12, 4, 10, 3, 60
_STRONG, _TOP, _PRIOR = 1e-3, 1e-6, 0.5
_VALUES = 3  # of a card
_APART_DAYS = 0.01
METHODS = ("guilt formula", "overlap", "weights", "forms", "forms and weights")
_INNOCENT = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of leak: how many cards, by which hand (None: from outside), how carefully."""

    cards: int
    hand: Hand | None
    care: float = 1.0

    @property
    def name(self) -> str:
        """Return what a table says of it."""
        count = {1: "1 card", _DUMP: f"a dump of {_DUMP} cards"}.get(self.cards, f"{self.cards} cards")
        how = "from outside" if self.hand is None else self.hand.value
        return f"{count}, {how}" + ("" if self.care == 1.0 else f", care x {self.care:g}")


_CARES = tuple(Kind(_SET, Hand.TYPED, care) for care in (0.5, 0.75, 1.25))
KINDS = (
    *(Kind(1, hand) for hand in Hand),
    *(Kind(3, hand) for hand in (Hand.VERBATIM, Hand.PICTURE, Hand.TYPED)),
    *(Kind(_SET, hand) for hand in Hand),
    *_CARES,
    *(Kind(_DUMP, hand) for hand in (Hand.VERBATIM, Hand.TYPED, Hand.PUBLIC)),
    *(Kind(cards, None) for cards in (1, 3, _SET)),
)


@dataclass(frozen=True, slots=True)
class Leak:
    """What one trace said.

    Attributes:
        block, kind: of the leak; the name of its kind.
        cards: how many it had.
        found: part of the values that were found.
        e, bound, tier: of the copies that it was made from; None where it was made from none.
        wrong: the smallest bound of other copies; 1 where there is none.
        wrong_tiers: other accounts that are called strong or more.
        places: for each of ``METHODS``, the part of other accounts that stand below, and whether the own is first.
        top: the largest posterior of any account, at an outside prior of a half.
        is_own: whether it is that of the copies that the text was made from.
        ratio: log10 of the ratio to the outside, of the copies that it was made from.
        others: the same of some others.
    """

    block: int
    kind: str
    cards: int
    found: float
    e: float | None
    bound: float
    tier: str
    wrong: float
    wrong_tiers: int
    places: list[list[float]]
    top: float
    is_own: bool
    ratio: float
    others: list[float]


@dataclass(frozen=True, slots=True)
class _Truth:
    """What really happened: which block and kind, whose cards, and by whom they were leaked; None for nobody inside."""

    block: int
    kind: Kind
    people: Sequence[Citizen]
    leaker: int | None


def block(seed: int, number: int) -> Iterator[Leak]:
    """Play all kinds of leaks on the sets of one agency."""
    with agency(f"{seed} leaked {number}") as asked:
        population = Population(asked.chance)
        leakers = [population.somebody() for _ in range(_SETS + 1)]
        sets = [
            [population.person(leaker=leaker) for _ in range(_SET if place < _SETS else _DUMP)]
            for place, leaker in enumerate(leakers)
        ]
        asked.enroll(population.people)
        asked.look_up(population.looks)
        for place, (leaker, people) in enumerate(zip(leakers, sets, strict=True)):
            for kind in KINDS:
                if (kind.cards == _DUMP) == (place == _SETS):
                    for group in _groups(kind, people):
                        yield _played(asked, _Truth(number, kind, group, None if kind.hand is None else leaker))


def _groups(kind: Kind, people: Sequence[Citizen]) -> list[Sequence[Citizen]]:
    if kind.cards == 1:
        return [people[place : place + 1] for place in range(_SINGLES)]
    return [people[-kind.cards :]]


def _played(asked: Agency, truth: _Truth) -> Leak:
    chance, kind = asked.chance, truth.kind
    manner = Manner(kind.care)
    if kind.hand is None:
        text = from_outside(truth.people, chance, manner)
    else:
        cards = [(one, asked.lines(truth.leaker, one)) for one in truth.people]
        text = carried(kind.hand, cards, chance, manner)
    if kind.hand is Hand.PICTURE:
        text = photographed(text, chance)
    return _read(asked, truth, asked.trace(text, _APART_DAYS))


def _read(asked: Agency, truth: _Truth, report: Mapping[str, Any]) -> Leak:
    people, leaker = truth.people, truth.leaker
    accounts = _accounts(asked, people, report)
    marks = report["marks"] or {"copies": [], "curve": []}
    lines = {accounts[one["account"]]: one for one in marks["copies"]}
    own = lines.get(-1 if leaker is None else leaker)
    rest = [line for account, line in lines.items() if account != leaker]
    ratios, posteriors = _ratios(marks["curve"], accounts)
    first, top = max(posteriors.items(), key=lambda one: one[1], default=(-1, 0.0))
    return Leak(
        block=truth.block,
        kind=truth.kind.name,
        cards=len(people),
        found=sum(len(one["findings"]) for one in report["people"]) / (_VALUES * len(people)),
        e=None if own is None else own["e"],
        bound=1.0 if own is None else own["bound"],
        tier="none" if own is None else own["tier"],
        wrong=min((one["bound"] for one in rest), default=1.0),
        wrong_tiers=sum(one["tier"] in ("strong", "attributed copy") for one in rest),
        places=_places(asked, people, lines, leaker),
        top=top,
        is_own=first == leaker,
        ratio=ratios.get(-1 if leaker is None else leaker, 0.0),
        others=[value for account, value in ratios.items() if account != leaker][:_INNOCENT],
    )


def _accounts(asked: Agency, people: Sequence[Citizen], report: Mapping[str, Any]) -> dict[str, int]:
    """Return which account stands behind each label, by the receipts that the accounts have."""
    entries = {asked.receipt(one, person): one for person in people for one in asked.looked[person.number]}
    return {
        one["label"]: next(entries[copy["entry"]] for copy in one["copies"] if copy["entry"] in entries)
        for one in report["accounts"]
    }


def _ratios(
    curve: Sequence[Mapping[str, Any]], accounts: Mapping[str, int]
) -> tuple[dict[int, float], dict[int, float]]:
    """Return log10 ratios to the outside as the report's curve implies them, and the posteriors at a half."""
    point = next((one for one in curve if one["prior"] == _PRIOR), None)
    if point is None:
        return {}, {}
    posteriors = {accounts[one["account"]]: one["posterior"] for one in point["accounts"]}
    even = (1.0 - _PRIOR) / len(posteriors) / _PRIOR
    least = 1e-300
    return {
        account: math.log10(max(least, value) / max(least, point["outside"]) / even)
        for account, value in posteriors.items()
    }, posteriors


def _places(
    asked: Agency, people: Sequence[Citizen], lines: Mapping[int, Mapping[str, Any]], leaker: int | None
) -> list[list[float]]:
    if leaker not in lines or len(lines) == 1:
        return []
    names = [str(one.number) for one in people]
    viewers = {str(one.number): len(asked.looked[one.number]) for one in people}
    total = len(asked.looked) + sum(map(len, asked.looked.values()))
    held = {
        account: frozenset(str(one.number) for one in people if account in asked.looked[one.number])
        for account in lines
    }
    size = {account: sum(account in those for those in asked.looked.values()) for account in lines}
    famous = fame(viewers, total)
    scores: list[dict[int, float]] = [
        {account: guilt(those, set(names), viewers, _PRIOR) for account, those in held.items()},
        {account: overlap(Holding(those, size[account]), names, famous) for account, those in held.items()},
        {account: line["weight"] for account, line in lines.items()},
        {account: line["e"] for account, line in lines.items()},
        {account: line["e"] * line["weight"] for account, line in lines.items()},
    ]
    return [_place(one, leaker, asked.chance) for one in scores]


def _place(scores: Mapping[int, float], leaker: int | None, chance: Random) -> list[float]:
    own = next(score for account, score in scores.items() if account == leaker)
    others = [score for account, score in scores.items() if account != leaker]
    equal = sum(score == own for score in others)
    below = sum(score < own for score in others) + equal / 2
    is_first = all(score <= own for score in others) and chance.random() < 1 / (1 + equal)
    return [below / len(others), float(is_first)]


def leaked(seed: int, blocks: int, path: Path | None) -> str:
    """Return the tables.

    Args:
        seed: of everything that is made up.
        blocks: of four sets, and a dump, each.
        path: what is done is appended there block by block, and not done again; of one seed.
    """
    if not is_reader_here():
        raise SystemExit("tesseract is not installed")
    lines = path.read_text().splitlines() if path is not None and path.exists() else []
    done = [Leak(**json.loads(line)) for line in lines]
    for number in sorted(set(range(blocks)) - {one.block for one in done}):
        fresh = list(block(seed, number))
        done += fresh
        if path is not None:
            with path.open("a") as file:
                file.writelines(json.dumps(asdict(one)) + "\n" for one in fresh)
    return _tables(done)


def _tables(done: Sequence[Leak]) -> str:
    by_kind = {kind: [one for one in done if one.kind == kind.name] for kind in KINDS}
    inside = {kind: those for kind, those in by_kind.items() if kind.hand is not None and those}
    outside = {kind.cards: those for kind, those in by_kind.items() if kind.hand is None}
    bounds = ["leaks", "values found", "flagged at 1e-3", "at 1e-6", "another at 1e-3", "another called strong"]
    calibration = ["ECE of the first, prior .5", "Cllr of the ratio to outside", "innocent above .99, from outside"]
    return "\n\n".join(
        [
            markdown(["through HTTP", *bounds], [[kind.name, *_flagged(those)] for kind, those in by_kind.items()]),
            markdown(
                ["AUC / first in rank", *METHODS], [[kind.name, *_ranked(those)] for kind, those in inside.items()]
            ),
            markdown(
                ["calibration", *calibration],
                [
                    [kind.name, *_calibrated(those, outside[kind.cards])]
                    for kind, those in inside.items()
                    if kind.cards in outside
                ],
            ),
        ]
    )


def _flagged(those: Sequence[Leak]) -> list[str]:
    count = len(those)
    found = sum(one.found for one in those) / max(1, count)
    is_inside = any(one.e is not None for one in those)
    own = [share(sum(one.bound <= level for one in those), count) if is_inside else "-" for level in (_STRONG, _TOP)]
    wrong = share(sum(one.wrong <= _STRONG for one in those), count)
    return [str(count), f"{found:.3f}", *own, wrong, str(sum(one.wrong_tiers > 0 for one in those))]


def _ranked(those: Sequence[Leak]) -> list[str]:
    placed = [one.places for one in those if one.places]
    sums = [[sum(one[method][part] for one in placed) for part in (0, 1)] for method in range(len(METHODS))]
    return [f"{area / len(placed):.3f} / {first / len(placed):.2f}" if placed else "-" for area, first in sums]


def _calibrated(those: Sequence[Leak], others: Sequence[Leak]) -> list[str]:
    said = [(one.top, one.is_own) for one in those] + [(one.top, False) for one in others[: len(those)]]
    innocent = [value for one in others for value in one.others]
    wrong = sum(one.top > 0.99 for one in others)
    judged = [one.ratio for one in those]
    return [f"{calibration_error(said):.3f}", f"{cllr(judged, innocent):.3f}", share(wrong, len(others))]
