"""Registries with people in them, on each engine, to be served by real processes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from registry.bootstrap import initialise, opened
from registry.domain.principals import Role
from registry.services.import_people import Existing
from registry.settings import DEVELOPMENT
from registry.storage.roles import APPLICATION, set_up_roles
from registry.storage.rows import chunks
from registry.text.intake import read_enrollment
from tests.fakes.clock import TestClock
from tests.fakes.postgres import ADMINISTRATOR, PostgresServer
from tests.functional.services.homes import TODAY, Home, person
from tests.processes.clients import Clients
from tests.processes.servers import Server

PEOPLE = 24
EVERYBODY = tuple(person(f"P-{number}") for number in range(PEOPLE))
IMPORTED_AT_ONCE = 500
SERVES = "registry_server"


@dataclass
class City:
    """A registry with people, tokens for it, and the servers that a test starts on it."""

    home: Path
    database: str
    subjects: list[str]
    reader: str
    enroller: str
    auditor: str
    servers: list[Server] = field(default_factory=list)

    def server(self, workers: int = 1, home: Path | None = None) -> Server:
        made = Server(home or self.home, self.database, workers)
        self.servers.append(made)
        return made

    def clients(self, many: int, *servers: Server) -> Clients:
        ports = [server.port for server in servers]
        return Clients(ports, self.reader, self.enroller, self.subjects, many)

    def checkpoint(self, server: Server) -> bytes:
        """Return the signed checkpoint that a server gives out; asked for again while there is none."""
        while True:
            headers = {"Authorization": f"Bearer {self.auditor}"}
            answer = httpx2.get(f"{server.ready['url']}/audit/checkpoint", headers=headers, timeout=60)
            if answer.status_code == 200:
                return answer.content
            time.sleep(0.05)

    def end(self) -> None:
        for server in self.servers:
            server.end()


def people_in(home: Path, database: str = "", people: Iterable[Mapping[str, Any]] = EVERYBODY) -> City:
    """Put people into a new registry, and make tokens for it."""
    server = Server(home, database)
    subjects: list[str] = []
    with opened(server.settings) as application:
        clerk = Home(application, TestClock())
        for batch in chunks(people, IMPORTED_AT_ONCE):
            documents = [read_enrollment(dict(one), today=TODAY) for one in batch]
            done = clerk.import_people(application.local_caller(), documents, Existing.REJECT)
            subjects += [str(line.subject) for line in done.outcomes]
    tokens = [server.token(role) for role in (Role.READER, Role.ENROLLER, Role.AUDITOR)]
    return City(home, database, subjects, *tokens)


def city_on_sqlite(home: Path) -> City:
    initialise(Server(home).settings, DEVELOPMENT)
    return people_in(home)


def city_on_postgresql(home: Path, server: PostgresServer) -> City:
    """Make it as the owner of the database, to be served by an account with the rights that serving needs."""
    name = server.create_database()
    initialise(Server(home, server.url(name)).settings, DEVELOPMENT)
    set_up_roles(server.url(name, ADMINISTRATOR))
    server.create_login(SERVES, APPLICATION)
    return people_in(home, server.url(name, SERVES))


@pytest.fixture(scope="module")
def own_postgres(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A server that nobody minds losing, with room for many processes."""
    own = postgres.another({"max_connections": "600"})
    try:
        own.start()
        yield own
    finally:
        own.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def city(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[City]:
    """A registry on each engine."""
    home = tmp_path / "home"
    is_embedded = request.param == "sqlite"
    made = city_on_sqlite(home) if is_embedded else city_on_postgresql(home, request.getfixturevalue("own_postgres"))
    try:
        yield made
    finally:
        made.end()
