"""Emergencies and what reviews found of them. Rows are added and reviewed once, never taken away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from registry.domain.ids import BreakGlassId, PrincipalId
from registry.services.ports_break_glass import BreakGlassRow
from registry.storage.guards import RowGuard
from registry.storage.tables import break_glass

_UNREVIEWED = select(break_glass).where(break_glass.c.finding == "").order_by(break_glass.c.review_by, break_glass.c.id)
_REVIEWED = (
    select(break_glass).where(break_glass.c.finding != "").order_by(break_glass.c.created_at.desc(), break_glass.c.id)
)


class SqlBreakGlass:
    """Emergencies on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def get(self, identifier: BreakGlassId) -> BreakGlassRow | None:
        return next(iter(self._rows(select(break_glass).where(break_glass.c.id == identifier))), None)

    def lock(self, identifier: BreakGlassId) -> BreakGlassRow | None:
        statement = select(break_glass).where(break_glass.c.id == identifier).with_for_update()
        return next(iter(self._rows(statement)), None)

    def open_of(self, principal: PrincipalId, now_ms: int) -> Sequence[BreakGlassRow]:
        mine = (break_glass.c.principal == principal) & (break_glass.c.until > now_ms)
        return self._rows(select(break_glass).where(mine).order_by(break_glass.c.until.desc(), break_glass.c.id))

    def unreviewed(self) -> Sequence[BreakGlassRow]:
        return self._rows(_UNREVIEWED)

    def newest(self, limit: int) -> Sequence[BreakGlassRow]:
        waiting = self._rows(_UNREVIEWED.limit(limit))
        return [*waiting, *self._rows(_REVIEWED.limit(limit - len(waiting)))]

    def listing(self) -> Iterable[BreakGlassRow]:
        return self._rows(select(break_glass))

    def insert(self, row: BreakGlassRow) -> None:
        self._connection.execute(insert(break_glass), self._guard.guarded("break_glass", _columns(row)))

    def settle(self, row: BreakGlassRow) -> None:
        columns = self._guard.guarded("break_glass", _columns(row))
        values = {name: columns[name] for name in ("finding", "reviewer", "reviewed_at", "guard")}
        self._connection.execute(update(break_glass).where(break_glass.c.id == row.id).values(values))

    def _rows(self, statement: Any) -> list[BreakGlassRow]:
        found: Iterable[Any] = self._connection.execute(statement)
        return [
            BreakGlassRow(
                id=BreakGlassId(row.id),
                principal=PrincipalId(row.principal),
                subject_tag=row.subject_tag,
                categories=frozenset(row.categories.split()),
                entry=row.entry,
                created_at=row.created_at,
                until=row.until,
                review_by=row.review_by,
                finding=row.finding,
                reviewer=None if row.reviewer is None else PrincipalId(row.reviewer),
                reviewed_at=row.reviewed_at,
            )
            for row in self._guard.demanded("break_glass", found)
        ]


def _columns(row: BreakGlassRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "principal": row.principal,
        "subject_tag": row.subject_tag,
        "categories": " ".join(sorted(row.categories)),
        "entry": row.entry,
        "created_at": row.created_at,
        "until": row.until,
        "review_by": row.review_by,
        "finding": row.finding,
        "reviewer": row.reviewer,
        "reviewed_at": row.reviewed_at,
    }
