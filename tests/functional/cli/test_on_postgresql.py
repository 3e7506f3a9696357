"""The command line over PostgreSQL: the same commands, with ``REGISTRY_DATABASE_URL``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.cli.demo.people import make_people, people_csv
from registry.storage.migrate import newest_revision
from tests.fakes.postgres import PostgresServer
from tests.functional.cli.conftest import Line

PEOPLE = make_people(5)


@pytest.fixture
def far(postgres: PostgresServer, tmp_path: Path) -> Iterator[Line]:
    name = postgres.create_database()
    home = tmp_path / "home"
    yield Line(home, {"REGISTRY_HOME": str(home), "REGISTRY_DATABASE_URL": postgres.url(name)})
    postgres.drop_database(name)


def test_the_main_job(far: Line) -> None:
    far("init")
    far("init")  # changes nothing
    assert not (far.home / "registry.db").exists()
    csv = people_csv(PEOPLE).encode()
    assert far.json("import", "-", "--format", "csv", stdin=csv)["created"] == len(PEOPLE)
    assert far.json("import", "-", "--format", "csv", stdin=csv)["unchanged"] == len(PEOPLE)
    ask = ("--category", "phone", "--purpose", "emergency_contact")
    shown = far.json("disclose", "--employee-number", PEOPLE[0].number, *ask)
    phone = shown["records"][0]["display"]
    found = far.json("trace", "-", stdin=f"{PEOPLE[0].given_name} {PEOPLE[0].family_name} {phone}")
    assert PEOPLE[0].number in str(found)
    assert far.json("audit", "verify")["verified"] is True
    assert newest_revision() in far("migrate").output


def test_another_registrys_database_is_not_taken_over(far: Line, tmp_path: Path) -> None:
    far("init")
    other = Line(tmp_path / "other", {**far.environment, "REGISTRY_HOME": str(tmp_path / "other")})
    other("init", exits=3)
    assert far.json("audit", "verify")["verified"] is True


def test_no_word_of_an_address_with_a_password_is_repeated(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://registry:hunter2@/none?host={tmp_path}"
    line = Line(tmp_path / "home", {"REGISTRY_HOME": str(tmp_path / "home"), "REGISTRY_DATABASE_URL": url})
    told = line("init", exits=3).output
    assert "connection_lost" in told
    assert "hunter2" not in told


def test_an_erasure_is_cleared_from_the_tables_files(far: Line, postgres: PostgresServer, tmp_path: Path) -> None:
    far("init")
    far("import", "-", "--format", "csv", stdin=people_csv(PEOPLE[:2]).encode())
    words = ("--employee-number", PEOPLE[0].number, "--reason", "left the service", "--basis", "Records schedule 4")
    assert far.json("erase", *words, "--yes")["clean"] is False
    told = far.json("database-clear")
    assert (told["kept"], told["log_ended"]) == ([], False)
    assert re.fullmatch("[0-9A-F]{24}", told["log_until"])
    assert told["log_until"] in far("database-clear").output
    assert far.json("audit", "verify")["verified"] is True
    near = Line(tmp_path / "near", {"REGISTRY_HOME": str(tmp_path / "near"), "REGISTRY_DATABASE_URL": ""})
    near("init")
    assert "on SQLite nothing is left" in near("database-clear", exits=3).stderr
    with postgres.admin(far.environment["REGISTRY_DATABASE_URL"].partition("@/")[2].partition("?")[0]) as reading:
        reading.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reading.execute("SELECT 1 FROM pg_class LIMIT 1")
        words = ("--employee-number", PEOPLE[1].number, *words[2:])
        far("erase", *words, "--yes")
        assert "persons" in far.json("database-clear", exits=1)["kept"]
