"""``python -m benchmarks.finding [dev|unseen ...] [--each N] [--errors N]``: find made-up people in made-up texts."""

from __future__ import annotations

import argparse
import shlex
import sys
import time

from benchmarks.finding.dumps import FORMATS, UNSEEN_FORMATS, WIDER_FORMATS, dump_leaks
from benchmarks.finding.matcher import Registry, people_of
from benchmarks.finding.score import score
from benchmarks.finding.texts import DEVELOPMENT, UNSEEN, WIDER, Composer
from benchmarks.finding.world import make_world
from benchmarks.machine import describe, moment

HALVES = {
    "dev": (DEVELOPMENT, FORMATS),
    "wider": (WIDER, WIDER_FORMATS),
    "unseen": (UNSEEN, UNSEEN_FORMATS),
}


def main() -> None:
    """Score the halves asked for, else both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.finding", description=__doc__)
    parser.add_argument("halves", nargs="*", metavar="HALF", help=f"{', '.join(HALVES)}; else both")
    parser.add_argument("--people", type=int, default=200, help="enrolled people")
    parser.add_argument("--each", type=int, default=200, help="texts of every class")
    parser.add_argument("--dumps", type=int, default=3, help="dumps in every format")
    parser.add_argument("--errors", type=int, default=0, help="print so many errors, and the ways that are missed most")
    parser.add_argument("--show", default="", help="print the text of this name")
    asked = parser.parse_args()
    if set(asked.halves) - set(HALVES):
        parser.error("no such half")
    print(f"`python -m benchmarks.finding {shlex.join(sys.argv[1:])}`\n\n{describe()}; {moment()}\n", flush=True)
    for name in asked.halves or HALVES:
        half, formats = HALVES[name]
        world = make_world(half.seed, asked.people)
        leaks = Composer(world, half).leaks(asked.each) + dump_leaks(world, half, formats, asked.dumps)
        start = time.process_time()
        tally = score(Registry(people_of(world.enrolled)), leaks)
        print(f"## {name}\n\n{tally.table()}\n\n{time.process_time() - start:.0f} s of one processor\n", flush=True)
        if asked.errors:
            print(tally.weak_ways(asked.errors), "\n", flush=True)
            print("\n".join(f"  {what} {text} {key} {how}" for what, text, key, how in tally.errors[: asked.errors]))
        print("\n".join(leak.text for leak in leaks if leak.name == asked.show))
    print(moment())


if __name__ == "__main__":
    main()
