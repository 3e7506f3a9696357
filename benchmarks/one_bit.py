"""``python -m benchmarks.one_bit [ROUNDS [SEED]]``: does the time of a check of one value tell a decoy from anybody?

Equal numbers of telephone numbers of people, of decoys and of nobody are checked in random order, over and over, by one
caller. Compared are ranks, not means: the share of pairs in which the decoy took longer (0.5 when time tells nothing),
with its interval at 95 %. A check says itself whether a value is protected, so that those of nobody may differ.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from random import Random
from statistics import median

from benchmarks.machine import describe, moment
from benchmarks.table import markdown
from registry.domain.categories import Category
from registry.domain.principals import Role
from tests.functional.services.homes import Home, make_template, open_copy, person

_EACH = 20  # values of each kind
_Z = 1.959963985


def main() -> None:
    """Measure and print; ends with 1 where the interval leaves 0.5 out."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(f"`python -m benchmarks.one_bit {rounds} {seed}`\n\n{describe()}; {moment()}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        home = open_copy(make_template(Path(folder)), Path(folder) / "home")
        try:
            took = _measured(home, rounds, Random(seed))
        finally:
            home.close()
    rows = []
    tells = False
    for kind in ("decoy", "nobody"):
        share, spread = more_often_longer(took[kind], took["person"])
        tells |= kind == "decoy" and abs(share - 0.5) > spread
        rows.append(
            [kind, f"{median(took[kind]) * 1000:.2f}", f"{share:.3f} [{share - spread:.3f}, {share + spread:.3f}]"]
        )
    rows.insert(0, ["person", f"{median(took['person']) * 1000:.2f}", ""])
    print(markdown(("value of", "median, ms", f"longer than a person's, {len(took['person'])} checks each"), rows))
    print(f"\n{moment()}")
    sys.exit(tells)


def _measured(home: Home, rounds: int, rng: Random) -> dict[str, list[float]]:
    """Return the seconds of each check by kind."""
    numbers = [f"816-555-{line:04}" for line in rng.sample(range(10_000), 3 * _EACH)]
    values = {number: ("person", "decoy", "nobody")[place % 3] for place, number in enumerate(numbers)}
    for place, (number, kind) in enumerate(values.items()):
        if kind != "nobody":
            phone = {"category": "phone", "value": {"kind": "mobile", "number": number}}
            home.enroll(person(f"B-{place:04}", given_name=f"Ada{'abcdefghij'[place % 10]}", records=[phone]))
    decoys = [f"B-{place:04}" for place, kind in enumerate(values.values()) if kind == "decoy"]
    home.app.decoys.add(home.caller("admin", Role.SECURITY_ADMIN), decoys)
    caller, took = home.caller("checker", Role.INVESTIGATOR), defaultdict[str, list[float]](list)
    for turn in range(rounds + 1):
        for number in rng.sample(numbers, len(numbers)):
            began = time.perf_counter()
            said = home.app.check_value.check(caller, Category.PHONE, {"kind": "mobile", "number": number}).is_protected
            seconds = time.perf_counter() - began
            if said is not (values[number] != "nobody"):
                raise SystemExit("a check was answered wrongly, or not at all")
            if turn:  # the first round warms up
                took[values[number]].append(seconds)
    return took


def more_often_longer(one: list[float], other: list[float]) -> tuple[float, float]:
    """Return the share of pairs in which the first is longer, and half its interval at 95 % (Mann and Whitney)."""
    order = sorted([(seconds, 1) for seconds in one] + [(seconds, 0) for seconds in other])
    ranks = sum(place for place, (_, mine) in enumerate(order, 1) if mine)
    m, n = len(one), len(other)
    share = (ranks - m * (m + 1) / 2) / (m * n)
    return share, _Z * ((m + n + 1) / (12 * m * n)) ** 0.5


if __name__ == "__main__":
    main()
