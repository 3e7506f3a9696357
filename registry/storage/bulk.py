"""Inserting many rows in the driver's own way: most of what a row costs else is what lies between it and the driver."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, String, Table

from registry.storage.prepared import driver_cursor

# PostgreSQL: from so many rows on, COPY costs less than an INSERT for each; below it costs a round trip more.
COPY_FROM = 8
_COPY_TYPES: tuple[tuple[type, str], ...] = (
    (String, "text"),
    (LargeBinary, "bytea"),
    (BigInteger, "int8"),
    (Integer, "int4"),
)


class BulkInsert:
    """One table's columns, and how rows of them are inserted."""

    __slots__ = ("_columns", "_table", "_types")

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        """Take the columns that every row has, in their order.

        Raises:
            KeyError: the table has no such column.
        """
        self._table = table.name
        self._columns = ", ".join(table.c[name].name for name in columns)
        self._types = [_copy_type(table.c[name].type) for name in columns]

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows: text, whole numbers, bytes and None, as the drivers take them."""
        if not rows:
            return
        cursor = driver_cursor(connection)
        if connection.dialect.name == "sqlite":
            cursor.executemany(self._insert("?"), rows)
        elif len(rows) < COPY_FROM:
            cursor.executemany(self._insert("%s"), rows)
        else:
            self._copy(cursor, rows)

    def _copy(self, cursor: Any, rows: Sequence[tuple[Any, ...]]) -> None:
        statement = f"COPY {self._table} ({self._columns}) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(statement) as copy:
            copy.set_types(self._types)
            for row in rows:
                copy.write_row(row)

    def _insert(self, mark: str) -> str:
        marks = ", ".join([mark] * len(self._types))
        return f"INSERT INTO {self._table} ({self._columns}) VALUES ({marks})"  # noqa: S608 - names of our own tables


def _copy_type(kind: object) -> str:
    return next(name for base, name in _COPY_TYPES if isinstance(kind, base))
