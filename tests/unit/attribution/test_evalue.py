"""E-values: the published check values, mean one over the draw whatever was read, and a test that keeps its level."""

from __future__ import annotations

import itertools
import random

import pytest

from registry.attribution.channel import Habit, RecordRead, SlotRead, factor
from registry.attribution.evalue import Model, bits_needed, e_value, randomisation_p, verdict

FIXED = Model(behaviours=(1.0,), elsewhere=((0.0, 1.0),), learns=False)
COPY = "copy"


def slot(forms: int = 2, kept: float = 0.6, read: int | None = 1, name: str = "slot", **more: bool) -> SlotRead:
    return SlotRead(name, forms, (kept, kept * 0.9, kept * 0.8, kept * 0.5), read, **more)


@pytest.mark.parametrize(
    ("forms", "kept", "match", "mismatch"),
    [(2, 0.60, 1.8333, 0.16667), (5, 0.45, 3.9268, 0.2683), (6, 0.70, 5.4304, 0.1139)],
)
def test_factors_of_a_first_record(forms: int, kept: float, match: float, mismatch: float) -> None:
    assert factor(slot(forms, kept, 1), 1, 0, Habit()) == pytest.approx(match, abs=5e-5)
    assert factor(slot(forms, kept, 2), 1, 0, Habit()) == pytest.approx(mismatch, abs=5e-5)
    assert factor(slot(forms, kept, 0), 1, 0, Habit()) == pytest.approx(1.0)
    assert factor(slot(forms, kept, None), 1, 0, Habit()) == 1.0


def ten_slots() -> tuple[list[tuple[SlotRead, ...]], list[tuple[int, ...]]]:
    """Eight slots that agree, one that does not, one in the public form."""
    records = [(slot(name=f"slot {number}"),) for number in range(9)] + [(slot(read=0, name="public"),)]
    return records, [(1,)] * 8 + [(2,), (1,)]


def test_the_worked_example() -> None:
    records, drawn = ten_slots()
    observed = e_value(records, drawn, FIXED)
    assert observed == pytest.approx(21.27, abs=0.005)
    assert 1 / observed == pytest.approx(0.0470, abs=5e-5)
    p = randomisation_p(records, observed, seed=7, draws=4_000, model=FIXED)
    assert p == pytest.approx(0.01953, abs=0.0015)


@pytest.mark.parametrize(
    ("copies", "bound", "bits"), [(7, 1e-3, 12.8), (7, 1e-6, 22.7), (100, 1e-3, 16.6), (500, 1e-6, 28.9)]
)
def test_bits_that_single_one_out(copies: int, bound: float, bits: float) -> None:
    assert bits_needed(copies, bound) == pytest.approx(bits, abs=0.05)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("model", [FIXED, Model(), Model(learns=False)], ids=["fixed", "usual", "without learning"])
def test_over_all_draws_the_mean_is_one_whatever_was_read(seed: int, model: Model) -> None:
    """The guarantee itself: no rate, habit or mixture can make a copy that had no part look guilty on average."""
    chance = random.Random(seed)
    records = [
        tuple(
            slot(
                forms := chance.choice((2, 3)),
                chance.random(),
                chance.choice((None, 0, *range(1, forms + 1))),
                chance.choice("ab"),
            )
            for _ in range(2)
        )
        for _ in range(2)
    ]
    spaces = [range(1, one.forms + 1) for record in records for one in record]
    values = [e_value(records, [(a, b), (c, d)], model) for a, b, c, d in itertools.product(*spaces)]
    assert sum(values) / len(values) == pytest.approx(1.0)


@pytest.mark.parametrize("has_public", [True, False])
def test_a_slot_without_a_public_form_is_fair_too(has_public: bool) -> None:
    records = [(slot(6, 0.7, read, "order", has_public=has_public),) for read in (1, 4)]
    values = [e_value(records, [(a,), (b,)]) for a, b in itertools.product(range(1, 7), repeat=2)]
    assert sum(values) / len(values) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(4))
def test_the_test_is_never_below_the_true_chance_by_much_and_never_above_markov(seed: int) -> None:
    chance = random.Random(seed)
    records = [(slot(3, 0.8, chance.choice((0, 1, 2)), f"slot {number % 2}"),) for number in range(6)]
    reached = sorted(
        (e_value(records, [(form,) for form in drawn]) for drawn in itertools.product((1, 2, 3), repeat=6)),
        reverse=True,
    )
    for place in (0, 5, 40):
        observed = reached[place]
        true = sum(value >= observed * (1 - 1e-9) for value in reached) / len(reached)
        p = randomisation_p(records, observed, seed=seed, draws=3_000)
        assert true * 0.8 <= p <= 1 / observed * 1.001


def test_the_same_seed_gives_the_same_bound() -> None:
    records, drawn = ten_slots()
    read = [RecordRead(slots, {COPY: forms}) for slots, forms in zip(records, drawn, strict=True)]
    first, again, other = (verdict(read, COPY, seed=seed, draws=300) for seed in (1, 1, 2))
    assert first == again != other
    assert (first.slots, first.agreeing) == (10, 8)


def test_records_that_a_copy_did_not_hold_say_nothing_about_it() -> None:
    records, drawn = ten_slots()
    read = [RecordRead(slots, {COPY: forms}) for slots, forms in zip(records, drawn, strict=True)]
    more = [*read, RecordRead((slot(5, 0.9, 3, "phone"),), {"another": (3,)})]
    assert verdict(more, COPY, seed=1, draws=0) == verdict(read, COPY, seed=1, draws=0)


def test_habits_are_learnt_from_what_was_not_kept() -> None:
    """A writer with a style of their own: agreement by that style is worth less, record by record."""
    same = [(slot(2, 0.3, 1, "suffix"),)] * 6
    agreeing, against = [(1,)] * 6, [(2,)] * 6
    assert e_value(same, agreeing, Model()) < e_value(same, agreeing, Model(learns=False))
    assert e_value(same, against, Model()) > e_value(same, against, Model(learns=False))


def test_a_text_that_only_half_comes_from_the_copy_still_speaks_for_it() -> None:
    records = [(slot(5, 0.999, 1, f"phone {number}"),) for number in range(8)]
    half = [(1,)] * 5 + [(2,)] * 3
    copied = (1.0, 0.0, 0.0, 0.0, 0.0)
    assert e_value(records, half, Model(copied)) > 5
    assert e_value(records, half, Model(copied, elsewhere=((0.0, 1.0),))) < 1e-3
