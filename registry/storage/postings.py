"""Postings of the blind index: two opaque columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from registry.storage.bulk import BulkInsert
from registry.storage.index_state import SqlIndexState
from registry.storage.prepared import Prepared, driver_cursor
from registry.storage.rows import MANY
from registry.storage.tables import postings

_VALUES = Prepared(select(postings.c.label, postings.c.value).where(postings.c.label.in_(MANY)))
# An import asks for thousands at once: as one array, and not as thousands of parameters in a text of their own.
_VALUES_OF_ARRAY = "SELECT label, value FROM postings WHERE label = ANY(%b)"
_INSERT = BulkInsert(postings, ("label", "value"))


class SqlPostings:
    """Postings on SQL."""

    def __init__(self, connection: Connection, state: SqlIndexState) -> None:
        self._connection = connection
        self._state = state

    def values(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        if self._connection.dialect.name == "postgresql":
            found = driver_cursor(self._connection).execute(_VALUES_OF_ARRAY, (list(labels),), binary=True)
            return dict(found.fetchall())
        return dict(_VALUES.rows_of(self._connection, labels))

    def add(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        self._state.added(rows)
        _INSERT.run(self._connection, rows)
