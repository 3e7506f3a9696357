"""What one act costs as a registry grows: sizes side by side, each served by ``registry serve``, asked in turns."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.load import UnsoundRun
from benchmarks.machine import resident_bytes
from benchmarks.people import document, number_of, post_about
from benchmarks.registries import CARD, PURPOSE, Registry, filled, look_up_in_process, served
from benchmarks.synthetic import grow
from benchmarks.table import markdown, milliseconds, number
from registry.bootstrap import LOCAL_ROLES, migrate_database, opened
from registry.domain.clock import SystemClock
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.principals import Grant
from registry.settings import load_settings
from tests.fakes.postgres import PostgresServer

_LOOKUPS_BEFORE = 9  # of each of the first people, so that their histories are as long as others'
_BUSY_PEOPLE = 500
_APART = 97  # between the people asked for, so that they are not neighbours in the tables
FIRST = ", first time"
_NOBODY_YET = (2_000_000, 9_000_000)
_EVERYTHING = "bench-everything"


@dataclass(frozen=True, slots=True)
class Size:
    """How large a registry is to be."""

    people: int
    entries: int


@dataclass(frozen=True, slots=True)
class Sized:
    """A registry of one size."""

    size: Size
    registry: Registry


@dataclass(slots=True)
class Measured:
    """What was measured of one registry: seconds by what was done, and figures that are not times."""

    times: dict[str, list[float]] = field(default_factory=dict)
    start: float = 0.0
    memory: int = 0
    memory_after: int = 0


def make(folder: Path, sizes: Sequence[Size], real: int, server: PostgresServer | None = None) -> list[Sized]:
    """Make one registry of each size, all with the same real people.

    Args:
        folder: where; several gigabytes for a million people.
        sizes: what to make, the smallest first.
        real: how many people are imported; those that will be asked for.
        server: a PostgreSQL server; else on SQLite.
    """
    base = filled(folder / "base", real, server)
    _look_up_before(base)
    made = [Sized(Size(real, 0), base)]
    for size in sizes:
        registry = _copy(made[-1].registry, folder / f"{size.people}-{size.entries}", server)
        grow(registry, size.people - made[-1].size.people, size.entries, server)
        made.append(Sized(size, registry))
    return made[1:]


def _look_up_before(registry: Registry) -> None:
    with opened(registry.settings) as application:
        for _ in range(_LOOKUPS_BEFORE):
            look_up_in_process(application, range(min(_BUSY_PEOPLE, registry.people)))


def _copy(smaller: Registry, folder: Path, server: PostgresServer | None) -> Registry:
    shutil.copytree(smaller.settings.home, folder)
    environment: dict[str, str] = {}
    if server is not None:
        name = smaller.settings.database_url.partition("@/")[2].partition("?")[0]
        environment["REGISTRY_DATABASE_URL"] = server.url(server.create_database(name))
    return replace(smaller, settings=load_settings(folder, environment), environment=environment)


class Asking:
    """One client of a served registry, with every role."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> float:
        """Ask, demand success, and return the seconds."""
        text = None if body is None else json.dumps(body)
        started = time.perf_counter()
        self._connection.request(method, path, text, self._headers)
        answer = self._connection.getresponse()
        told = answer.read()
        seconds = time.perf_counter() - started
        if answer.status not in (200, 201):
            raise UnsoundRun(f"{method} {path}: {answer.status} {told[:300]!r}")
        return seconds


Act = Callable[[Asking, int], float]


def _enroll(ask: Asking, _person: int) -> float:
    return ask("POST", "/v1/subjects", document(random.randrange(*_NOBODY_YET)))


def _look_up(ask: Asking, person: int) -> float:
    body = {"employee_number": number_of(person), "categories": CARD, "purpose": PURPOSE}
    return ask("POST", "/v1/disclosures", body)


def _search(ask: Asking, person: int) -> float:
    names = document(person)
    return ask("POST", "/v1/subjects/search", {name: names[name] for name in ("given_name", "family_name")})


