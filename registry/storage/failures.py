"""Names for what can go wrong in a database. No statement, bound value or server's message survives."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from registry.domain.errors import AuditUnavailable, Contended, StatementRefused

CONNECTION_LOST = "connection_lost"
_STORAGE_ERROR = "storage_error"
_SQLITE_CAUSES = (
    ("database or disk is full", "disk_full"),
    ("readonly database", "read_only"),
    ("database is locked", "locked"),
    ("unable to open database", "storage_missing"),
    ("no such table", "not_migrated"),
    ("disk i/o error", _STORAGE_ERROR),
    ("not a database", _STORAGE_ERROR),
    ("malformed", _STORAGE_ERROR),
)
_SQLITE_OURS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)
# Five-character codes of PostgreSQL's appendix A; a whole class by its first two.
_POSTGRESQL_CAUSES = {
    "25006": "read_only",  # read_only_sql_transaction: a standby, or a server that protects its last bytes
    "42501": "not_granted",
    "42P01": "not_migrated",  # undefined_table
    "42703": "not_migrated",  # undefined_column
    "53100": "disk_full",
    "53300": "connections_exhausted",
    "55P03": "locked",  # lock_not_available: lock_timeout
    "57014": "timed_out",  # query_canceled: statement_timeout
    "57P01": CONNECTION_LOST,  # admin_shutdown
    "57P02": CONNECTION_LOST,  # crash_shutdown
    "57P03": CONNECTION_LOST,  # cannot_connect_now: starting or stopping
    "57P05": CONNECTION_LOST,  # idle_session_timeout
    "08": CONNECTION_LOST,
    "25P03": CONNECTION_LOST,  # idle_in_transaction_session_timeout
}
_POSTGRESQL_FULL = ("too many clients", "too many connections", "remaining connection slots")
# Constraint, type, and what a trigger raises: the statement is at fault, not the storage.
_POSTGRESQL_OURS = ("22", "23", "P0001", "42")
# Rolled back whole by the server, because another transaction came first: running it again is safe and may succeed.
_CONTENTION = {
    "40001": "serialization_failure",
    "40P01": "deadlock_detected",
    "23505": "unique_violation",
}


@contextmanager
def named_failures() -> Iterator[None]:
    """Turn database failures into errors of this program, those of the drivers as well as SQLAlchemy's.

    Raises:
        Contended: the transaction lost against another one and is rolled back whole.
        AuditUnavailable: the storage failed, named.
        StatementRefused: the statement was at fault: a constraint, a type, a trigger.
    """
    try:
        yield
    except PoolTimeout:
        raise AuditUnavailable("connections_exhausted") from None
    except MemoryError:
        raise AuditUnavailable("out_of_memory") from None
    except Exception as exc:
        failure = _of_driver(exc)
        if failure is None:
            raise
        if is_contention(failure):
            raise Contended from None
        cause = cause_of(failure)
        if cause is None:
            raise StatementRefused(type(failure).__name__) from None
        raise AuditUnavailable(cause) from None


def is_constraint(error: Exception, table: str = "") -> bool:
    """Tell whether a statement broke a constraint, of this table when one is given."""
    failure = _of_driver(error)
    if isinstance(failure, sqlite3.IntegrityError):
        return table in str(failure)  # "UNIQUE constraint failed: ledger_postings.label"
    if not _state_of(failure).startswith("23"):
        return False
    return not table or getattr(getattr(failure, "diag", None), "table_name", None) == table


def is_contention(error: BaseException | None) -> bool:
    """Tell whether a transaction lost against another one, so that running it again may succeed."""
    return _state_of(error) in _CONTENTION


def cause_of(error: BaseException | None) -> str | None:
    """Name the cause of an operational failure; None for a fault of ours (constraint, type)."""
    if isinstance(error, sqlite3.Error):
        return _sqlite_cause(error)
    state = _state_of(error)
    if not state:
        # The driver's own errors, without a word of the server: no connection, or one that broke off. What it says
        # of a value that cannot be sent (a NUL character, a number too large) is the only one that is not.
        return None if _is_about_a_value(error) else _unconnected_cause(error)
    named = _POSTGRESQL_CAUSES.get(state) or _POSTGRESQL_CAUSES.get(state[:2])
    if named is None and not state.startswith(_POSTGRESQL_OURS):
        return _STORAGE_ERROR
    return named


def _unconnected_cause(error: BaseException | None) -> str:
    # The code of a refused connection does not come through the driver, only the server's words do.
    text = str(error)
    return "connections_exhausted" if any(words in text for words in _POSTGRESQL_FULL) else CONNECTION_LOST


def _sqlite_cause(error: sqlite3.Error) -> str | None:
    text = str(error).lower()
    for needle, cause in _SQLITE_CAUSES:
        if needle in text:
            return cause
    return None if isinstance(error, _SQLITE_OURS) else _STORAGE_ERROR


def _of_driver(error: Exception) -> BaseException | None:
    if isinstance(error, DBAPIError):
        return error.orig
    # PostgreSQL's driver by its name, so that it need not be installed.
    is_raw = isinstance(error, sqlite3.Error) or any(
        kind.__module__ == "psycopg" and kind.__name__ == "Error" for kind in type(error).__mro__
    )
    return error if is_raw else None


def _state_of(error: BaseException | None) -> str:
    # By name, so that the driver of PostgreSQL need not be installed.
    return getattr(error, "sqlstate", None) or ""


def _is_about_a_value(error: BaseException | None) -> bool:
    return type(error).__name__ in {"DataError", "ProgrammingError", "NotSupportedError", "InterfaceError"}
