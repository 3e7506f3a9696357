"""What is remembered of a habit's steps gives the very numbers that walking through all places gives."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from registry.attribution import course
from registry.attribution.channel import Habit, SlotRead, factor
from registry.attribution.course import Course
from registry.attribution.evalue import USUAL, Model, e_value, randomisation_p

Records = list[tuple[SlotRead, ...]]
BEHAVIOURS = range(5)


def read_records(seed: int) -> Records:
    """Return records that share names of slots, with every sort of reading and of rates."""
    chance = random.Random(seed)
    return [
        tuple(
            SlotRead(
                chance.choice("abcdefg"),
                forms := chance.choice((2, 3, 7, 90)),
                tuple(chance.choice((chance.random(), 0.0, 1.0)) for _ in range(4)),  # type: ignore[arg-type]  # mypy does not count the items of a generator
                chance.choice((None, 0, 1, 1, forms)),
            )
            for _ in range(chance.randint(1, 6))
        )
        for _ in range(chance.choice((1, 1, 2, 8)))
    ]


def draw(records: Records, chance: random.Random) -> list[tuple[int, ...]]:
    """Return forms of which about half are those that were read."""
    return [
        tuple(slot.read if slot.read and chance.random() < 0.5 else chance.randint(1, slot.forms) for slot in slots)
        for slots in records
    ]


def walked(records: Records, drawn: Sequence[tuple[int, ...]], behaviour: int, *, learns: bool) -> list[float]:
    """Return each record's product of factors, place by place."""
    habit, ratios = Habit(), []
    for slots, forms in zip(records, drawn, strict=True):
        ratio = 1.0
        for slot, form in zip(slots, forms, strict=True):
            ratio *= factor(slot, form, behaviour, habit if learns else Habit())
        ratios.append(ratio)
    return ratios


@pytest.fixture(params=[course.MOST_KEPT, 3, 0], ids=["all kept", "few kept", "none kept"], autouse=True)
def _kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "MOST_KEPT", request.param)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("learns", [True, False])
def test_factors_are_those_of_every_place_in_turn(seed: int, learns: bool) -> None:
    records, chance = read_records(seed), random.Random(seed)
    for behaviour in BEHAVIOURS:
        remembered = Course(records, behaviour, learns=learns)
        for _ in range(12):
            drawn = draw(records, chance)
            agreeing = [
                slot.read == form
                for slots, forms in zip(records, drawn, strict=True)
                for slot, form in zip(slots, forms, strict=True)
                if slot.read is not None
            ]
            assert remembered.ratios(agreeing) == walked(records, drawn, behaviour, learns=learns)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("model", [USUAL, Model(learns=False)], ids=["learnt", "not learnt"])
def test_the_test_by_draws_is_the_one_that_draws_and_scores_every_place(seed: int, model: Model) -> None:
    records = read_records(seed)
    observed = e_value(records, draw(records, random.Random(seed)), model)
    expected = plain_p(records, observed, seed, 60, model)
    assert randomisation_p(records, observed, seed=seed, draws=60, model=model) == expected


def plain_p(records: Records, observed: float, seed: int, draws: int, model: Model) -> float:
    """Return the bound with every draw made and scored from nothing, as anybody would who repeats it."""
    chance = random.Random(seed)
    total = 1.0 / observed
    for _ in range(draws):
        reached = e_value(records, list(tilted(records, chance, model)), model)
        if reached >= observed * (1.0 - 1e-9):
            total += 1.0 / reached
    return min(1.0, total / (draws + 1))


def tilted(records: Records, chance: random.Random, model: Model) -> Iterator[tuple[int, ...]]:
    """Draw forms with the e-value as density over the true draw."""
    (behaviour,) = chance.choices(BEHAVIOURS, model.behaviours)
    ((share, _),) = chance.choices(model.elsewhere, [weight for _, weight in model.elsewhere])
    habit = Habit()
    for slots in records:
        is_elsewhere = chance.random() < share
        forms = []
        for slot in slots:
            known = habit if model.learns else Habit()
            choices = range(1, slot.forms + 1)
            weights = [1.0 if is_elsewhere else likelihood(slot, form, behaviour, known) for form in choices]
            (form,) = chance.choices(choices, weights if any(weights) else None)
            factor(slot, form, behaviour, known)
            forms.append(form)
        yield tuple(forms)


def likelihood(slot: SlotRead, form: int, behaviour: int, habit: Habit) -> float:
    """Return the chance of the reading under a drawn form."""
    if slot.read is None:
        return 1.0
    keep = slot.keeps(behaviour)
    return (1.0 - keep) * habit.chance(slot, slot.read) + (keep if slot.read == form else 0.0)
