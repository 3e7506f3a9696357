"""Copies of a whole database while it is in use, what a copy says of itself, and putting a copy in place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from registry.domain.errors import MisconfiguredHome
from registry.storage import backup_postgresql, backup_sqlite
from registry.storage.engine import open_read_only
from registry.storage.failures import named_failures
from registry.storage.ledger import SqlEntryReader
from registry.storage.meta import SqlMeta

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
FILES = {SQLITE: "registry.db", POSTGRESQL: "registry.dump"}


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """What a copy says of itself.

    Attributes:
        revision: of its tables.
        registry, origin, profile: which registry it is.
        entries: of its ledger.
        checkpoint: the signed note over them.
    """

    revision: str
    registry: str
    origin: str
    profile: str
    entries: int
    checkpoint: str


def engine_of(url: str) -> str:
    """Return ``sqlite`` or ``postgresql``."""
    return SQLITE if make_url(url).get_backend_name() == SQLITE else POSTGRESQL


def copy_database(url: str, folder: Path) -> tuple[Path, CopyFacts]:
    """Copy a database into a folder, consistent as of one moment, while others write.

    Returns:
        The file, mode 0600 and durable, and what the copy says of itself.

    Raises:
        MisconfiguredHome: the copy cannot be made, is not sound, or PostgreSQL's programs are missing.
        AuditUnavailable: the database cannot be read.
    """
    engine = engine_of(url)
    target = folder / FILES[engine]
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    if engine == SQLITE:
        backup_sqlite.copy(backup_sqlite.path_of(url), target)
        facts = facts_of(f"sqlite:///{target}")
        backup_sqlite.demand_sound(target)
    else:
        facts = _dump(url, target)
    _make_durable(target)
    return target, facts


def facts_of(url: str) -> CopyFacts:
    """Read what a database says of itself.

    Raises:
        MisconfiguredHome: it is not the database of a registry.
        AuditUnavailable: it cannot be read.
    """
    engine = open_read_only(url)
    try:
        with named_failures(), engine.connect() as connection:
            return _facts(connection)
    finally:
        engine.dispose()


def put_in_place(file: Path, url: str, aside: str | None) -> None:
    """Put a verified copy where a registry's database is expected.

    Args:
        file: the copy, of the engine of that address; on SQLite it is moved, and lies in the same folder.
        url: where the database is to be.
        aside: None when there must be none; else a present SQLite file keeps its name with this ending, and
            PostgreSQL's tables are replaced.

    Raises:
        MisconfiguredHome: one is there and must not be, or PostgreSQL's programs failed.
    """
    if engine_of(url) == SQLITE:
        backup_sqlite.put_in_place(file, backup_sqlite.path_of(url), aside)
    elif aside is None:
        backup_postgresql.put_in_place(file, url)
    else:
        backup_postgresql.put_over(file, url)


def is_there(url: str) -> bool:
    """Tell whether a database with tables stands at an address."""
    if engine_of(url) == SQLITE:
        return backup_sqlite.path_of(url).exists()
    return backup_postgresql.has_tables(url)


def _dump(url: str, target: Path) -> CopyFacts:
    engine = open_read_only(url)
    try:
        with named_failures(), engine.connect() as connection:
            # The dump is of the snapshot that the facts are read from, so the two agree while others write.
            facts = _facts(connection)
            backup_postgresql.dump(connection, url, target)
            return facts
    finally:
        engine.dispose()


def _facts(connection: Connection) -> CopyFacts:
    revision = MigrationContext.configure(connection).get_current_revision()
    meta = SqlMeta(connection) if revision else None
    names = [None if meta is None else meta.get(name) for name in ("registry", "origin", "profile")]
    if revision is None or None in names:
        raise MisconfiguredHome("that is not the database of a registry")
    head = SqlEntryReader(connection).head()
    registry, origin, profile = (name or "" for name in names)
    return CopyFacts(revision, registry, origin, profile, head.size, head.checkpoint)


def _make_durable(file: Path) -> None:
    for path, flags in ((file, os.O_RDONLY), (file.parent, os.O_RDONLY | os.O_DIRECTORY)):
        descriptor = os.open(path, flags | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
