"""Engines: how a database is opened, which settings it must have, and how its failures are named.

Settings that durability rests on are set, read back and asserted on every new connection. Importing this module
opens nothing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from registry.domain.errors import AuditUnavailable, LedgerCorrupt, MisconfiguredHome

_BUSY_MS = 15_000
_ADDRESS_FORM = "the database address must begin with sqlite: or postgresql+psycopg:"
_PRAGMAS = {"synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": _BUSY_MS}


def open_engine(url: str, *, pool_size: int = 20) -> Engine:
    """Open an engine on SQLite or PostgreSQL with the settings durability needs.

    Opens no connection yet.

    Raises:
        MisconfiguredHome: the address is not of a supported engine.
    """
    try:
        address = make_url(url)
    except ArgumentError:
        raise MisconfiguredHome(_ADDRESS_FORM) from None  # the text of the address may hold a password
    if address.get_backend_name() == "sqlite":
        return _open_sqlite(address, pool_size)
    if address.get_backend_name() == "postgresql":
        try:
            engine = create_engine(
                address, pool_size=pool_size, pool_pre_ping=True, isolation_level="READ COMMITTED", hide_parameters=True
            )
        except ImportError:
            raise MisconfiguredHome("the driver of that database is not installed") from None
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    raise MisconfiguredHome(_ADDRESS_FORM)


def open_read_only(url: str, *, pool_size: int = 20) -> Engine:
    """Open an engine whose connections cannot write: what the mint and every reader use."""
    engine = open_engine(url, pool_size=pool_size)
    event.listen(engine, "connect", _forbid_writes)
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
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for name, wanted in (("fsync", "on"), ("full_page_writes", "on")):
        cursor.execute(f"SHOW {name}")
        if cursor.fetchone()[0] != wanted:
            raise MisconfiguredHome(f"PostgreSQL runs with {name} off: acknowledged entries could be lost")
    cursor.execute("SET synchronous_commit = on")
    cursor.execute("SET lock_timeout = '15s'")
    cursor.execute("SET statement_timeout = '60s'")
    cursor.close()
    connection.commit()


def _forbid_writes(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    if isinstance(connection, sqlite3.Connection):
        cursor.execute("PRAGMA query_only=1")
        cursor.close()
        return
    cursor.execute("SET default_transaction_read_only = on")
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
