"""What reviewers found of the lookups of a week's sample: one guarded row each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from registry.domain.ids import PrincipalId
from registry.services.ports_policy import SampleReviewRow
from registry.storage.guards import RowGuard
from registry.storage.rows import MANY, chunks
from registry.storage.tables import sample_reviews

_OF = select(sample_reviews).where(sample_reviews.c.entry.in_(MANY))


class SqlSampleReviews:
    """Reviews of lookups on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def of(self, entries: Iterable[int]) -> Mapping[int, SampleReviewRow]:
        found = (row for part in chunks(set(entries)) for row in self._connection.execute(_OF, {"many": part}))
        return {row.entry: row for row in self._rows(found)}

    def listing(self) -> Iterator[SampleReviewRow]:
        return self._rows(self._connection.execute(select(sample_reviews)))

    def put(self, row: SampleReviewRow) -> None:
        values = {
            "entry": row.entry,
            "finding": row.finding,
            "reviewer": row.reviewer,
            "reviewed_at": row.reviewed_at,
        }
        guarded = self._guard.guarded("sample_reviews", values)
        # Whoever writes it holds the ledger's head, so that nobody comes in between.
        changed = update(sample_reviews).where(sample_reviews.c.entry == row.entry).values(guarded)
        if not self._connection.execute(changed).rowcount:
            self._connection.execute(insert(sample_reviews), guarded)

    def _rows(self, rows: Iterable[Any]) -> Iterator[SampleReviewRow]:
        for row in self._guard.demanded("sample_reviews", rows):
            yield SampleReviewRow(row.entry, row.finding, PrincipalId(row.reviewer), row.reviewed_at)
