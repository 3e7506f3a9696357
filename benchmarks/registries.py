"""Registries to measure: made, filled through the import that everybody uses, and served by ``registry serve``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from benchmarks.load import UnsoundRun, http_request
from benchmarks.people import document, number_of
from benchmarks.targets import Target, free_port, running
from registry.bootstrap import Application, initialise, opened
from registry.domain.categories import Category
from registry.domain.clock import SystemClock
from registry.domain.principals import Role
from registry.domain.purposes import Purpose, PurposeCode
from registry.identity.issuers import DEVELOPMENT_ISSUER
from registry.services.disclose import Disclosed, DisclosureAsk
from registry.services.principals import Grant
from registry.settings import DEVELOPMENT, Settings, load_settings
from registry.storage.unit_of_work import open_database
from tests.fakes.postgres import PostgresServer, binaries

# So many clerks take turns: every request may be another one's.
CLERKS = 64
CARD = ("home_address", "phone", "ssn", "date_of_birth", "email", "school")
PURPOSE = {"code": "safety", "case": "CASE-1", "note": "benchmark"}
_CARDS_AT_ONCE = 200
_TOKEN_SECONDS = 3_600
_METRICS = re.compile(r"http://[0-9.]+:[0-9]+/metrics")
# A server of its own with the memory that a small deployment gives it.
_POSTGRESQL = {"shared_buffers": "512MB", "autovacuum": "on", "max_wal_size": "4GB", "log_min_messages": "warning"}


@dataclass(frozen=True, slots=True)
class Registry:
    """One filled registry.

    Attributes:
        engine: ``SQLite`` or ``PostgreSQL``.
        settings: where it is.
        environment: what ``registry serve`` needs to find it.
        tokens: one a clerk.
        key: the public key of their issuer, as JSON.
        database_roots: process ids of the database server, which count as part of the server.
    """

    engine: str
    settings: Settings
    environment: Mapping[str, str]
    people: int
    tokens: tuple[str, ...]
    key: str
    database_roots: tuple[int, ...] = ()

    def entries(self) -> int:
        """Count the ledger's entries."""
        database = open_database(self.settings.database_url, self.settings.ledger / "writer.lock")
        try:
            with database.reader() as reader:
                return reader.head().size
        finally:
            database.close()


@contextmanager
def postgresql() -> Iterator[PostgresServer | None]:
    """Run a PostgreSQL server, None where its programs are not installed."""
    programs = binaries()
    if programs is None:
        yield None
        return
    server = PostgresServer(programs, _POSTGRESQL)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def postmaster(server: PostgresServer) -> int:
    """Return the process id of a PostgreSQL server."""
    return int((server.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])


def filled(folder: Path, people: int, server: PostgresServer | None = None) -> Registry:
    """Make a registry of made-up people, on SQLite unless a PostgreSQL server is given."""
    engine = "SQLite" if server is None else "PostgreSQL"
    environment = {}
    if server is not None:
        environment["REGISTRY_DATABASE_URL"] = server.url(server.create_database())
    settings = load_settings(folder / engine, environment)
    initialise(settings, DEVELOPMENT)
    fill(settings, environment, people)
    with opened(settings) as application:
        tokens, key = clerks(application)
    roots = () if server is None else (postmaster(server),)
    return Registry(engine, settings, environment, people, tokens, key, roots)


def fill(settings: Settings, environment: Mapping[str, str], people: int) -> None:
    """Import people with ``registry import``, on every core."""
    with NamedTemporaryFile("w", suffix=".ndjson") as file:
        file.writelines(json.dumps(document(number)) + "\n" for number in range(people))
        file.flush()
        command = [sys.executable, "-m", "registry", "--home", str(settings.home), "import", file.name]
        subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True)


def look_up_in_process(application: Application, people: Iterable[int]) -> None:
    """Look people up without HTTP, many a transaction.

    Raises:
        UnsoundRun: somebody was refused.
    """
    caller = application.local_caller()
    purpose = Purpose(PurposeCode(PURPOSE["code"]), PURPOSE["case"], PURPOSE["note"])
    categories = frozenset(map(Category, CARD))
    tags = [application.kernel.number_tag(number_of(number)) for number in people]
    for first in range(0, len(tags), _CARDS_AT_ONCE):
        asks = [
            DisclosureAsk(None, tag, categories, frozenset(), purpose) for tag in tags[first : first + _CARDS_AT_ONCE]
        ]
        answers = application.disclose.disclose_many([(caller, ask) for ask in asks])
        if not all(isinstance(answer, Disclosed) for answer in answers):
            raise UnsoundRun("a lookup was refused")


def clerks(application: Application) -> tuple[tuple[str, ...], str]:
    """Make readers; return a token for each, and the public key of their issuer."""
    issuer = application.development_issuer()
    tokens = []
    for number in range(CLERKS):
        name, roles = f"clerk-{number:03}", frozenset({Role.READER})
        application.principals.ensure(Grant(DEVELOPMENT_ISSUER, name, roles), operator="local:bench")
        tokens.append(issuer.issue(name, [Role.READER], ttl_seconds=_TOKEN_SECONDS, now=SystemClock().now()))
    return tuple(tokens), json.dumps(issuer.public_key_set()["keys"][0])


def lookups(registry: Registry) -> list[bytes]:
    """Write one lookup of six records for every person, by clerks in turn."""
    return [
        _post(registry, "/v1/disclosures", number, {"employee_number": number_of(number), "categories": CARD})
        for number in range(registry.people)
    ]


def batches(registry: Registry, each: int) -> list[bytes]:
    """Write lookups of ``each`` people at once."""
    cards = [{"employee_number": number_of(number), "categories": CARD} for number in range(registry.people)]
    return [
        _post(registry, "/v1/disclosures/batch", first, {"items": cards[first : first + each]})
        for first in range(0, registry.people - each + 1, each)
    ]


def _post(registry: Registry, path: str, number: int, body: Mapping[str, object]) -> bytes:
    token = registry.tokens[number % len(registry.tokens)]
    return http_request(
        "POST", path, [f"Authorization: Bearer {token}"], json.dumps({**body, "purpose": PURPOSE}).encode()
    )


def can_serve_with_workers() -> bool:
    """Tell whether this version serves with several processes."""
    told = subprocess.run([sys.executable, "-m", "registry", "serve", "--help"], capture_output=True, check=True)
    return b"--workers" in told.stdout


@contextmanager
def served(registry: Registry, log: Path, workers: int = 1) -> Iterator[Target]:
    """Serve a registry with ``registry serve``."""
    port = free_port()
    command = [sys.executable, "-m", "registry", "--home", str(registry.settings.home), "serve", "--port", str(port)]
    name = f"Registry, {registry.engine}"
    if workers > 1:
        command += ["--workers", str(workers)]
        name += f", {workers} workers"
    with running([*command, "--metrics-port", "0"], port, log, registry.environment) as process:
        target = lookup_target(name, registry, port, process.pid)
        yield replace(target, metrics=lambda: _METRICS.findall(log.read_text())[-workers:])


def lookup_target(name: str, registry: Registry, port: int, process: int) -> Target:
    """Describe a server of a registry that is asked for single cards."""
    return Target(
        name=name,
        port=port,
        roots=(process, *registry.database_roots),
        requests=lookups(registry),
        expected=[f'"{category}"'.encode() for category in CARD],
        entries=registry.entries,
    )
