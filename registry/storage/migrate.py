"""Bringing a database to the newest revision."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import registry
from registry.domain.errors import MisconfiguredHome
from registry.storage.engine import open_engine, without_limits
from registry.storage.failures import named_failures


def migrations_folder() -> Path:
    """Return where the migrations are: inside the installed package, or beside it in a checkout."""
    package = Path(registry.__file__).parent
    for folder in (package / "_migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise MisconfiguredHome("the migrations are missing from this installation; install the package again")


@cache
def newest_revision() -> str:
    """Return the revision that this code needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise MisconfiguredHome("the installation has no migrations; install the package again")
    return head


def known_revisions() -> frozenset[str]:
    """Return every revision that this code can bring up to the newest."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def current_revision(url: str) -> str | None:
    """Return the revision a database is at, None for an empty one."""
    engine = open_engine(url)
    try:
        with named_failures(), engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database up to a revision."""
    _migrate(url, revision, command.upgrade)


def downgrade(url: str, revision: str) -> None:
    """Take a database down to a revision; data of dropped tables is lost."""
    _migrate(url, revision, command.downgrade)


def _migrate(url: str, revision: str, step: object) -> None:
    engine = open_engine(url).execution_options(write=True)
    config = _config()
    try:
        with named_failures(), engine.begin() as connection:
            config.attributes["connection"] = connection
            without_limits(connection)
            step(config, revision)  # type: ignore[operator]  # upgrade or downgrade, same signature
    finally:
        engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
