"""Postings of the blind index: two opaque columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert, select

from registry.storage.rows import chunks
from registry.storage.tables import postings


class SqlPostings:
    """Postings on SQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def values(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return {
            row.label: row.value
            for part in chunks(labels)
            for row in self._connection.execute(
                select(postings.c.label, postings.c.value).where(postings.c.label.in_(part))
            )
        }

    def add(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        if rows:
            self._connection.execute(insert(postings), [{"label": label, "value": value} for label, value in rows])
