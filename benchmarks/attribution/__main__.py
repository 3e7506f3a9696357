"""``python -m benchmarks.attribution [power|nulls ...] [--seed N] [--scale X]``: simulate leaks, and print tables."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Mapping

from benchmarks.attribution.nulls import nulls
from benchmarks.attribution.power import power
from benchmarks.attribution.world import Size
from benchmarks.machine import describe, moment

PARTS: Mapping[str, Callable[[int, Size, float], str]] = {"power": power, "nulls": nulls}


def main() -> None:
    """Simulate the parts asked for, else both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; else both")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is made up")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of leaks")
    asked = parser.parse_args()
    if set(asked.parts) - set(PARTS):
        parser.error("no such part")
    print(f"`python -m benchmarks.attribution {shlex.join(sys.argv[1:])}`\n\n{describe()}; {moment()}\n", flush=True)
    for name in asked.parts or PARTS:
        start = time.process_time()
        print(f"## {name}\n\n{PARTS[name](asked.seed, Size(), asked.scale)}\n", flush=True)
        print(f"{time.process_time() - start:.0f} s of one processor\n", flush=True)
    print(moment())


if __name__ == "__main__":
    main()
