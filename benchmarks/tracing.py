"""What tracing costs at several sizes: one post, prose, a dump, the index; beside a scan of decrypted values and SQL.

Each registry is measured alone: posts in process, texts by the whole command ``registry trace --batch``. What is
scanned beside it are as many values, each under a nonce of its own; nothing that a registry does besides (receipts,
keys of a person, the ledger) is counted for that scan.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from benchmarks.finding.speed import dump_of, prose
from benchmarks.growth import Size, Sized, make
from benchmarks.people import document, post_about
from benchmarks.registries import Registry, postgresql
from benchmarks.serving import Plan
from benchmarks.table import markdown, milliseconds, number
from registry.bootstrap import Application, opened
from registry.domain.categories import Category
from registry.leaktrace.terms import PersonNames, directory_terms, record_terms
from registry.services.values import index_terms
from registry.vault.blind_index import IndexTerm, Posting
from tests.fakes.postgres import PostgresServer

_POSTS = 40
_REAL = 20_000  # imported at most; the rest is synthetic
_LEAST_ENTRIES, _ENTRIES = 20_000, 2  # of the ledger; and so many more a person
_SCANNED = 20_000  # values that are really decrypted; the rest is reckoned from them
_VALUES = 7  # of a person
_ENROLLED = 500
_NOBODY_YET = 5_000_000
_POSTGRESQL_BYTES = "SELECT pg_total_relation_size('postings')"
_EVERY = 0.05  # seconds
_DUMP_COLUMNS = ("texts", "MB", "s", "s of processors", "peak MB", "ms a row")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds elapsed and of processors, and the most memory in bytes, of one command."""

    elapsed: float
    busy: float
    peak: int


