"""The command of a population that is found: its halves, what is asked of them, and what is printed."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from benchmarks.finding.matcher import Registry
from benchmarks.finding.score import score
from benchmarks.finding.texts import Leak
from benchmarks.machine import describe, moment
from tests.unit.leaktrace.people import Person

Made = Callable[[str, argparse.Namespace], tuple[Sequence[Person], Sequence[Leak]]]
# Beside the numbers of people and of texts, which each population has.
Numbers = Mapping[str, tuple[int, str]]


def score_halves(program: str, told: str | None, halves: Collection[str], numbers: Numbers, made: Made) -> None:
    """Read the command's arguments, score the halves asked for, else all, and print.

    Args:
        program: its name.
        told: what it does.
        halves: that there are.
        numbers: options with a number: what is the default, and what they mean.
        made: makes a half's enrolled people and its texts.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=told)
    parser.add_argument("halves", nargs="*", metavar="HALF", help=f"{', '.join(halves)}; else all")
    for name, (default, meaning) in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=meaning)
    parser.add_argument("--errors", type=int, default=0, help="print so many errors, and the ways that are missed most")
    parser.add_argument("--show", default="", help="print the texts of these names, between commas")
    asked = parser.parse_args()
    if set(asked.halves) - set(halves):
        parser.error("no such half")
    print(f"`python -m {program} {shlex.join(sys.argv[1:])}`\n\n{describe()}; {moment()}\n", flush=True)
    for name in asked.halves or halves:
        enrolled, leaks = made(name, asked)
        start = time.process_time()
        tally = score(Registry(enrolled), leaks)
        print(f"## {name}\n\n{tally.table()}\n\n{time.process_time() - start:.0f} s of one processor\n", flush=True)
        if asked.errors:
            print(tally.weak_ways(asked.errors), "\n", flush=True)
            print("\n".join(f"  {what} {text} {key} {how}" for what, text, key, how in tally.errors[: asked.errors]))
        for leak in leaks:
            if leak.name in asked.show.split(","):
                print(f"--- {leak.name}\n{leak.text}\n")
    print(moment())
