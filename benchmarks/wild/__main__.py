"""``python -m benchmarks.wild [dev|unseen ...] [--each N] [--errors N]``: a second population, other hands."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from random import Random

from benchmarks.finding.halves import score_halves
from benchmarks.finding.texts import Leak
from benchmarks.wild.compose import Composer
from benchmarks.wild.lists import list_leaks
from benchmarks.wild.population import enrolled_as, people
from tests.unit.leaktrace.people import Person

# The second half has another seed, other names, sentences, writings and kinds of noise.
HALVES = {"dev": (40_117, 0), "unseen": (77_003, 1)}
NUMBERS = {
    "people": (120, "enrolled people, at most 150"),
    "each": (200, "texts of every class"),
    "lists": (4, "lists in every form"),
}


def made(name: str, asked: Namespace) -> tuple[Sequence[Person], Sequence[Leak]]:
    """Make a half."""
    seed, half = HALVES[name]
    crowd, rng = people(seed, half, asked.people), Random(seed)
    leaks = Composer(seed + 1, half, *crowd).leaks(asked.each) + list_leaks(seed + 2, half, crowd, asked.lists)
    return [enrolled_as(one, rng) for one in crowd[0]], leaks


if __name__ == "__main__":
    score_halves("benchmarks.wild", __doc__, HALVES, NUMBERS, made)
