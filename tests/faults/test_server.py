"""A PostgreSQL server that is down, comes back, ends connections, has none left, or takes no writes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from registry.cli.auditing import verify_ledger
from tests.fakes.faulty import engines
from tests.fakes.postgres import OWNER, PostgresServer
from tests.faults.asks import DISCLOSURE, ENROLLMENT, PLAIN, QUESTIONS, Desk, readiness
from tests.faults.conftest import opened_desk
from tests.functional.services.homes import make_template, open_copy


@pytest.fixture
def placed(own_server: PostgresServer, tmp_path: Path) -> Iterator[tuple[Desk, PostgresServer, str]]:
    """A registry on a server of its own, and the name of its database."""
    name = own_server.create_database()
    url = own_server.url(name)
    home = open_copy(make_template(tmp_path, url), tmp_path / "home", url)
    with opened_desk(home) as desk:
        yield desk, own_server, name
    home.close()


def all_fail(desk: Desk, cause: str) -> None:
    for question in QUESTIONS:
        answer = question.ask(desk)
        assert (answer.status, answer.json().get("cause")) == (503, cause), (question.name, answer.text)
        assert not [text for text in PLAIN if text in answer.text]
    assert readiness(desk)["cause"] == cause


def all_succeed(desk: Desk) -> None:
    assert readiness(desk)["status"] == "ready"
    for question in QUESTIONS:
        answer = question.ask(desk)
        assert answer.status == question.good, (question.name, answer.text)
    verify_ledger(desk.home.app, 1)


def fresh(desk: Desk) -> None:
    for engine in engines(desk.home.app):
        engine.dispose()


def test_a_server_that_is_down_is_named_and_found_again(placed: tuple[Desk, PostgresServer, str]) -> None:
    desk, server, _ = placed
    server.stop()
    all_fail(desk, "connection_lost")
    server.start()
    all_succeed(desk)


def the_only_connection(server: PostgresServer, name: str) -> psycopg.Connection[Any]:
    """Connect as soon as those that were just closed are gone on the server too."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return psycopg.connect(f"host={server.folder} user={OWNER} dbname={name}")
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_server_without_connections_is_named(placed: tuple[Desk, PostgresServer, str]) -> None:
    desk, server, name = placed
    with server.admin() as admin:
        admin.execute(f"ALTER ROLE {OWNER} CONNECTION LIMIT 1")
    assert desk.home.app.high_water is not None
    desk.home.app.high_water.close()
    fresh(desk)
    with the_only_connection(server, name):
        all_fail(desk, "connections_exhausted")
    with server.admin() as admin:
        admin.execute(f"ALTER ROLE {OWNER} CONNECTION LIMIT -1")
    all_succeed(desk)


def test_a_server_that_takes_no_writes_is_named_and_used_again(placed: tuple[Desk, PostgresServer, str]) -> None:
    """Connections that were opened meanwhile stay as they were opened: they must not be kept."""
    desk, server, name = placed
    with server.admin() as admin:
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    fresh(desk)
    for question in (DISCLOSURE, ENROLLMENT):
        answer = question.ask(desk)
        assert (answer.status, answer.json()["cause"]) == (503, "read_only")
    assert readiness(desk)["cause"] == "read_only"
    with server.admin() as admin:
        admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    all_succeed(desk)


def test_connections_that_are_ended_cost_only_what_is_at_work(placed: tuple[Desk, PostgresServer, str]) -> None:
    desk, server, name = placed
    ended, outcomes = threading.Event(), Counter[str]()

    def end_connections() -> None:
        with server.admin() as admin:
            while not ended.wait(0.02):
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    ending = threading.Thread(target=end_connections)
    ending.start()
    try:
        while outcomes["lost"] < 5 and outcomes.total() < 2_000:
            for question in (DISCLOSURE, ENROLLMENT):
                answer = question.ask(desk)
                if answer.status == question.good:
                    outcomes["good"] += 1
                else:
                    assert (answer.status, answer.json()["cause"]) == (503, "connection_lost")
                    assert not [text for text in PLAIN if text in answer.text]
                    outcomes["lost"] += 1
    finally:
        ended.set()
        ending.join()
    assert outcomes["lost"] >= 5
    all_succeed(desk)