def tracing(plan: Plan) -> str:
    """Measure registries of every size that is asked for, on SQLite and PostgreSQL."""
    sizes = [Size(people, _LEAST_ENTRIES + people * _ENTRIES) for people in plan.populations]
    real = min(_REAL, sizes[0].people)
    told = [f"{real:,} people imported, the rest synthetic; dump of {plan.rows:,} rows, half of them of the imported."]
    with TemporaryDirectory(prefix="registry-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        server = None if plan.sqlite else stack.enter_context(postgresql())
        if server is None:
            told.append("PostgreSQL is not measured: it was not asked for, or its programs are not installed.")
        for database in (None, server) if server is not None else (None,):
            made = make(folder / str(len(told)), sizes, real, database)
            told += [_measured(folder, one, (real, plan.rows)) for one in made]
        told += [_scan(one.people) for one in sizes]
        if server is not None:
            told += [_plain(server, one.people) for one in sizes]
    return "\n\n".join(told)


def _measured(folder: Path, one: Sized, asked: tuple[int, int]) -> str:
    registry, (real, rows) = one.registry, asked
    with opened(registry.settings) as application:
        first, again = (_posts(application, real) for _ in range(2))
        enrolling = _enrolling(application)
    lines = [
        ["one post, first time, p50 / p95 ms", _spread(first)],
        ["one post, p50 / p95 ms", _spread(again)],
        ["index bytes a person", number(_index_bytes(registry) / one.size.people)],
        ["enrollment: terms of a person, ms", milliseconds(enrolling[0])],
        ["enrollment: their postings keyed and stored, ms", milliseconds(enrolling[1])],
    ]
    told = [f"### {registry.engine}, {one.size.people:,} people", markdown(("what", "measured"), lines)]
    texts = {f"dump of {rows:,} rows": (dump_of(real, rows), rows), "1 MB of prose": (prose(), 0)}
    table = [_row(name, text, count, _traced(folder, registry, text)) for name, (text, count) in texts.items()]
    measured = "\n\n".join([*told, markdown(_DUMP_COLUMNS, table)])
    print(measured, file=sys.stderr, flush=True)  # the next one may take an hour
    return measured


def _row(name: str, text: str, rows: int, cost: Cost) -> list[str]:
    each = milliseconds(cost.elapsed / rows) if rows else ""
    return [
        name,
        number(len(text.encode()) / 1e6),
        number(cost.elapsed),
        number(cost.busy),
        number(cost.peak / 1e6),
        each,
    ]


def _posts(application: Application, real: int) -> list[float]:
    """Match posts about different people; returns the seconds of each."""
    caller, rng = application.local_caller(), Random(1)
    taken = []
    for _ in range(_POSTS):
        text = post_about(rng.randrange(real))
        started = time.perf_counter()
        found = application.matcher.match(caller, text, detail="benchmark").matching
        taken.append(time.perf_counter() - started)
        if not found.findings:
            raise SystemExit("a post about somebody enrolled was not found: nothing was measured")
    return taken


def _spread(taken: Sequence[float]) -> str:
    ordered = sorted(taken)
    return f"{milliseconds(ordered[len(ordered) // 2])} / {milliseconds(ordered[int(len(ordered) * 0.95)])}"


def _enrolling(application: Application) -> tuple[float, float]:
    """Make and store the terms of people who are not there, and take them back; returns seconds a person of each."""
    kernel = application.kernel
    people = [document(_NOBODY_YET + number) for number in range(_ENROLLED)]
    started = time.perf_counter()
    terms = [(term, Posting(f"{place + 1:032x}", 1)) for place, one in enumerate(people) for term in _terms(one)]
    made = time.perf_counter()
    with kernel.database.write() as work:  # never committed
        kernel.index.add(work.postings, terms)
        stored = time.perf_counter()
    return (made - started) / _ENROLLED, (stored - made) / _ENROLLED


def _terms(person: Mapping[str, object]) -> Iterator[IndexTerm]:
    names = PersonNames(str(person["given_name"]), str(person["family_name"]))
    yield from index_terms(directory_terms(names.given_name, names.family_name))
    for record in person["records"]:  # type: ignore[attr-defined]  # a document for enrollment
        yield from index_terms(record_terms(Category(record["category"]), record["value"], owner=names))


def _index_bytes(registry: Registry) -> float:
    engine = create_engine(registry.settings.database_url)
    is_sqlite = engine.dialect.name == "sqlite"
    asked = "SELECT sum(pgsize) FROM dbstat WHERE name = 'postings'" if is_sqlite else _POSTGRESQL_BYTES
    try:
        with engine.connect() as connection:
            return float(connection.exec_driver_sql(asked).scalar_one())
    except OperationalError:  # a library without dbstat: label and value, without the tree around them
        with engine.connect() as connection:
            return 48.0 * int(connection.exec_driver_sql("SELECT count(*) FROM postings").scalar_one())
    finally:
        engine.dispose()


def _traced(folder: Path, registry: Registry, text: str) -> Cost:
    """Run the whole command on one text."""
    source, target = folder / "in.jsonl", folder / "out.jsonl"
    source.write_text(json.dumps({"id": "text", "text": text}), "utf-8")
    command = [sys.executable, "-m", "registry", "--home", str(registry.settings.home), "trace", "--batch", str(source)]
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--out", str(target)], env={**os.environ, **registry.environment})
    peak, ended = 0, 0
    while not ended:  # what a process had before it became another program counts in ru_maxrss: so its own is read
        peak = max(peak, _peak(process.pid))
        time.sleep(_EVERY)
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("the trace failed: nothing was measured")
    return Cost(time.perf_counter() - started, used.ru_utime + used.ru_stime, peak)


def _peak(process: int) -> int:
    """Return the most memory that a process had so far, in bytes; 0 when it is gone. Its own processes do not count."""
    try:
        lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def _scan(people: int) -> str:
    """Decrypt values one by one and look for one in them: what a search without an index costs at the least."""
    cipher, wanted = AESGCM(bytes(32)), "212-555-0199"
    sealed = [
        (nonce := number.to_bytes(12, "big"), cipher.encrypt(nonce, b"x" * 40, None)) for number in range(_SCANNED)
    ]
    started = time.perf_counter()
    for nonce, value in sealed:
        _ = wanted in cipher.decrypt(nonce, value, None).decode()
    seconds = (time.perf_counter() - started) / _SCANNED * people * _VALUES
    told = f"{number(seconds)} s (reckoned from {_SCANNED:,} of them)"
    return f"Scan of {people * _VALUES:,} decrypted values for one: {told}."


def _plain(server: PostgresServer, people: int) -> str:
    """Search plaintext in PostgreSQL for the values of a post: by trigrams where they are installed, else by LIKE."""
    database = server.create_database()
    with server.admin(database) as connection:
        connection.execute("CREATE TABLE plain (id bigint, value text)")
        with connection.cursor().copy("COPY plain FROM STDIN") as copy:
            for person in range(people):
                for record in document(person)["records"]:
                    copy.write_row((person, next(iter(reversed(record["value"].values())))))
        index = _indexed(connection)
        connection.execute("ANALYZE plain")
        wanted = [next(iter(document(person)["records"][0]["value"].values())) for person in range(20)]
        taken = [_timed(connection, f"%{value}%") for value in wanted]
    server.drop_database(database)
    return f"Plaintext of {people:,} people in PostgreSQL, {index}, one value, p50 / p95 ms: {_spread(taken)}."


def _indexed(connection: psycopg.Connection[object]) -> str:
    try:
        connection.execute("CREATE EXTENSION pg_trgm")
    except psycopg.Error:
        return "LIKE without an index (pg_trgm is not installed)"
    connection.execute("CREATE INDEX ON plain USING gin (value gin_trgm_ops)")
    return "LIKE by trigrams (pg_trgm)"


def _timed(connection: psycopg.Connection[object], pattern: str) -> float:
    started = time.perf_counter()
    connection.execute("SELECT id FROM plain WHERE value LIKE %s", (pattern,)).fetchall()
    return time.perf_counter() - started
