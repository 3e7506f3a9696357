"""Holds on notices to subjects. Rows are added and settled, never taken away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select, update

from registry.domain.holds import HoldState
from registry.domain.ids import HoldId, PrincipalId
from registry.services.ports_notices import HoldRow
from registry.storage.guards import GUARDED, RowGuard
from registry.storage.tables import holds

_CONFIRMED = ("confirmed_by", "confirmed_at")
_NEWEST = select(holds).order_by(holds.c.created_at.desc(), holds.c.id)


class SqlHolds:
    """Holds on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def get(self, hold: HoldId) -> HoldRow | None:
        return next(iter(self._demanded(select(holds).where(holds.c.id == hold))), None)

    def lock(self, hold: HoldId) -> HoldRow | None:
        return next(iter(self._demanded(select(holds).where(holds.c.id == hold).with_for_update())), None)

    def newest(self, limit: int, principal: PrincipalId | None = None) -> Sequence[HoldRow]:
        statement = _NEWEST if principal is None else _NEWEST.where(holds.c.principal == principal)
        return self._demanded(statement.limit(limit))

    def in_force(self, now_ms: int) -> Sequence[HoldRow]:
        confirmed = select(holds).where(holds.c.state == HoldState.CONFIRMED, holds.c.until > now_ms)
        # A row that does not pass is no hold: whoever wrote it would silence us.
        return [
            _row(row)
            for row in self._connection.execute(confirmed)
            if self._guard.holds("holds", _told(row), row.guard)
        ]

    def in_force_since(self, time_ms: int) -> Sequence[HoldRow]:
        states = holds.c.state.in_([HoldState.CONFIRMED, HoldState.ENDED])
        return self._demanded(select(holds).where(states, holds.c.until > time_ms).order_by(holds.c.created_at))

    def listing(self) -> Sequence[HoldRow]:
        return self._demanded(_NEWEST)

    def insert(self, row: HoldRow) -> None:
        self._connection.execute(insert(holds), self._guarded(row))

    def settle(self, row: HoldRow) -> None:
        columns = self._guarded(row)
        values = {name: columns[name] for name in ("state", "settled_by", "settled_at", *_CONFIRMED, "guard")}
        self._connection.execute(update(holds).where(holds.c.id == row.id).values(values))

    def _demanded(self, statement: Any) -> list[HoldRow]:
        found: Iterable[Any] = self._connection.execute(statement)
        rows = list(found)
        for row in rows:
            self._guard.demand("holds", _told(row), row.guard)
        return [_row(row) for row in rows]

    def _guarded(self, row: HoldRow) -> dict[str, Any]:
        return {**asdict(row), "guard": self._guard.tag("holds", _told(row))}


def _told(row: Any) -> list[Any]:
    """Return what the guard of a row covers: on whose word it was in force only where it was.

    So a row from before that was kept (0027) stays as it is. A list of another length has another tag: nobody takes
    from a row who confirmed it.
    """
    told = [getattr(row, name) for name in GUARDED["holds"]]
    confirmed = [getattr(row, name) for name in _CONFIRMED]
    return told if confirmed == [None, None] else told + confirmed


def _row(row: Any) -> HoldRow:
    # Of a row that was confirmed before that was kept, whoever settled it last is who confirmed it.
    is_older = row.state == HoldState.CONFIRMED and row.confirmed_at is None
    confirmed_by, confirmed_at = (row.settled_by, row.settled_at) if is_older else (row.confirmed_by, row.confirmed_at)
    return HoldRow(
        id=HoldId(row.id),
        principal=PrincipalId(row.principal),
        entry=row.entry,
        state=row.state,
        created_at=row.created_at,
        until=row.until,
        settled_by=None if row.settled_by is None else PrincipalId(row.settled_by),
        settled_at=row.settled_at,
        confirmed_by=None if confirmed_by is None else PrincipalId(confirmed_by),
        confirmed_at=confirmed_at,
    )
