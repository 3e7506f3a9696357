"""``python -m benchmarks.finding [dev|unseen ...] [--each N] [--errors N]``: find made-up people in made-up texts."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from benchmarks.finding.dumps import FORMATS, UNSEEN_FORMATS, WIDER_FORMATS, dump_leaks
from benchmarks.finding.halves import score_halves
from benchmarks.finding.matcher import people_of
from benchmarks.finding.texts import DEVELOPMENT, UNSEEN, WIDER, Composer, Leak
from benchmarks.finding.world import make_world
from tests.unit.leaktrace.people import Person

HALVES = {
    "dev": (DEVELOPMENT, FORMATS),
    "wider": (WIDER, WIDER_FORMATS),
    "unseen": (UNSEEN, UNSEEN_FORMATS),
}
NUMBERS = {
    "people": (200, "enrolled people"),
    "each": (200, "texts of every class"),
    "dumps": (3, "dumps in every format"),
}


def made(name: str, asked: Namespace) -> tuple[Sequence[Person], Sequence[Leak]]:
    """Make a half."""
    half, formats = HALVES[name]
    world = make_world(half.seed, asked.people)
    leaks = Composer(world, half).leaks(asked.each) + dump_leaks(world, half, formats, asked.dumps)
    return people_of(world.enrolled), leaks


if __name__ == "__main__":
    score_halves("benchmarks.finding", __doc__, HALVES, NUMBERS, made)
