"""Engines: how a database is opened and which settings it must have.

Settings that durability rests on are set, read back and asserted on every new connection. Importing this module
opens nothing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from registry.domain.errors import AuditUnavailable, MisconfiguredHome
from registry.storage.overdue import connection_class, wait_for_ever

_BUSY_MS = 15_000
_POOL_SECONDS = 10.0
_ADDRESS_FORM = "the database address must begin with sqlite: or postgresql+psycopg:"
# A server copies its write-ahead log into the database beside the commits (write_ahead.py); whoever has no thread for
# it, a command, does it within a commit once the log has 64 MiB.
_LOG_PAGES = 16_384
# A transaction comes back to the same pages of a large index: with SQLite's own 2 MB, a trace among a million people
# reads them from the file again for every term, and takes more than twice as long.
_CACHE_KIB = 16_384
_PRAGMAS = {
    "synchronous": 2,
    "foreign_keys": 1,
    "secure_delete": 1,
    "busy_timeout": _BUSY_MS,
    "wal_autocheckpoint": _LOG_PAGES,
    "cache_size": -_CACHE_KIB,
}
_NEEDED_OF_POSTGRESQL = {"fsync": "on", "full_page_writes": "on", "server_encoding": "UTF8"}
_SET_ON_POSTGRESQL = {
    "lock_timeout": "15s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "1min",  # a writer that hangs lets go of the ledger's head
}
# A dead network path is noticed in half a minute, not when the kernel gives up after two hours.
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "registry",
}
# Settings of the server may change under a running program: every connection is opened anew, and asks again.
_RECYCLE_SECONDS = 300


def open_engine(url: str, *, pool_size: int = 20) -> Engine:
    """Open an engine on SQLite or PostgreSQL with the settings durability needs.

    Opens no connection yet.

    Raises:
        MisconfiguredHome: the address is not of a supported engine.
    """
    return _open(url, pool_size, "READ COMMITTED")


def open_read_only(url: str, *, pool_size: int = 20) -> Engine:
    """Open an engine whose connections cannot write, and see one snapshot: what the mint and every reader use."""
    engine = _open(url, pool_size, "REPEATABLE READ")
    event.listen(engine, "connect", _forbid_writes)
    return engine


def _open(url: str, pool_size: int, isolation: IsolationLevel) -> Engine:
    try:
        address = make_url(url)
    except ArgumentError:
        raise MisconfiguredHome(_ADDRESS_FORM) from None  # the text of the address may hold a password
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address, pool_size)
    if address.drivername in {"postgresql", "postgresql+psycopg"}:
        return _open_postgresql(address.set(drivername="postgresql+psycopg"), pool_size, isolation)
    raise MisconfiguredHome(_ADDRESS_FORM)


def _open_postgresql(address: URL, pool_size: int, isolation: IsolationLevel) -> Engine:
    try:
        engine = create_engine(
            address,
            pool_size=pool_size,
            pool_timeout=_POOL_SECONDS,
            pool_pre_ping=True,  # after a restart of the server, the next ask is answered
            pool_recycle=_RECYCLE_SECONDS,
            isolation_level=isolation,
            hide_parameters=True,  # an exception's text never holds a bound value
            connect_args={name: value for name, value in _NETWORK.items() if name not in address.query},
        )
    except ImportError:
        raise MisconfiguredHome(
            "the driver of PostgreSQL is not installed; install protected-registry[postgresql]"
        ) from None
    event.listen(engine, "do_connect", _connect_postgresql)
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def sqlite_path(engine: Engine) -> Path | None:
    """Return the file behind a SQLite engine, None for another engine."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    return Path(engine.url.database)


def _open_sqlite(address: URL, pool_size: int) -> Engine:
    engine = create_engine(
        address,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=_POOL_SECONDS,
        hide_parameters=True,  # an exception's text never holds a bound value
        connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the begin event decides how a transaction starts
    cursor = connection.cursor()
    mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    for name, value in _PRAGMAS.items():
        cursor.execute(f"PRAGMA {name}={value}")
    kept = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS}
    cursor.close()
    if mode != "wal" or kept != _PRAGMAS:
        raise MisconfiguredHome("the database does not keep the settings that durability needs (WAL, synchronous FULL)")


def _begin_sqlite(connection: Any) -> None:
    # A deferred transaction that reads first and writes later fails under load with "database is locked".
    writes = connection.get_execution_options().get("write", False)
    connection.connection.cursor().execute("BEGIN IMMEDIATE" if writes else "BEGIN")


def without_limits(connection: Connection) -> None:
    """Let the statements of this transaction take as long as they need: a migration over millions of rows."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        wait_for_ever(connection.connection.dbapi_connection)


def _connect_postgresql(dialect: Any, _record: object, arguments: Any, options: Any) -> Any:
    return connection_class(dialect.dbapi).connect(*arguments, **options)


def _prepare_postgresql(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    found = _settings(cursor, (*_NEEDED_OF_POSTGRESQL, "synchronous_commit"))
    for name, wanted in _NEEDED_OF_POSTGRESQL.items():
        if found[name] != wanted:
            raise MisconfiguredHome(f"PostgreSQL must run with {name} = {wanted}; this one does not")
    if found["synchronous_commit"] == "off":
        raise MisconfiguredHome("PostgreSQL must not run with synchronous_commit = off: entries could be lost")
    # Set for this session as the server has it, so that a later change cannot weaken a connection that is open. Its
    # other values wait for this server's disk at least.
    ours = {**_SET_ON_POSTGRESQL, "synchronous_commit": found["synchronous_commit"]}
    for name, value in ours.items():
        cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
    kept = _settings(cursor, ours)
    cursor.close()
    connection.commit()
    if kept != ours:
        raise MisconfiguredHome("PostgreSQL does not keep the settings of a session; connect without a pooler between")


def _settings(cursor: Any, names: Iterable[str]) -> dict[str, str]:
    cursor.execute("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", (list(names),))
    return dict(cursor.fetchall())


def _forbid_writes(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    if isinstance(connection, sqlite3.Connection):
        cursor.execute("PRAGMA query_only=1")
        cursor.close()
        return
    cursor.execute("SET default_transaction_read_only = on")
    cursor.execute("SET idle_in_transaction_session_timeout = 0")  # verifying may think longer, and holds no lock
    cursor.close()
    connection.commit()


def file_identity(path: Path) -> tuple[int, int]:
    """Return what identifies a file on this machine.

    Raises:
        AuditUnavailable: it is not there.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - one system call on the hot path
    except OSError:
        raise AuditUnavailable("storage_missing") from None
    return found.st_dev, found.st_ino
