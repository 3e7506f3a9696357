"""Database connections that fail at a chosen step: each statement, commit, rollback and new connection is one.

What fails is the driver's own call, with the driver's own errors; SQLAlchemy and everything above is what serves.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from sqlalchemy import event

from registry.bootstrap import Application
from registry.storage.engine import _connect_postgresql
from registry.storage.overdue import connection_class

R = TypeVar("R")
# Looks at the ledger once a second on its own: its steps are not those of the request.
_BESIDE = "high-water"


STEPS = frozenset({"statement", "commit"})


class Died(BaseException):
    """As KeyboardInterrupt or SystemExit: no handler of errors catches it."""


@dataclass(frozen=True)
class Fault:
    """What happens at a step.

    Attributes:
        name: of the test.
        cause: that the answer names; None when the request may succeed all the same.
        error: makes what is raised; None lets the step find out by itself.
        steps: kinds of step that it can happen at.
        is_late: the step was done before.
        is_cut: the connection to the server is gone with it.
    """

    name: str
    cause: str
    error: Callable[[], BaseException] | None
    steps: frozenset[str] = STEPS
    is_late: bool = False
    is_cut: bool = False

    @property
    def harmless(self) -> frozenset[str]:
        """Kinds of step that a request may survive.

        Giving a connection back; finding out that it is dead, before use; losing against somebody else, once.
        """
        if self.cause == "contended":
            return STEPS | {"rollback"}
        return frozenset({"rollback", "statement"}) if self.is_cut else frozenset({"rollback"})


@dataclass
class Faults:
    """Counts the steps of one request and lets one fail.

    Attributes:
        fired: the kind of the step that failed; None when there was no such step.
        commits: that the database has taken.
    """

    fault: Fault | None = None
    at: int = 0
    steps: list[str] = field(default_factory=list)
    fired: str | None = None
    commits: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, fault: Fault, at: int) -> None:
        with self._lock:
            self.fault, self.at, self.steps, self.fired, self.commits = fault, at, [], None, 0

    def disarm(self) -> None:
        with self._lock:
            self.fault = None

    def step(self, kind: str, connection: Any, run: Callable[[], R]) -> R:
        fault = self._taken(kind)
        if fault is None:
            return self._run(kind, connection, run)
        if fault.is_late:
            self._run(kind, connection, run)
        if fault.is_cut:
            cut(connection)
        if fault.error is not None:
            raise fault.error()
        return self._run(kind, connection, run)

    def _run(self, kind: str, connection: Any, run: Callable[[], R]) -> R:
        done = run()
        if kind == "commit":
            self.commits += connection.has_written
        if kind in ("commit", "rollback"):
            connection.has_written = False
        return done

    def _taken(self, kind: str) -> Fault | None:
        with self._lock:
            fault = self.fault
            if fault is None or kind not in fault.steps:
                return None
            self.steps.append(kind)
            if self.fired is not None or len(self.steps) <= self.at:
                return None
            self.fired = kind
            return fault


def cut(connection: Any) -> None:
    """Shut the socket under a connection to PostgreSQL; the server ends its side."""
    if isinstance(connection, psycopg.Connection):
        with socket.socket(fileno=os.dup(connection.fileno())) as held:
            held.shutdown(socket.SHUT_RDWR)


def note(connection: Any, statement: object) -> None:
    """Note that a transaction writes: only then is its commit one that counts."""
    if str(statement).lstrip().startswith(("INSERT", "UPDATE", "DELETE", "COPY")):
        connection.has_written = True


def infect(application: Application) -> Faults:
    """Let an application's connections, from now on, be such that can fail."""
    if application.high_water is not None:
        application.high_water.close()  # looks at the ledger once a second: steps that are not those of a request
    faults = Faults()
    sqlite, postgresql = _sqlite(faults), _postgresql(faults)

    def connect(dialect: Any, _record: object, arguments: Any, options: Any) -> Any:
        if dialect.name == "sqlite":
            return faults.step("connect", None, lambda: sqlite3.connect(*arguments, factory=sqlite, **options))
        return faults.step("connect", None, lambda: postgresql.connect(*arguments, **options))

    for engine in engines(application):
        if event.contains(engine, "do_connect", _connect_postgresql):
            event.remove(engine, "do_connect", _connect_postgresql)
        event.listen(engine, "do_connect", connect)
        engine.dispose()
    return faults


