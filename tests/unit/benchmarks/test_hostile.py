"""Texts that mean to break or to stall the matcher: none fails, none takes long, none grows with its square."""

from __future__ import annotations

import pytest

from benchmarks.finding.hostile import (
    FAMILIES,
    MOST_GROWTH,
    MOST_SECONDS,
    growth,
    hostile_texts,
    registry,
    seconds,
)


def slowest_of(count: int, seed: int) -> float:
    matcher = registry()
    return max(seconds(matcher.match, text) for text in hostile_texts(count, seed))


def test_a_thousand_hostile_texts_are_matched_in_bounded_time_each() -> None:
    assert slowest_of(1_000, seed=3) < MOST_SECONDS


@pytest.mark.slow
def test_ten_thousand_hostile_texts_are_matched_in_bounded_time_each() -> None:
    assert slowest_of(10_000, seed=4) < MOST_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_twice_the_length_is_not_four_times_the_work(family: str) -> None:
    assert growth(registry().match, FAMILIES[family]) < MOST_GROWTH


def test_the_measure_would_tell_a_square() -> None:
    def squared(text: str) -> int:
        return sum(one == other for one in text for other in text)

    assert growth(squared, FAMILIES["digits"], length=400) > MOST_GROWTH


def test_the_same_seed_gives_the_same_texts_and_another_one_others() -> None:
    assert list(hostile_texts(50, 1)) == list(hostile_texts(50, 1)) != list(hostile_texts(50, 2))
    assert len(set(hostile_texts(50, 1))) > 45
