"""Two copies mixed: mean one over the draw of either given the other, and power where single scores have little."""

from __future__ import annotations

import itertools
import random

import pytest

from registry.attribution.channel import RecordRead, SlotRead
from registry.attribution.evalue import verdict
from registry.attribution.pairs import mixed_e_values, pair_e_value

KEPT = (0.999, 0.85, 0.95, 0.6)
STAFF = [f"account {number}" for number in range(12)]


def slot(read: int | None, forms: int = 2, *, has_public: bool = True) -> SlotRead:
    return SlotRead("slot", forms, KEPT, read, has_public)


@pytest.mark.parametrize("partner", [(1, 1, 1), (2, 3, 1)])
@pytest.mark.parametrize("read", [(1, 1, 2), (0, 3, None), (2, 2, 1)])
def test_over_all_draws_of_a_copy_the_mean_is_one_whatever_its_partner_was_drawn(
    partner: tuple[int, ...], read: tuple[int | None, ...]
) -> None:
    slots = tuple(slot(form, 3, has_public=form is not None) for form in read)
    values = [
        pair_e_value([RecordRead(slots, {"copy": drawn, "partner": partner})], "copy", "partner")
        for drawn in itertools.product((1, 2, 3), repeat=3)
    ]
    assert sum(values) / len(values) == pytest.approx(1.0)


def mixture(seed: int, positions: int = 120) -> list[RecordRead]:
    """Two accounts that choose by a coin wherever their copies differ."""
    chance = random.Random(seed)
    drawn = {name: tuple(chance.randint(1, 2) for _ in range(positions)) for name in STAFF}
    first, second = drawn[STAFF[0]], drawn[STAFF[1]]
    return [
        RecordRead((slot(chance.choice(pair)),), {name: (forms[place],) for name, forms in drawn.items()})
        for place, pair in enumerate(zip(first, second, strict=True))
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_mixture_speaks_for_both_and_for_nobody_else(seed: int) -> None:
    records, weights = mixture(seed), dict.fromkeys(STAFF, 1 / len(STAFF))
    values = mixed_e_values(records, STAFF, weights)
    guilty, innocent = STAFF[:2], STAFF[2:]
    assert all(values[name] > 1e4 for name in guilty)
    assert all(values[name] < 20 for name in innocent)
    assert all(values[name] > verdict(records, name, seed=0, draws=0).e for name in guilty)


def test_alone_there_is_nobody_to_mix_with() -> None:
    records = [RecordRead((slot(1),), {"a": (1,), "b": (1,)}), RecordRead((slot(1),), {"a": (1,)})]
    assert mixed_e_values(records, ["a"], {"a": 1.0}) == {"a": 1.0}
    assert mixed_e_values(records, ["a", "b"], {"a": 1.0, "b": 0.0})["a"] == 1.0
    assert pair_e_value(records[1:], "a", "b") == pytest.approx(1.0)
