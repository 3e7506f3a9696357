"""One registry a test on each engine, asked in process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from registry.api.app import create_app
from tests.fakes.asgi import AsgiClient
from tests.fakes.postgres import PostgresServer
from tests.faults.asks import Desk
from tests.functional.services.homes import Home, make_template, open_copy


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def sqlite_home(template: Path, tmp_path: Path) -> Iterator[Home]:
    opened = open_copy(template, tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def postgres_home(postgres: PostgresServer, tmp_path: Path) -> Iterator[Home]:
    name = postgres.create_database()
    url = postgres.url(name)
    opened = open_copy(make_template(tmp_path, url), tmp_path / "home", url)
    yield opened
    opened.close()
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest) -> Home:
    opened: Home = request.getfixturevalue("sqlite_home" if request.param == "sqlite" else "postgres_home")
    return opened


@contextmanager
def opened_desk(home: Home) -> Iterator[Desk]:
    with AsgiClient(create_app(home.app)) as client:
        opened = Desk(home, client)
        opened.prepare()
        yield opened


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with opened_desk(home) as opened:
        yield opened


@pytest.fixture
def sqlite_desk(sqlite_home: Home) -> Iterator[Desk]:
    with opened_desk(sqlite_home) as opened:
        yield opened


@pytest.fixture
def postgres_desk(postgres_home: Home) -> Iterator[Desk]:
    with opened_desk(postgres_home) as opened:
        yield opened
