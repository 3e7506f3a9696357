"""Tokens that are no longer taken, until they would have expired anyway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from registry.services.ports_revocations import RevocationRow
from registry.storage.guards import RowGuard
from registry.storage.prepared import Prepared
from registry.storage.rows import MANY
from registry.storage.tables import revocations

_AMONG = Prepared(
    select(revocations.c.label, revocations.c.before, revocations.c.until, revocations.c.guard).where(
        revocations.c.label.in_(MANY)
    )
)
_COUNT = select(func.count()).select_from(revocations).where(revocations.c.until >= bindparam("until"))


class SqlRevocations:
    """Revocations on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def among(self, labels: Iterable[bytes]) -> Mapping[bytes, RevocationRow]:
        found = {}
        for *parts, guard in _AMONG.rows_of(self._connection, sorted(set(labels))):
            self._guard.demand("revocations", parts, guard)
            row = RevocationRow(*parts)
            found[row.label] = row
        return found

    def put(self, row: RevocationRow) -> None:
        told = {"label": row.label, "before": row.before, "until": row.until}
        values = self._guard.guarded("revocations", told)
        at = revocations.c.label == row.label
        if self._connection.execute(update(revocations).where(at).values(**values)).rowcount == 0:
            self._connection.execute(insert(revocations).values(**values))

    def listing(self) -> Iterable[RevocationRow]:
        for row in self._guard.demanded("revocations", self._connection.execute(select(revocations))):
            yield RevocationRow(row.label, row.before, row.until)

    def count_from(self, until: int) -> int:
        return int(self._connection.execute(_COUNT, {"until": until}).scalar_one())

    def forget_before(self, until: int) -> None:
        self._connection.execute(delete(revocations).where(revocations.c.until < until))
