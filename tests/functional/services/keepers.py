"""Another process that keeps a registry while it serves, with an account of its own where there are accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from registry.bootstrap import Application, open_application
from registry.settings import load_settings
from tests.fakes.postgres import PostgresServer
from tests.functional.services.homes import Home


@contextmanager
def keeping(request: pytest.FixtureRequest, home: Home, login: tuple[str, str], *, both: bool) -> Iterator[Application]:
    """Open a registry once more.

    Args:
        request: asks for the database's server.
        home: the registry.
        login: of PostgreSQL, and what it is a member of.
        both: whether the registry that serves has this login from now on, too.
    """
    environment = {}
    url = home.app.settings.database_url
    if url.startswith("postgresql"):
        server: PostgresServer = request.getfixturevalue("postgres")
        server.create_login(*login)
        environment["REGISTRY_DATABASE_URL"] = url.replace("registry_server", login[0])
        if both:
            home.app.close()
            home.app = open_application(load_settings(home.app.settings.home, environment), home.clock)
    keeper = open_application(load_settings(home.app.settings.home, environment), home.clock)
    yield keeper
    keeper.close()
