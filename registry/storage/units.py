"""Units that HR systems keep: their names, sealed, and what they are found again by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from registry.domain.ids import UnitId
from registry.services.ports_units import UnitRow
from registry.storage.guards import RowGuard
from registry.storage.tables import units

_ROWS = select(units)
_KEPT = units.c.name_tag.is_not(None)
_PAGE = _ROWS.where(_KEPT).order_by(units.c.created_at, units.c.id)
_COUNT = select(func.count()).select_from(units).where(_KEPT)


class SqlUnits:
    """Units on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def by_id(self, identifier: UnitId) -> UnitRow | None:
        return next(iter(self._rows(_ROWS.where(_KEPT, units.c.id == identifier))), None)

    def by_name_tag(self, tag: bytes) -> UnitRow | None:
        return next(iter(self._rows(_ROWS.where(units.c.name_tag == tag))), None)

    def by_outside_tag(self, tag: bytes, limit: int) -> Sequence[UnitRow]:
        return self._rows(_PAGE.where(units.c.outside_tag == tag).limit(limit))

    def page(self, start: int, limit: int) -> Sequence[UnitRow]:
        return self._rows(_PAGE.offset(start).limit(limit))

    def listing(self) -> Sequence[UnitRow]:
        return self._rows(_ROWS)

    def count(self) -> int:
        return int(self._connection.execute(_COUNT).scalar_one())

    def insert(self, row: UnitRow) -> None:
        self._connection.execute(insert(units), self._values(row))

    def replace(self, row: UnitRow) -> bool:
        before = (units.c.id == row.id) & (units.c.version == row.version - 1)
        return self._connection.execute(update(units).where(before).values(**self._values(row))).rowcount == 1

    def _values(self, row: UnitRow) -> dict[str, Any]:
        told = {
            "id": row.id,
            "name_tag": row.name_tag,
            "outside_tag": row.outside_tag,
            "version": row.version,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
            "names": row.names,
        }
        return self._guard.guarded("units", told)

    def _rows(self, statement: Select[Any]) -> list[UnitRow]:
        found = self._guard.demanded("units", self._connection.execute(statement))
        return [
            UnitRow(
                UnitId(row.id), row.name_tag, row.outside_tag, row.version, row.created_at, row.updated_at, row.names
            )
            for row in found
        ]
