"""``python -m benchmarks [PART ...] [--quick]``: measure on this machine, and print tables that can be kept."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from dataclasses import replace

from benchmarks.machine import describe, moment
from benchmarks.parts import PARTS
from benchmarks.serving import Plan

WHOLE = Plan(people=2_000, clients=(1, 16, 64, 256), rounds=5, seconds=3)
QUICK = Plan(
    people=200,
    clients=(1, 16, 64),
    rounds=1,
    seconds=1,
    entries=4_000,
    sizes=((200, 4_000), (2_000, 8_000)),
    populations=(200,),
    rows=2_000,
)
_CHANGEABLE = ("clients", "rounds", "seconds", "entries", "sizes", "rows", "sqlite")


def main() -> None:
    """Measure the parts asked for, else all of them."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that whatever ends this also ends its servers
    asked = _arguments()
    plan = QUICK if asked.quick else WHOLE
    if asked.people is not None:
        plan = replace(plan, people=asked.people[0], populations=asked.people)
    plan = replace(plan, **{name: value for name in _CHANGEABLE if (value := getattr(asked, name)) is not None})
    print(f"`python -m benchmarks {shlex.join(sys.argv[1:])}`\n\n{describe()}; {moment()}\n", flush=True)
    for name in asked.parts or PARTS:
        print(f"## {name}\n\n{PARTS[name](plan)}\n", flush=True)
    print(moment())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Registry on this machine.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(PARTS)}; else all")
    parser.add_argument("--quick", action="store_true", help="a first look in under two minutes")
    parser.add_argument("--people", type=_numbers, help="people enrolled in every target; for tracing, several sizes")
    parser.add_argument("--rows", type=int, help="rows of the dump that is traced")
    parser.add_argument("--sqlite", action="store_true", default=None, help="tracing: on SQLite alone")
    parser.add_argument("--clients", type=_numbers, help="connections, as 1,16,64")
    parser.add_argument("--rounds", type=int, help="rounds of every target")
    parser.add_argument("--seconds", type=float, help="length of a round")
    parser.add_argument("--entries", type=int, help="entries of the ledger that is verified")
    parser.add_argument("--sizes", type=_sizes, help="growth, as 10000:100000,100000:1000000 (people:entries)")
    asked = parser.parse_args()
    unknown = set(asked.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return asked


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _sizes(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (part.split(":") for part in text.split(","))
    return tuple((int(people), int(entries)) for people, entries in pairs)


if __name__ == "__main__":
    main()
