"""Postings of the blind index: two opaque columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from registry.storage.bulk import BulkInsert
from registry.storage.rows import MANY, chunks
from registry.storage.tables import postings

_VALUES = select(postings.c.label, postings.c.value).where(postings.c.label.in_(MANY))
_INSERT = BulkInsert(postings, ("label", "value"))


class SqlPostings:
    """Postings on SQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def values(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return {
            row.label: row.value for part in chunks(labels) for row in self._connection.execute(_VALUES, {"many": part})
        }

    def add(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        _INSERT.run(self._connection, rows)
