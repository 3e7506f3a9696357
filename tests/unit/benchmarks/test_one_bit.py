"""The figure that says whether time tells two kinds of values apart."""

from __future__ import annotations

from random import Random

from benchmarks.one_bit import more_often_longer


def test_the_same_times_tell_nothing_and_a_tenth_more_is_seen() -> None:
    rng = Random(5)
    one, same = ([rng.gauss(10, 1) for _ in range(1_000)] for _ in range(2))
    share, spread = more_often_longer(one, same)
    assert abs(share - 0.5) < spread < 0.03
    share, spread = more_often_longer([seconds * 1.1 for seconds in one], same)
    assert share - spread > 0.7
    assert more_often_longer([2.0, 3.0], [0.0, 1.0])[0] == 1.0