def _trace(ask: Asking, person: int) -> float:
    return ask("POST", "/v1/traces", {"text": post_about(person)})


def _page(ask: Asking, _person: int) -> float:
    return ask("GET", "/v1/audit/entries?limit=50&before=2000")


def _page_of_kind(ask: Asking, _person: int) -> float:
    return ask("GET", "/v1/audit/entries?limit=50&kind=init")


def _ready(ask: Asking, _person: int) -> float:
    return ask("GET", "/readyz")


# What is done, and how often in a round.
ACTS: Mapping[str, tuple[Act, int]] = {
    "lookup": (_look_up, 100),
    "enrollment": (_enroll, 10),
    "search by name": (_search, 10),
    "trace of a post": (_trace, 5),
    "audit page": (_page, 5),
    "audit page of a rare kind": (_page_of_kind, 2),
    "readyz": (_ready, 5),
}


def measure(made: Sequence[Sized], rounds: int) -> list[Measured]:
    """Serve all, and do each act in turns: once when nothing of it was read before, then for the same people again."""
    measured = [Measured() for _ in made]
    with ExitStack() as stack:
        asking = [stack.enter_context(_asked(one, found)) for one, found in zip(made, measured, strict=True)]
        roots = [one[1] for one in asking]
        for turn in range(rounds + 1):
            places = range(len(made)) if turn % 2 == 0 else range(len(made) - 1, -1, -1)
            for name, (act, often) in ACTS.items():
                for place in places:
                    people = made[place].registry.people
                    times = [act(asking[place][0], step * _APART % people) for step in range(often)]
                    measured[place].times.setdefault(name if turn else name + FIRST, []).extend(times)
        for found, root in zip(measured, roots, strict=True):
            found.memory_after = resident_bytes([root])
    return measured


@contextmanager
def _asked(one: Sized, found: Measured) -> Iterator[tuple[Asking, int]]:
    registry = one.registry
    migrate_database(registry.settings)
    token = _everything(registry)
    _forget_pages(registry)
    started = time.perf_counter()
    with served(registry, registry.settings.home / "serve.log") as target:
        ask = Asking(target.port, token)
        _ready(ask, 0)
        found.start = time.perf_counter() - started
        found.memory = resident_bytes(target.roots[:1])
        yield ask, target.roots[0]


def _everything(registry: Registry) -> str:
    with opened(registry.settings) as application:
        grant = Grant(DEVELOPMENT_ISSUER, _EVERYTHING, LOCAL_ROLES)
        application.principals.ensure(grant, operator="local:bench")
        issuer = application.development_issuer()
        return issuer.issue(_EVERYTHING, LOCAL_ROLES, ttl_seconds=3_600, now=SystemClock().now())


def _forget_pages(registry: Registry) -> None:
    """Let the operating system forget what it has read of an embedded database; of another server's it cannot."""
    path = registry.settings.home / "registry.db"
    if path.exists() and registry.engine == "SQLite":
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def report(made: Sequence[Sized], measured: Sequence[Measured]) -> str:
    """Write the table: an act a row, a size a column, median and 95th percentile."""
    columns = [
        "milliseconds, p50 / p95",
        *(f"{one.size.people:,} people, {one.size.entries:,} entries" for one in made),
    ]
    rows = [[name, *(_spread(one.times[name]) for one in measured)] for act in ACTS for name in (act + FIRST, act)]
    rows.append(["start until ready, s", *(number(one.start) for one in measured)])
    rows.append(["memory after start / at the end, MB", *(_memory(one) for one in measured)])
    return markdown(columns, rows)


def _spread(times: Sequence[float]) -> str:
    ordered = sorted(times)
    return f"{milliseconds(statistics.median(ordered))} / {milliseconds(ordered[int(len(ordered) * 0.95)])}"


def _memory(one: Measured) -> str:
    return f"{one.memory / 1e6:.0f} / {one.memory_after / 1e6:.0f}"
