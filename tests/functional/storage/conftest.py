"""A registry over PostgreSQL, in a folder that other processes can open too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.bootstrap import initialise
from registry.settings import DEVELOPMENT, Settings, load_settings
from tests.fakes.postgres import PostgresServer


@dataclass(frozen=True)
class Place:
    """A registry that is not open."""

    home: Path
    url: str
    server: PostgresServer
    database: str

    @property
    def settings(self) -> Settings:
        return load_settings(self.home, {"REGISTRY_DATABASE_URL": self.url})


@pytest.fixture
def place(postgres: PostgresServer, tmp_path: Path) -> Iterator[Place]:
    name = postgres.create_database()
    made = Place(tmp_path / "home", postgres.url(name), postgres, name)
    initialise(made.settings, DEVELOPMENT)
    yield made
    postgres.drop_database(name)
