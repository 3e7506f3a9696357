"""A migrated, empty database on each engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.leaktrace.terms import TERMS_VERSION
from registry.storage.migrate import upgrade
from registry.storage.unit_of_work import SqlDatabase, open_database
from tests.fakes.postgres import PostgresServer

GUARD = b"\x05" * 32


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    name: str = postgres.create_database()
    upgrade(postgres.url(name))
    return name


def begun(database: SqlDatabase) -> SqlDatabase:
    with database.write() as work:
        work.index_state.create(TERMS_VERSION)
        work.commit()
    return database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqlDatabase]:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    upgrade(url)
    database = begun(open_database(url, tmp_path / "writer.lock", GUARD))
    yield database
    database.close()


@pytest.fixture
def postgresql(postgres: PostgresServer, migrated: str, tmp_path: Path) -> Iterator[SqlDatabase]:
    name = postgres.create_database(migrated)
    database = begun(open_database(postgres.url(name), tmp_path / "writer.lock", GUARD))
    yield database
    database.close()
    postgres.drop_database(name)
