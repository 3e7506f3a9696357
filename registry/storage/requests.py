"""Requests for approval, and what approvers said to them. Rows are added and settled, never taken away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from registry.domain.ids import PrincipalId, RequestId
from registry.services.ports import DecisionRow, RequestRow
from registry.storage.guards import GUARDED, RowGuard
from registry.storage.rows import MANY, chunks
from registry.storage.tables import request_decisions, requests

# By entry: two of one millisecond have their order too.
_OF_ASKS = select(requests).where(requests.c.ask_tag.in_(MANY)).order_by(requests.c.entry)
_DECISIONS = select(request_decisions).where(request_decisions.c.request.in_(MANY))
_ORDERED = _DECISIONS.order_by(request_decisions.c.decided_at, request_decisions.c.approver)
_SETTLE = update(requests).where(requests.c.id == bindparam("which"))


class SqlRequests:
    """Requests on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def get(self, request: RequestId) -> RequestRow | None:
        row = self._connection.execute(select(requests).where(requests.c.id == request)).one_or_none()
        return None if row is None else self._row(row)

    def lock(self, request: RequestId) -> RequestRow | None:
        statement = select(requests).where(requests.c.id == request).with_for_update()
        row = self._connection.execute(statement).one_or_none()
        return None if row is None else self._row(row)

    def newest_of(self, ask_tags: Iterable[bytes]) -> Mapping[bytes, RequestRow]:
        found = (row for part in chunks(set(ask_tags)) for row in self._connection.execute(_OF_ASKS, {"many": part}))
        return {row.ask_tag: row for row in map(self._row, found)}

    def newest(self, limit: int, principal: PrincipalId | None = None) -> Sequence[RequestRow]:
        statement = select(requests).order_by(requests.c.created_at.desc(), requests.c.id).limit(limit)
        if principal is not None:
            statement = statement.where(requests.c.principal == principal)
        return [self._row(row) for row in self._connection.execute(statement)]

    def listing(self) -> Iterator[RequestRow]:
        return map(self._row, self._connection.execute(select(requests)))

    def insert(self, rows: Sequence[RequestRow]) -> None:
        if rows:
            self._connection.execute(insert(requests), [self._guard.guarded("requests", _columns(row)) for row in rows])

    def settle(self, row: RequestRow) -> None:
        guard = self._guard.guarded("requests", _columns(row))["guard"]
        values = {"state": row.state, "until": row.until, "guard": guard}
        self._connection.execute(_SETTLE.values(values), {"which": row.id})

    def decisions_of(self, requests: Iterable[RequestId]) -> Sequence[DecisionRow]:
        found = (row for part in chunks(set(requests)) for row in self._connection.execute(_ORDERED, {"many": part}))
        return list(self._decisions(found))

    def decisions(self) -> Iterator[DecisionRow]:
        return self._decisions(self._connection.execute(select(request_decisions)))

    def _decisions(self, rows: Iterable[Any]) -> Iterator[DecisionRow]:
        for row in self._guard.demanded("request_decisions", rows):
            is_other = bool(row.is_other_unit)
            yield DecisionRow(RequestId(row.request), PrincipalId(row.approver), row.verdict, is_other, row.decided_at)

    def insert_decision(self, row: DecisionRow) -> None:
        values = {
            "request": row.request,
            "approver": row.approver,
            "verdict": row.verdict,
            "is_other_unit": int(row.is_other_unit),
            "decided_at": row.decided_at,
        }
        self._connection.execute(insert(request_decisions), self._guard.guarded("request_decisions", values))

    def _row(self, row: Any) -> RequestRow:
        self._guard.demand("requests", [getattr(row, name) for name in GUARDED["requests"]], row.guard)
        return RequestRow(
            id=RequestId(row.id),
            principal=PrincipalId(row.principal),
            ask_tag=row.ask_tag,
            entry=row.entry,
            needs=row.needs,
            needs_other_unit=bool(row.needs_other_unit),
            state=row.state,
            created_at=row.created_at,
            until=row.until,
        )


def _columns(row: RequestRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "principal": row.principal,
        "ask_tag": row.ask_tag,
        "entry": row.entry,
        "needs": row.needs,
        "needs_other_unit": int(row.needs_other_unit),
        "state": row.state,
        "created_at": row.created_at,
        "until": row.until,
    }
