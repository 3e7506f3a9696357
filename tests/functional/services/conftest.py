"""One registry a test, copied from a template, on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.storage.roles import APPLICATION, set_up_roles
from tests.fakes.postgres import ADMINISTRATOR, PostgresServer
from tests.functional.services.homes import Home, make_template, open_copy

SERVER = "registry_server"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Made by the database's owner, and served with the rights that serving needs and no others."""
    name = postgres.create_database()
    made = make_template(tmp_path_factory.mktemp("template"), postgres.url(name))
    set_up_roles(postgres.url(name, ADMINISTRATOR))
    postgres.create_login(SERVER, APPLICATION)
    return made, name


@pytest.fixture
def sqlite_home(template: Path, tmp_path: Path) -> Iterator[Home]:
    opened = open_copy(template, tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def postgres_home(postgres: PostgresServer, postgres_template: tuple[Path, str], tmp_path: Path) -> Iterator[Home]:
    template, made = postgres_template
    name = postgres.create_database(made)
    opened = open_copy(template, tmp_path / "home", postgres.url(name, SERVER))
    yield opened
    opened.close()
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest) -> Home:
    """A registry on each engine: one code path, so one suite."""
    opened: Home = request.getfixturevalue("sqlite_home" if request.param == "sqlite" else "postgres_home")
    return opened
