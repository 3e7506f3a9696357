"""What is known beside the forms, and which words a bound carries."""

from __future__ import annotations

import math

import pytest

from registry.attribution.channel import RecordRead, SlotRead
from registry.attribution.decision import Circumstances, CopyBound, Tier, bound_of, tier_of
from registry.attribution.evalue import Verdict, e_value
from registry.attribution.outside import curve, log_inside, log_outside
from registry.attribution.weights import MOST_OVERLAP, Holding, explanation, fame, overlap, timing, weights

EVEN = 1 / 20_000


@pytest.mark.parametrize(("size", "held", "ratio"), [(200, 3, 858_729), (50, 2, 7_222), (1_500, 3, 2_056)])
def test_whoever_looks_up_more_is_no_likelier_a_source(size: int, held: int, ratio: int) -> None:
    found = ["a", "b", "c"]
    famous = dict.fromkeys(found, EVEN)
    assert round(overlap(Holding(frozenset(found[:held]), size), found, famous)) == ratio


@pytest.mark.parametrize(("viewers", "size", "ratio"), [(7, 200, 98.0), (107, 1_500, 1.02)])
def test_a_famous_record_speaks_against_nobody(viewers: int, size: int, ratio: float) -> None:
    famous = fame({"a": viewers}, 165_000)
    assert overlap(Holding(frozenset("a"), size), ["a"], famous) == pytest.approx(ratio, abs=0.02)


def test_times_and_cases() -> None:
    assert timing(0, 365) == pytest.approx(0.3 + 0.7 * 365 / 17)
    assert timing(10_000, 365) == pytest.approx(0.3)
    assert explanation(explained=True) == pytest.approx(0.5 + 0.5 * 0.3 / 0.94)
    assert explanation(explained=False) == pytest.approx(0.5 + 0.5 * 0.7 / 0.06)


def test_weights_add_up_and_leave_nobody_out() -> None:
    holdings = {
        "busy": Holding(frozenset("ab"), 1_500, {"a": 300.0, "b": None}, {"a": True, "b": True}),
        "quiet": Holding(frozenset("ab"), 20, {"a": 1.0, "b": 1.0}),
        "half": Holding(frozenset("a"), 20, {"a": 2.0}),
    }
    given = weights(holdings, ["a", "b"], {"a": EVEN, "b": EVEN}, 365)
    assert sum(given.values()) == pytest.approx(1.0)
    assert min(given.values()) >= 0.2 / 3
    assert given["quiet"] > given["half"] > 0.2 / 3
    assert weights({}, ["a"], {"a": EVEN}, 365) == {}


def test_the_worked_example_is_a_lead() -> None:
    verdict = Verdict(64.0, 1 / 64, 0, 0, 10, 9)
    assert bound_of(verdict, 0.4) == pytest.approx(0.039, abs=5e-4)
    assert (
        tier_of(CopyBound("a", 0.4, verdict, bound_of(verdict, 0.4)), [], Circumstances(uncapped=True, posterior={}))
        == Tier.LEAD
    )
    assert bound_of(verdict, 1 / 7) == pytest.approx(0.109, abs=5e-4)


def standing(
    bound: float,
    *,
    cards: int = 2,
    complete: bool = True,
    own: float = 0.999,
    rival: float = 0.001,
    forgeable: frozenset[str] = frozenset(),
) -> Tier:
    verdict = Verdict(1 / bound, bound, 0, 0, 10, 9)
    one, other = CopyBound("a", 1.0, verdict, bound, cards), CopyBound("b", 1.0, verdict, 1.0, 0)
    return tier_of(one, [one, other], Circumstances(complete, {"a": own, "b": rival}, forgeable))


@pytest.mark.parametrize(
    ("bound", "tier"),
    [
        (0.051, Tier.NONE),
        (0.05, Tier.LEAD),
        (1.1e-3, Tier.LEAD),
        (1e-3, Tier.STRONG),
        (1.1e-6, Tier.STRONG),
        (1e-6, Tier.ATTRIBUTED),
    ],
)
def test_bounds_and_their_words(bound: float, tier: Tier) -> None:
    assert standing(bound) == tier


