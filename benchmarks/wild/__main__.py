"""``python -m benchmarks.wild [dev|unseen ...] [--each N] [--errors N]``: a second population, other hands."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from random import Random

from benchmarks.finding.matcher import Registry
from benchmarks.finding.score import score
from benchmarks.machine import describe, moment
from benchmarks.wild.compose import Composer
from benchmarks.wild.lists import list_leaks
from benchmarks.wild.population import enrolled_as, people

# The second half has another seed, other names, sentences, writings and kinds of noise.
HALVES = {"dev": (40_117, 0), "unseen": (77_003, 1)}


def main() -> None:
    """Score the halves asked for, else both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wild", description=__doc__)
    parser.add_argument("halves", nargs="*", metavar="HALF", help=f"{', '.join(HALVES)}; else both")
    parser.add_argument("--people", type=int, default=120, help="enrolled people, at most 150")
    parser.add_argument("--each", type=int, default=200, help="texts of every class")
    parser.add_argument("--lists", type=int, default=4, help="lists in every form")
    parser.add_argument("--errors", type=int, default=0, help="print so many errors, and the ways that are missed most")
    parser.add_argument("--show", default="", help="print the texts of these names, between commas")
    asked = parser.parse_args()
    if set(asked.halves) - set(HALVES):
        parser.error("no such half")
    print(f"`python -m benchmarks.wild {shlex.join(sys.argv[1:])}`\n\n{describe()}; {moment()}\n", flush=True)
    for name in asked.halves or HALVES:
        seed, half = HALVES[name]
        crowd = people(seed, half, asked.people)
        leaks = Composer(seed + 1, half, *crowd).leaks(asked.each) + list_leaks(seed + 2, half, crowd, asked.lists)
        start, rng = time.process_time(), Random(seed)
        tally = score(Registry([enrolled_as(one, rng) for one in crowd[0]]), leaks)
        print(f"## {name}\n\n{tally.table()}\n\n{time.process_time() - start:.0f} s of one processor\n", flush=True)
        if asked.errors:
            print(tally.weak_ways(asked.errors), "\n", flush=True)
            print("\n".join(f"  {what} {text} {key} {how}" for what, text, key, how in tally.errors[: asked.errors]))
        for leak in leaks:
            if leak.name in asked.show.split(","):
                print(f"--- {leak.name}\n{leak.text}\n")
    print(moment())


if __name__ == "__main__":
    main()
