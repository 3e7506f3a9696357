"""The parts of the whole run, each a heading, a command to repeat it, and a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.evidence import bundles
from benchmarks.growth import Size, make
from benchmarks.growth import measure as measure_growth
from benchmarks.growth import report as growth_report
from benchmarks.hot_path import hot_path
from benchmarks.key_services import key_services
from benchmarks.ledger import append, verify
from benchmarks.ledger_cost import ledger_cost
from benchmarks.load import generator
from benchmarks.notices import notices
from benchmarks.policy import policy
from benchmarks.reading import reading
from benchmarks.registries import Registry, batches, filled, lookup_target, postgresql, served
from benchmarks.serving import Plan, everything, measure, medians, report
from benchmarks.table import markdown, number, ratio
from benchmarks.targets import Target, free_port, running
from benchmarks.tracing import tracing

BASE = "OpenBao, KV v2 read with file audit device"
_EACH = 50
_BATCH_CLIENTS = 16
_SLOW_MILLISECONDS = 2


def serving(plan: Plan) -> str:
    """Measure single lookups beside the peers."""
    with everything(plan.people) as (targets, missing):
        found = measure(targets, plan)
    told = "".join(f"\nNot measured: {what}." for what in missing)
    return f"{_asked(plan)}, 6 records each.\n\n{report(found, BASE)}\n{told}"


def batch(plan: Plan) -> str:
    """Measure batches of 50 beside single lookups, at 16 clients."""
    with TemporaryDirectory(prefix="registry-bench-") as folder, ExitStack() as stack:
        registry = filled(Path(folder), plan.people)
        single = stack.enter_context(served(registry, Path(folder) / "log"))
        many = replace(single, name="batches of 50", requests=batches(registry, _EACH), each=_EACH)
        found = measure([single, many], replace(plan, clients=(_BATCH_CLIENTS,)))
    return f"{_asked(plan)}; subjects looked up.\n\n{report(found, single.name)}"


def slow_disk(plan: Plan) -> str:
    """Measure lookups where every commit takes 2 ms longer: batches grow, answers do not get rarer."""
    with TemporaryDirectory(prefix="registry-bench-") as folder, ExitStack() as stack:
        registry = filled(Path(folder), plan.people)
        target = stack.enter_context(_served_slowly(registry, Path(folder) / "log"))
        found = measure([target], replace(plan, clients=(1, 16, 64)))
    rates = {clients: medians(rounds).rate for (_, clients), rounds in found.items()}
    rows = [[str(clients), number(rate), ratio(rate / rates[1])] for clients, rate in rates.items()]
    return f"{_asked(plan)}; 2 ms added to every commit.\n\n{markdown(['clients', 'requests/s', 'over one'], rows)}"


@contextmanager
def _served_slowly(registry: Registry, log: Path) -> Iterator[Target]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.slow_disk", str(registry.settings.home), str(port)]
    with running([*command, str(_SLOW_MILLISECONDS)], port, log) as process:
        yield lookup_target("Registry on a slow disk", registry, port, process.pid)


def growth(plan: Plan) -> str:
    """Measure what one act costs in registries of several sizes."""
    real = plan.sizes[0][0]
    told = [f"{real:,} people imported, the rest synthetic (`benchmarks/synthetic.py`); median / 95th percentile."]
    with TemporaryDirectory(prefix="registry-bench-") as name, ExitStack() as stack:
        server = stack.enter_context(postgresql())
        for database in (None, server) if server is not None else (None,):
            made = make(Path(name) / str(len(told)), [Size(*size) for size in plan.sizes], real, database)
            told.append(f"{made[0].registry.engine}:\n\n{growth_report(made, measure_growth(made, plan.rounds))}")
    return "\n\n".join(told)


PARTS: Mapping[str, Callable[[Plan], str]] = {
    "serving": serving,
    "batch": batch,
    "slow-disk": slow_disk,
    "hot-path": hot_path,
    "policy": policy,
    "notices": notices,
    "append": append,
    "ledger-cost": ledger_cost,
    "key-services": key_services,
    "verify": verify,
    "reading": reading,
    "bundles": bundles,
    "growth": growth,
    "tracing": tracing,
}


def _asked(plan: Plan) -> str:
    return f"{plan.people:,} people, {plan.rounds} rounds of {plan.seconds:.0f} s, medians; load by {generator()}"
