"""Names of tokens and proofs that were good once and are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from registry.storage.tables import used_names

_MAKERS: Mapping[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
# On PostgreSQL whoever comes second waits for the first to commit, and then changes no row: one of them uses it.
_USE = {
    name: maker(used_names).on_conflict_do_nothing().returning(used_names.c.until) for name, maker in _MAKERS.items()
}
_COUNT = select(func.count()).select_from(used_names)
# A trigger refuses to delete what has not ended by the database's clock, which may be behind the program's.
_NOW_MS = {
    "sqlite": "CAST(strftime('%s', 'now') AS INTEGER) * 1000",
    "postgresql": "extract(epoch FROM clock_timestamp()) * 1000",
}
_FORGET = {
    name: delete(used_names).where(used_names.c.until < bindparam("ended"), used_names.c.until < literal_column(now))
    for name, now in _NOW_MS.items()
}


class SqlUsedNames:
    """Used names on SQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def use(self, label: bytes, until: int) -> bool:
        statement = _USE[self._connection.dialect.name]
        return self._connection.execute(statement, {"label": label, "until": until}).first() is not None

    def count(self) -> int:
        return int(self._connection.execute(_COUNT).scalar_one())

    def forget_before(self, until: int) -> None:
        self._connection.execute(_FORGET[self._connection.dialect.name], {"ended": until})
