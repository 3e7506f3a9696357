"""The e-value of a copy: how much likelier the read forms are if they derive from it than from a random draw.

If a copy had no part in a text, the expectation of its e-value is at most one whatever really happened, because its
forms were drawn by our own secret coin; so P(E >= 1/a) <= a without any assumption (Markov). A randomisation test on
the same statistic is sharper and has the same guarantee.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from registry.attribution.channel import BEHAVIOURS, ELSEWHERE, Habit, RecordRead, SlotRead, factor
from registry.attribution.course import Course

DRAWS = 2_000
# Forms weighed in one test: of a dump's thousands of places fewer draws are made, of still more none. How many depends
# on what was read alone, never on what was drawn for anybody, and any number of them gives a bound that holds.
_MOST_FORMS, _LEAST_DRAWS = 2_000_000, 100
# A dump of thousands of records leaves the range of numbers; an e-value that is cut off still is one.
MOST = 1e300

Vector = tuple[int, ...]
Slots = tuple[SlotRead, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of the mixture that an e-value is averaged over.

    Attributes:
        behaviours: weight of each behaviour; adds up to one.
        elsewhere: shares of the text that come from elsewhere, each with its weight; the weights add up to one.
        learns: whether habits are learnt from record to record.
    """

    behaviours: tuple[float, ...] = BEHAVIOURS
    elsewhere: tuple[tuple[float, float], ...] = ELSEWHERE
    learns: bool = True


USUAL = Model()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the forms say of one copy.

    Attributes:
        e: the e-value.
        p: the randomisation test's upper bound for the chance of such an e-value by the draw alone.
        draws: of the test; 0 when none were made and ``p`` is ``1 / e``.
        seed: of the test.
        slots: how many slots were read of records that the copy held.
        agreeing: how many of those agree with the copy's draw.
    """

    e: float
    p: float
    draws: int
    seed: int
    slots: int
    agreeing: int


def e_value(records: Sequence[Slots], drawn: Sequence[Vector], model: Model = USUAL) -> float:
    """Return the e-value of one copy.

    Args:
        records: slots as read, record by record, in an order that the draws have no part in.
        drawn: the copy's forms, for the same records.
        model: weights.
    """
    total = 0.0
    for behaviour, weight in enumerate(model.behaviours):
        if weight == 0.0:
            continue
        products = [1.0] * len(model.elsewhere)
        habit = Habit()
        for slots, forms in zip(records, drawn, strict=True):
            ratio = 1.0
            for slot, form in zip(slots, forms, strict=True):
                ratio *= factor(slot, form, behaviour, habit if model.learns else Habit())
            products = [
                min(MOST, product * ((1.0 - share) * ratio + share))
                for product, (share, _) in zip(products, model.elsewhere, strict=True)
            ]
        total += weight * sum(part * product for (_, part), product in zip(model.elsewhere, products, strict=True))
    return total


def verdict(
    records: Sequence[RecordRead], copy: str, *, seed: int, draws: int = DRAWS, model: Model = USUAL
) -> Verdict:
    """Judge one copy by the forms that were read.

    Args:
        records: found records with what was drawn for their copies.
        copy: which.
        seed: of the randomisation test, so that anybody can repeat it.
        draws: how many; 0 leaves the test out.
        model: weights.
    """
    held = [record for record in records if copy in record.drawn]
    slots, drawn = [record.slots for record in held], [record.drawn[copy] for record in held]
    observed = e_value(slots, drawn, model)
    read = [
        (slot, form) for each, forms in zip(slots, drawn, strict=True) for slot, form in zip(each, forms, strict=True)
    ]
    agreeing = sum(slot.read == form for slot, form in read)
    seen = sum(slot.read is not None for slot, _ in read)
    p = min(1.0, 1.0 / observed) if observed > 0.0 else 1.0
    if draws and observed > 1.0:
        p = min(p, randomisation_p(slots, observed, seed=seed, draws=draws, model=model))
    return Verdict(observed, p, draws if observed > 1.0 else 0, seed, seen, agreeing)


def draws_for(records: Sequence[Slots]) -> int:
    """Return how many draws a randomisation test of these records makes; 0 where it is left out."""
    forms = sum(slot.forms for slots in records for slot in slots)
    draws = min(DRAWS, _MOST_FORMS // max(1, forms))
    return draws if draws >= _LEAST_DRAWS else 0


def randomisation_p(
    records: Sequence[Slots], observed: float, *, seed: int, draws: int = DRAWS, model: Model = USUAL
) -> float:
    """Return an upper bound for P(E >= observed) over the draw, by sampling draws that favour large values.

    Each sampled draw V' comes from the law whose density over the true one is E(V'), and counts 1/E(V') when it is as
    large as the observed one. The observed draw itself is counted, so that the bound is never nought.
    """
    chance = random.Random(seed)  # noqa: S311 - a repeatable test, no secret
    mixture = _Mixture(records, model)
    total = 1.0 / observed
    for _ in range(draws):
        reached = mixture.value(mixture.draw(chance))
        # Two ways of adding the same numbers differ in the last digits.
        if reached >= observed * (1.0 - 1e-9):
            total += 1.0 / reached
    return min(1.0, total / (draws + 1))


class _Mixture:
    """The e-value of any draw of some records, by which of the places that were read agree with it."""

    def __init__(self, records: Sequence[Slots], model: Model) -> None:
        self._model = model
        self._courses = [Course(records, behaviour, learns=model.learns) for behaviour in range(len(model.behaviours))]

    def value(self, agreeing: Sequence[bool]) -> float:
        """Return the e-value."""
        total = 0.0
        for course, weight in zip(self._courses, self._model.behaviours, strict=True):
            if weight == 0.0:
                continue
            ratios = course.ratios(agreeing)
            total += weight * sum(part * _product(ratios, share) for share, part in self._model.elsewhere)
        return total

    def draw(self, chance: random.Random) -> list[bool]:
        """Draw with a density of the e-value over the true one."""
        (course,) = chance.choices(self._courses, self._model.behaviours)
        ((share, _),) = chance.choices(self._model.elsewhere, [weight for _, weight in self._model.elsewhere])
        return course.draw(chance, share)


def _product(ratios: Sequence[float], share: float) -> float:
    product = 1.0
    for ratio in ratios:
        product = min(MOST, product * ((1.0 - share) * ratio + share))
    return product


def bits_needed(copies: int, bound: float) -> float:
    """Return how many bits of evidence it takes to single one copy out of so many under a bound: log2(n / a)."""
    return math.log2(copies / bound)


__all__ = [
    "DRAWS",
    "MOST",
    "USUAL",
    "Model",
    "Verdict",
    "bits_needed",
    "draws_for",
    "e_value",
    "randomisation_p",
    "verdict",
]
