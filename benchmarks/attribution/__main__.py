"""``python -m benchmarks.attribution [PART ...] [--seed N] [--scale X] [--keep FILE]``: simulate leaks."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.attribution.asked import BLOCKS, asked
from benchmarks.attribution.leaked import BLOCKS as LEAKED_BLOCKS
from benchmarks.attribution.leaked import leaked
from benchmarks.attribution.many import many
from benchmarks.attribution.nulls import nulls
from benchmarks.attribution.power import power
from benchmarks.attribution.speed import speed
from benchmarks.attribution.together import together
from benchmarks.attribution.world import Size
from benchmarks.machine import describe, moment

Part = Callable[[int, float, Path | None], str]

# Figures alone: forms are drawn and scored, nothing is written or served.
_OF_FIGURES = {"power": power, "nulls": nulls, "together": together}
# Over HTTP, with real lookups and traces; they can be stopped, and go on where they were kept.
_OF_THE_PRODUCT: Mapping[str, Part] = {
    "asked": lambda seed, scale, keep: asked(seed, max(1, round(BLOCKS * scale)), keep),
    "speed": speed,
    "many": many,
    "leaked": lambda seed, scale, keep: leaked(seed, max(1, round(LEAKED_BLOCKS * scale)), keep),
}
PARTS = (*_OF_FIGURES, *_OF_THE_PRODUCT)


def main() -> None:
    """Simulate the parts asked for, else those of figures alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; else the first three")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is made up")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of leaks")
    parser.add_argument("--keep", type=Path, help="where a part over HTTP keeps what is done, to go on from there")
    wanted = parser.parse_args()
    if set(wanted.parts) - set(PARTS):
        parser.error("no such part")
    print(f"`python -m benchmarks.attribution {shlex.join(sys.argv[1:])}`\n\n{describe()}; {moment()}\n", flush=True)
    for name in wanted.parts or _OF_FIGURES:
        start = time.process_time()
        print(f"## {name}\n\n{_table(name, wanted)}\n", flush=True)
        print(f"{time.process_time() - start:.0f} s of one processor\n", flush=True)
    print(moment())


def _table(name: str, wanted: argparse.Namespace) -> str:
    if name in _OF_FIGURES:
        return _OF_FIGURES[name](wanted.seed, Size(), wanted.scale)
    return _OF_THE_PRODUCT[name](wanted.seed, wanted.scale, wanted.keep)


if __name__ == "__main__":
    main()
