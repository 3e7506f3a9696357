"""Clearing away what erasures left behind in PostgreSQL's files: dead rows, and the log that has them.

PostgreSQL never writes over a row: what was updated or deleted stays in the table's file until that file is made anew,
and in the write-ahead log until the server has removed or written over its segments. A plain VACUUM only frees the
space. On SQLite the commit and ``scrub`` do all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from registry.domain.errors import AuditUnavailable, MisconfiguredHome
from registry.storage.engine import open_engine
from registry.storage.failures import named_failures
from registry.storage.roles import ERASURE, GRANTS, RETENTION

# Every table from which an erasure or retention takes something; waiting notices and remembered keys go with them.
TABLES = tuple(sorted({*GRANTS[ERASURE], *GRANTS[RETENTION], "outbox"}))
_NOT_GRANTED = "not_granted"
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class ClearedRows:
    """What clearing did.

    Attributes:
        kept: tables in which dead rows stay, because somebody still reads an older state; to be cleared again.
        log_until: the segment of the write-ahead log that was written to last: it and the ones before hold what was
            erased until the server has removed or written over them.
        is_log_ended: the server went on to another segment and copied all that it had into the tables' files; else
            the account may not ask for that, and it comes with time.
    """

    kept: tuple[str, ...]
    log_until: str
    is_log_ended: bool


def clear_dead_rows(url: str) -> ClearedRows:
    """Make the files of all tables anew that something may have been erased from. Each waits while its turn lasts.

    Args:
        url: address of the database, as an account that owns the tables.

    Raises:
        MisconfiguredHome: the database is not PostgreSQL.
        AuditUnavailable: ``not_granted``: the account does not own them; ``locked``: somebody held one for too long.
            What was cleared before stays cleared.
    """
    engine = open_engine(url, pool_size=1)
    try:
        if engine.dialect.name != "postgresql":
            raise MisconfiguredHome("on SQLite nothing is left that a table would have to be made anew for")
        with named_failures(), engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            # A large table takes its time; that a lock is not waited for without end stays as it is.
            connection.exec_driver_sql("SET statement_timeout = 0")
            kept = tuple(table for table in TABLES if _dead_rows_left(connection, table))
            until = connection.exec_driver_sql("SELECT pg_walfile_name(pg_current_wal_insert_lsn())").scalar_one()
            return ClearedRows(kept, str(until), _ended_log(connection))
    finally:
        engine.dispose()


def _dead_rows_left(connection: Connection, table: str) -> int:
    """Make a table's file and indexes anew; return how many dead rows had to be taken along."""
    with _told(connection) as details:
        connection.exec_driver_sql(f"VACUUM (FULL, VERBOSE) {table}")
    # "12 dead row versions cannot be removed yet.": whoever may not vacuum a table is told nothing but a warning.
    if not details:
        raise AuditUnavailable(_NOT_GRANTED)
    return int(_NUMBER.search(details[-1])[0])  # type: ignore[index]  # the server's own words begin with it


@contextmanager
def _told(connection: Connection) -> Iterator[list[str]]:
    """Gather what the server says beside its answers."""
    details: list[str] = []
    driver: Any = connection.connection.driver_connection

    def take(said: Any) -> None:
        if said.severity_nonlocalized == "INFO" and _NUMBER.match(said.message_detail or ""):
            details.append(said.message_detail)

    driver.add_notice_handler(take)
    try:
        yield details
    finally:
        driver.remove_notice_handler(take)


def _ended_log(connection: Connection) -> bool:
    try:
        with named_failures():
            connection.exec_driver_sql("SELECT pg_switch_wal()")
            connection.exec_driver_sql("CHECKPOINT")
    except AuditUnavailable as failure:
        if failure.cause != _NOT_GRANTED:
            raise
        return False
    return True
