"""``python -m benchmarks [PEOPLE]``: enrollment, look-ups, a trace and verification, in process, on a new registry.

Everything is as in service: durable commits, a signed head per commit, receipts read back, values opened. Without HTTP.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.people import made_up
from registry.bootstrap import Application, initialise, opened
from registry.domain.categories import Category
from registry.domain.purposes import Purpose, PurposeCode
from registry.services.disclose import Disclosed, DisclosureAsk
from registry.services.import_people import Existing
from registry.services.kernel import Caller
from registry.services.trace import TraceAsk
from registry.settings import DEVELOPMENT, load_settings

_PEOPLE = 1_000
_LOOKUPS = 300
_BATCH = 64
_IMPORT_LINES = 200
_WARM_UP = 20


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else _PEOPLE
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{people} people, 6 records and a child each; SQLite, WAL, synchronous FULL; one process, no HTTP\n")
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        settings = load_settings(Path(folder) / "home", {})
        initialise(settings, DEVELOPMENT)
        with opened(settings) as application:
            measure(application, people)


def measure(application: Application, people: int) -> None:
    """Run every measurement on one opened registry."""
    caller = application.local_caller()
    started = time.perf_counter()
    for first in range(0, people, _IMPORT_LINES):
        batch = [made_up(number) for number in range(first, min(first + _IMPORT_LINES, people))]
        application.import_people.run(caller, batch, Existing.REJECT)
    rate("import", people, time.perf_counter() - started, "people/s")
    lookups = [ask(application, number % people) for number in range(_WARM_UP + _LOOKUPS)]
    times = [timed(lambda one=one: disclose(application, caller, [one])) for one in lookups]
    spread("look-up, one at a time (2 records)", times[_WARM_UP:])
    times = [timed(lambda: disclose(application, caller, lookups[:_BATCH])) for _ in range(10)]
    spread(f"look-up, {_BATCH} in one commit, each", [seconds / _BATCH for seconds in times])
    spread("trace of a short post", [timed(lambda: trace(application, caller)) for _ in range(10)])


def ask(application: Application, number: int) -> DisclosureAsk:
    """Return a look-up of one person's address and telephone number."""
    return DisclosureAsk(
        subject=None,
        number_tag=application.kernel.number_tag(f"B-{number:06}"),
        categories=frozenset({Category.HOME_ADDRESS, Category.PHONE}),
        records=frozenset(),
        purpose=Purpose(PurposeCode.EMERGENCY_CONTACT),
    )


def disclose(application: Application, caller: Caller, asks: list[DisclosureAsk]) -> None:
    """Look up, and make sure that it was no refusal that was measured."""
    answers = application.disclose.disclose_many([(caller, one) for one in asks])
    if not all(isinstance(answer, Disclosed) for answer in answers):
        raise SystemExit("a look-up was refused: nothing was measured")


def trace(application: Application, caller: Caller) -> None:
    """Trace a post with one person's address."""
    person = made_up(7)
    address = next(record.value["line"] for record in person.records if record.category is Category.HOME_ADDRESS)
    text = f"{person.given_name} {person.family_name} lives at {address}, pass it on"
    application.trace.trace(caller, TraceAsk(text, None, "forum"))


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def rate(what: str, count: int, seconds: float, unit: str) -> None:
    """Print a rate."""
    print(f"{what:38} {count / seconds:10,.0f} {unit}")


def spread(what: str, seconds: list[float]) -> None:
    """Print median and 99th percentile."""
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{what:38} p50 {statistics.median(ordered) * 1e3:8.2f} ms   p99 {p99 * 1e3:8.2f} ms")


if __name__ == "__main__":
    main()
