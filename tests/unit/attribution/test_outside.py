"""The likelihood of a copy, name of slot by name of slot, is that of all readings in their order."""

from __future__ import annotations

import math
import random

import pytest

from registry.attribution.channel import BEHAVIOURS, PUBLIC, PUBLIC_HABIT, RecordRead, SlotRead
from registry.attribution.evalue import DRAWS, draws_for
from registry.attribution.outside import curve, log_inside, log_outside, log_ratio

NAMES = (("suffix", 2, True), ("phone", 5, True), ("digit", 10, False))


def records(count: int, seed: int, holds: float) -> list[RecordRead]:
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        slots = []
        for name, forms, has_public in NAMES:
            read = chance.choice([None, *range(0 if has_public else 1, forms + 1)])
            kept = (chance.choice([0.999, 1.0]), 0.85, 0.5, 0.0)
            slots.append(SlotRead(name, forms, kept, read, has_public))
        drawn = {
            copy: tuple(chance.randint(1, slot.forms) for slot in slots) for copy in "ab" if chance.random() < holds
        }
        made.append(RecordRead(tuple(slots), drawn))
    return made


def plainly(these: list[RecordRead], copy: str) -> float:
    """The definition: every reading in turn, by the chance that it was kept or is what the writer puts."""
    logs = []
    for behaviour, weight in enumerate(BEHAVIOURS):
        seen: dict[str, dict[int, float]] = {}
        log = math.log(weight)
        for record in these:
            for place, slot in enumerate(record.slots):
                if slot.read is None:
                    continue
                counts = seen.setdefault(slot.name, {})
                share = 1.0 if not slot.has_public else PUBLIC_HABIT if slot.read == PUBLIC else 1.0 - PUBLIC_HABIT
                first = share if slot.read == PUBLIC else share / slot.forms
                habit = (first + counts.get(slot.read, 0.0)) / (1.0 + sum(counts.values()))
                drawn = record.drawn.get(copy)
                keep = 0.0 if drawn is None else slot.keeps(behaviour)
                is_as_drawn = drawn is not None and drawn[place] == slot.read
                chance = (1.0 - keep) * habit + keep * is_as_drawn
                log += math.log(chance) if chance > 0.0 else -math.inf
                if chance > 0.0:
                    counts[slot.read] = counts.get(slot.read, 0.0) + (1.0 - keep) * habit / chance
        logs.append(log)
    top = max(logs)
    return top + math.log(sum(math.exp(one - top) for one in logs))


@pytest.mark.parametrize("holds", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("count", [1, 7, 900])
def test_it_is_the_likelihood_of_all_readings(count: int, holds: float) -> None:
    these = records(count, count, holds)
    for copy in "ab":
        # Nine hundred records leave the range of numbers, were their factors multiplied.
        assert log_inside(these, copy) == pytest.approx(plainly(these, copy), rel=1e-10)


def test_e_values_that_are_known_are_taken() -> None:
    these = records(5, 1, 1.0)
    known = curve(these, {"a": 1.0}, [0.5], {"a": 1e-6})
    assert known[0].copies["a"] == pytest.approx(1e-6, rel=1e-3)
    worked_out = curve(these, {"a": 1.0}, [0.5])
    ratio = math.exp(log_ratio(these, "a"))
    assert worked_out[0].copies["a"] == pytest.approx(ratio / (1.0 + ratio))
    assert log_ratio(these, "a") <= log_inside(these, "a") - log_outside(these) + 1e-9


def test_a_test_of_thousands_of_places_makes_fewer_draws_and_of_more_none() -> None:
    def draws(count: int) -> int:
        return draws_for([record.slots for record in records(count, 1, 0.0)])

    assert draws(10) == DRAWS
    assert draws(300) == 2_000_000 // (300 * 17) < DRAWS
    assert draws(1_300) == 0
    assert draws_for([]) == DRAWS
