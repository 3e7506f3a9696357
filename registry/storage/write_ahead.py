"""SQLite's write-ahead log is copied into the database beside the commits, not within one.

Left to itself, SQLite does it in the commit that makes the log a thousand pages long: that commit's lookups wait for
another write and fsync of all of them. On PostgreSQL the server does this for itself.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Engine

from registry.storage.failures import named_failures
from registry.storage.writer_turn import WriterTurn

WORTH_BYTES = 4 << 20
LONG_BYTES = 32 << 20


class WriteAheadLog:
    """The log of one SQLite database."""

    def __init__(self, path: Path, engine: Engine, turn: WriterTurn) -> None:
        self._path = path
        self._engine = engine
        self._turn = turn

    def shorten(self) -> None:
        """Copy what is worth it. Writers go on meanwhile; only a long log holds them for the little that is left then.

        Raises:
            AuditUnavailable: the storage failed, or it was not this process's turn.
        """
        size = self._size()
        if size < WORTH_BYTES:
            return
        self._copy()
        if size >= LONG_BYTES:
            # While others write, what was copied is never all. Once it is, the next writer starts the log anew.
            with self._turn.taken():
                self._copy()

    def empty(self) -> bool:
        """Copy everything and cut the log to nothing, waiting for readers of older states for a while.

        Returns:
            Whether it is empty; else somebody reads an older state for longer.

        Raises:
            AuditUnavailable: as ``shorten``.
        """
        with self._turn.taken():
            return self._copy("TRUNCATE") and self._size() == 0

    def _copy(self, how: str = "PASSIVE") -> bool:
        with named_failures():
            borrowed = self._engine.raw_connection()
            try:
                connection = borrowed.driver_connection
                if not isinstance(connection, sqlite3.Connection):
                    return False
                is_kept_from_it, _, _ = connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
                return not is_kept_from_it
            finally:
                borrowed.close()

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
