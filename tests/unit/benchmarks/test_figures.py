"""Published baselines and measures of calibration: their check values, so that tables compare with the right thing."""

from __future__ import annotations

import math
import random

import pytest

from benchmarks.attribution.figures import (
    QUADRATIC,
    boneh_shaw,
    boneh_shaw_short,
    calibration_error,
    cllr,
    guilt,
    guilt_gap,
    interval,
    posterior,
    quadratic,
)
from benchmarks.attribution.leaks import Way, Writer
from registry.marks.slots import Slot

ELSEWHERE = (0.1, 0.2, 0.5, 0.8, 0.9)
SIXTEEN = {str(number) for number in range(16)}
HALF = {str(number) for number in range(8)}
TWICE = {one: 2 if one in HALF else 1 for one in SIXTEEN}


@pytest.mark.parametrize(("elsewhere", "expected"), [*zip(ELSEWHERE, (0.945, 0.88, 0.625, 0.28, 0.145), strict=True)])
def test_guilt_of_two_with_one_object_of_their_own(elsewhere: float, expected: float) -> None:
    for held in ({"1", "2"}, {"1", "3"}):
        assert guilt(held, {"1", "2", "3"}, {"1": 2, "2": 1, "3": 1}, elsewhere) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("elsewhere", "everything", "half"),
    [
        (0.1, 1.0, 0.991627),
        (0.2, 1.0, 0.983204),
        (0.5, 0.999609, 0.899887),
        (0.8, 0.92778, 0.569533),
        (0.9, 0.714419, 0.33658),
    ],
)
def test_guilt_of_who_holds_all_and_of_who_holds_half(elsewhere: float, everything: float, half: float) -> None:
    assert guilt(SIXTEEN, SIXTEEN, TWICE, elsewhere) == pytest.approx(everything, abs=1e-6)
    assert guilt(HALF, SIXTEEN, TWICE, elsewhere) == pytest.approx(half, abs=1e-6)


def test_guilt_of_three() -> None:
    viewers = {"1": 2, "2": 1, "3": 2, "4": 2, "5": 2}
    held = [{"1", "2", "3", "4"}, {"3", "4", "5"}, {"1", "5"}]
    values = [guilt(one, {"1", "2", "3", "5"}, viewers, 0.3) for one in held]
    assert values == pytest.approx([0.87325, 0.5775, 0.5775])


@pytest.mark.parametrize(
    ("elsewhere", "expected"), [(0.5, (0.0714, 0.3096, 0.5234, 0.9883)), (0.9, (0.0143, 0.0694, 0.1340, 0.5782))]
)
def test_guilt_tends_to_one_with_the_number_held(elsewhere: float, expected: tuple[float, ...]) -> None:
    """Why it is a baseline and no verdict: whoever sees much is guilty of everything."""
    for count, value in zip((1, 5, 10, 60), expected, strict=True):
        held = {str(number) for number in range(count)}
        assert guilt(held, held, dict.fromkeys(held, 7), elsewhere) == pytest.approx(value, abs=5e-5)


def test_a_fake_object_each_widens_the_gap() -> None:
    assert guilt_gap([{"1", "2"}, {"1", "3"}], 0.5) == pytest.approx([0.375, 0.375])
    assert guilt_gap([{"1", "2", "f"}, {"1", "3", "g"}], 0.5) == pytest.approx([0.5625, 0.5625])


@pytest.mark.parametrize(
    ("code", "lengths"),
    [
        ("Tardos 2003", (1313, 5249, 11811, 32806)),
        ("symmetric (Skoric et al. 2008)", (130, 519, 1166, 3238)),
        ("Laarhoven and de Weger 2012", (65, 260, 583, 1619)),
        ("capacity", (27, 105, 237, 657)),
    ],
)
def test_lengths_of_codes(code: str, lengths: tuple[int, ...]) -> None:
    found = [quadratic(QUADRATIC[code], 500, colluders, 1e-3) for colluders in (1, 2, 3, 5)]
    assert found == pytest.approx(lengths, abs=1.0)


def test_lengths_of_the_first_codes() -> None:
    assert boneh_shaw(500, 1e-3) == pytest.approx(3.4e9, rel=0.02)
    assert boneh_shaw(500, 1e-6) == pytest.approx(5.2e9, rel=0.02)
    short = [boneh_shaw_short(500, colluders, 1e-3) for colluders in (1, 2, 3)]
    assert short == [2772, 73752, 433675]
    assert boneh_shaw_short(500, 2, 1e-6) == 167577


def test_cost_of_ratios() -> None:
    assert cllr([2.0, 1.0, 0.30103], [-2.0, -1.0, -0.30103]) == pytest.approx(0.2456, abs=5e-5)
    assert cllr([0.0], [0.0]) == 1.0
    assert cllr([500.0], [-500.0]) == pytest.approx(0.0)
    assert cllr([-500.0], [500.0]) > 500


@pytest.mark.parametrize(
    ("ratio", "expected"), [(1e3, (0.18, 0.67, 0.95)), (1e6, (0.9955, 0.9995, 0.9999))], ids=["1e3", "1e6"]
)
def test_a_large_ratio_is_no_large_chance(ratio: float, expected: tuple[float, ...]) -> None:
    found = [posterior(ratio, inside, 500) for inside in (0.1, 0.5, 0.9)]
    assert found == pytest.approx(expected, abs=0.005)


def test_calibration() -> None:
    assert calibration_error([(0.75, True)] * 3 + [(0.75, False)]) == pytest.approx(0.0)
    assert calibration_error([(0.95, False)] * 4) == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("hits", "of", "expected"),
    [
        (0, 0, (0.0, 1.0)),
        (0, 1000, (0.0, 1 - 0.025 ** (1 / 1000))),
        (10, 10, (0.025 ** (1 / 10), 1.0)),
        (1, 10, (0.002529, 0.445016)),
        (5, 10, (0.187086, 0.812914)),
        (600, 104_000, (0.005317, 0.006249)),
    ],
)
def test_intervals_are_exact(hits: int, of: int, expected: tuple[float, float]) -> None:
    assert interval(hits, of) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.9])
def test_intervals_hold_the_true_share_at_least_as_often_as_they_say(share: float) -> None:
    of = 60
    outside = [
        math.comb(of, hits) * share**hits * (1 - share) ** (of - hits)
        for hits in range(of + 1)
        if not interval(hits, of)[0] <= share <= interval(hits, of)[1]
    ]
    assert sum(outside) <= 0.05


def test_writers_keep_what_their_way_keeps() -> None:
    slots, forms = [Slot(f"slot {number}", 2, (1.0,) * 4) for number in range(500)], [1] * 500
    texts = {way: Writer(way, random.Random(3)).text([(slots, forms)])[0] for way in Way}
    kept = {way: sum(form == 1 for form in text) / 500 for way, text in texts.items()}
    assert kept[Way.VERBATIM] > 0.98
    assert 0.88 < kept[Way.PICTURE] < kept[Way.VERBATIM]
    assert 0.3 < kept[Way.RETYPED] < 0.9
    assert set(texts[Way.CANONICAL]) == {0}