@pytest.mark.parametrize(
    "short", [{"cards": 1}, {"own": 0.98}, {"rival": 0.02}], ids=["one card", "an outside prior of 0.9", "a rival"]
)
def test_the_top_takes_more_than_a_bound(short: dict[str, float]) -> None:
    assert standing(1e-9, **short) == Tier.STRONG  # type: ignore[arg-type]  # names of the helper


def test_a_gap_caps_everything_at_a_lead() -> None:
    assert standing(1e-12, complete=False) == Tier.LEAD


def test_a_copy_that_could_be_written_like_by_others_is_a_lead_and_no_other_is_touched() -> None:
    assert standing(1e-12, forgeable=frozenset({"a"})) == Tier.LEAD
    assert standing(1e-12, forgeable=frozenset({"b"})) == Tier.ATTRIBUTED


def read(form: int, count: int = 10) -> list[RecordRead]:
    kept = (0.999, 0.85, 0.95, 0.6)
    return [
        RecordRead((SlotRead("suffix", 2, kept, form), SlotRead("phone", 5, kept, form)), {"a": (1, 1), "b": (2, 4)})
        for _ in range(count)
    ]


def test_a_text_in_public_forms_points_outside() -> None:
    points = curve(read(0), {"a": 1.0, "b": 1.0})
    assert all(point.outside > point.prior for point in points)


def test_a_text_in_the_forms_of_a_copy_points_at_it_and_at_no_other() -> None:
    points = curve(read(1), {"a": 1.0, "b": 1.0})
    assert all(point.copies["a"] > 0.95 and point.copies["b"] < 1e-3 for point in points)
    assert [point.prior for point in points] == [0.1, 0.5, 0.9, 0.99]
    assert all(point.outside + sum(point.copies.values()) == pytest.approx(1.0) for point in points)


def test_a_copy_gains_no_more_over_the_outside_than_over_a_random_draw() -> None:
    """One value in forms that are rare outside: the assumption about outside sources must not carry a certainty."""
    (record,) = read(1, 1)
    e = e_value([record.slots], [record.drawn["a"]])
    (point,) = curve([record], {"a": 1.0, "b": 1.0}, [0.9])
    assert log_inside([record], "a") - log_outside([record]) > math.log(e)
    assert point.copies["a"] / point.outside == pytest.approx(0.05 * e / 0.9)


def test_what_is_observed_adds_no_more_than_its_cap() -> None:
    blank = [RecordRead((SlotRead("suffix", 2, (1.0,) * 4, None),), {"a": (1,), "b": (1,)})]
    (point,) = curve(blank, {"a": 1e9, "b": 1.0}, [0.5])
    assert point.copies["a"] == pytest.approx(0.5 * MOST_OVERLAP / (MOST_OVERLAP + 1.0))


def test_what_is_observed_says_nothing_against_the_outside() -> None:
    """Whoever looked holds more than somebody who did not; of those who looked, all did."""
    blank = [RecordRead((SlotRead("suffix", 2, (1.0,) * 4, None),), {"a": (1,), "b": (1,)})]
    for beside in ({"a": 90.0, "b": 80.0}, {"a": 1e-3, "b": 1e-4}):
        assert [point.outside for point in curve(blank, beside, [0.5, 0.9])] == pytest.approx([0.5, 0.9])


def test_likelihoods_are_those_of_one_slot() -> None:
    (record,) = read(1, 1)
    one = [RecordRead(record.slots[:1], {"a": (1,)})]
    assert log_outside(one) == pytest.approx(math.log(0.125))
    kept = (0.999, 0.85, 0.95, 0.6, 0.0)
    mixed = sum(w * ((1 - k) * 0.15 + k) for w, k in zip((0.3, 0.1, 0.25, 0.3, 0.05), kept, strict=True))
    assert log_inside(one, "a") == pytest.approx(math.log(mixed))


def test_a_dump_neither_vanishes_nor_leaves_the_range_of_numbers() -> None:
    found = [str(number) for number in range(400)]
    famous = dict.fromkeys(found, EVEN)
    holdings = {"all": Holding(frozenset(found), 400), "one": Holding(frozenset(found[:1]), 400)}
    given = weights(holdings, found, famous, 365)
    assert given["all"] == pytest.approx(0.9)
    assert given["one"] == pytest.approx(0.1)
    assert math.isfinite(overlap(holdings["all"], found, famous))