def engines(application: Application) -> list[Any]:
    """Return both engines of an application."""
    database = application.database
    return [database._engine, database._read_only]


def _sqlite(faults: Faults) -> type[sqlite3.Connection]:
    class Cursor(sqlite3.Cursor):
        def execute(self, *arguments: Any) -> Any:
            run = super().execute
            note(self.connection, arguments[0])
            return faults.step("statement", self.connection, lambda: run(*arguments))

        def executemany(self, *arguments: Any) -> Any:
            run = super().executemany
            note(self.connection, arguments[0])
            return faults.step("statement", self.connection, lambda: run(*arguments))

    class Connection(sqlite3.Connection):
        has_written = False

        def cursor(self, *_: Any) -> Any:
            return super().cursor(Cursor)

        def execute(self, *arguments: Any) -> Any:
            return self.cursor().execute(*arguments)

        def executemany(self, *arguments: Any) -> Any:
            return self.cursor().executemany(*arguments)

        def commit(self) -> None:
            faults.step("commit", self, super().commit)

        def rollback(self) -> None:
            faults.step("rollback", self, super().rollback)

    return Connection


def _postgresql(faults: Faults) -> Any:
    class Cursor(psycopg.Cursor[Any]):
        def execute(self, *arguments: Any, **options: Any) -> Any:
            run = super().execute
            note(self.connection, arguments[0])
            return faults.step("statement", self.connection, lambda: run(*arguments, **options))

        def executemany(self, *arguments: Any, **options: Any) -> Any:
            run = super().executemany
            note(self.connection, arguments[0])
            return faults.step("statement", self.connection, lambda: run(*arguments, **options))

        @contextmanager
        def copy(self, *arguments: Any, **options: Any) -> Any:
            note(self.connection, arguments[0])
            faults.step("statement", self.connection, lambda: None)
            with super().copy(*arguments, **options) as copy:
                yield copy

    class Connection(connection_class(psycopg)):  # type: ignore[misc]  # made when it is first needed
        has_written = False

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.cursor_factory = Cursor

        def commit(self) -> None:
            faults.step("commit", self, super().commit)

        def rollback(self) -> None:
            faults.step("rollback", self, super().rollback)

    return Connection


def _says(text: str) -> Callable[[], BaseException]:
    return lambda: sqlite3.OperationalError(text)


_COMMIT, _CONNECT, _ROLLBACK = frozenset({"commit"}), frozenset({"connect"}), frozenset({"rollback"})
SQLITE_FAULTS = (
    Fault("full", "disk_full", _says("database or disk is full")),
    Fault("read-only", "read_only", _says("attempt to write a readonly database")),
    Fault("input-output", "storage_error", _says("disk I/O error")),
    Fault("locked", "locked", _says("database is locked")),
    Fault("damaged", "storage_error", lambda: sqlite3.DatabaseError("database disk image is malformed")),
    Fault("no-memory", "out_of_memory", MemoryError),
    Fault("commit-unknown", "storage_error", _says("disk I/O error"), _COMMIT, is_late=True),
    Fault("rollback-fails", "storage_error", _says("disk I/O error"), _ROLLBACK),
    Fault("not-opened", "storage_missing", _says("unable to open database file"), _CONNECT),
)
POSTGRESQL_FAULTS = (
    Fault("cut-before", "connection_lost", None, is_cut=True),
    Fault("cut-after", "connection_lost", psycopg.OperationalError, is_late=True, is_cut=True),
    Fault("full", "disk_full", errors.DiskFull),
    Fault("read-only", "read_only", errors.ReadOnlySqlTransaction),
    Fault("input-output", "storage_error", errors.IoError),
    Fault("locked", "locked", errors.LockNotAvailable),
    Fault("too-long", "timed_out", errors.QueryCanceled),
    Fault("no-memory", "storage_error", errors.OutOfMemory),
    Fault("lost-against-another", "contended", errors.SerializationFailure),
    Fault("deadlock", "contended", errors.DeadlockDetected),
    Fault("no-memory-here", "out_of_memory", MemoryError),
    Fault("rollback-cut", "connection_lost", None, _ROLLBACK, is_cut=True),
    Fault("refused", "connection_lost", errors.CannotConnectNow, _CONNECT),
    Fault("too-many", "connections_exhausted", errors.TooManyConnections, _CONNECT),
)
