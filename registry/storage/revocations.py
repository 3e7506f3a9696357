"""Tokens that are no longer taken, until they would have expired anyway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from registry.services.ports_revocations import RevocationRow
from registry.storage.guards import RowGuard
from registry.storage.tables import revocations

_AMONG = select(revocations).where(revocations.c.label.in_(bindparam("labels", expanding=True)))
_COUNT = select(func.count()).select_from(revocations).where(revocations.c.until >= bindparam("until"))


class SqlRevocations:
    """Revocations on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def among(self, labels: Iterable[bytes]) -> Mapping[bytes, RevocationRow]:
        found = self._connection.execute(_AMONG, {"labels": list(labels)})
        rows = self._guard.demanded("revocations", found)
        return {row.label: RevocationRow(row.label, row.before, row.until) for row in rows}

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
