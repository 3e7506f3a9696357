"""Notices that wait to be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from registry.domain.ids import EventId
from registry.services.ports_notices import DEAD, HELD, WAITING, MarkRow, OutboxRow, PutOff
from registry.storage.prepared import Prepared
from registry.storage.tables import ledger_body, notice_marks, outbox

_COLUMNS = ("id", "event", "channel", "sealed", "queued_at", "due_at", "attempts", "state")
_PUT = Prepared(insert(outbox), _COLUMNS)
_ROWS = select(*(outbox.c[name] for name in _COLUMNS), ledger_body.c.i).join_from(
    outbox, ledger_body, outbox.c.event == ledger_body.c.event
)
# A hold ends by itself: what was held back is due then.
_GOES = (WAITING, HELD)
# Not what somebody else has claimed meanwhile, because this attempt took longer than its lease.
_PUT_OFF = (
    update(outbox)
    .where(outbox.c.id == bindparam("which"), outbox.c.attempts == bindparam("claimed"))
    .values(due_at=bindparam("due"), state=bindparam("as"), queued_at=bindparam("since"))
)


class SqlOutbox:
    """The outbox on SQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, rows: Sequence[OutboxRow]) -> None:
        if rows:
            told = [{name: getattr(row, name) for name in _COLUMNS} for row in rows]
            _PUT.run_each(self._connection, told)

    def claim(self, channel: str, now_ms: int, until_ms: int, most: int) -> Sequence[OutboxRow]:
        due = (
            _ROWS.where(outbox.c.channel == channel, outbox.c.state.in_(_GOES), outbox.c.due_at <= now_ms)
            .order_by(outbox.c.due_at)
            .limit(most)
        )
        # Rows that another process is just claiming are passed over; SQLite has one writer at a time anyway.
        found = [_row(row) for row in self._connection.execute(due.with_for_update(of=outbox, skip_locked=True))]
        if found:
            claimed = update(outbox).where(outbox.c.id.in_([row.id for row in found]))
            self._connection.execute(claimed.values(due_at=until_ms, attempts=outbox.c.attempts + 1))
        return found

    def is_due(self, channel: str, now_ms: int) -> bool:
        due = select(outbox.c.id).where(
            outbox.c.channel == channel, outbox.c.state.in_(_GOES), outbox.c.due_at <= now_ms
        )
        return self._connection.execute(due.limit(1)).first() is not None

    def remove(self, identifiers: Sequence[str]) -> None:
        self._connection.execute(delete(outbox).where(outbox.c.id.in_(identifiers)))

    def put_off(self, rows: Sequence[PutOff]) -> None:
        told = [
            {
                "which": one.row.id,
                "claimed": one.row.attempts + 1,
                "due": one.due_ms,
                "as": one.state,
                "since": one.queued_ms,
            }
            for one in rows
        ]
        if told:
            self._connection.execute(_PUT_OFF, told)

    def forget_before(self, channel: str, due_ms: int) -> None:
        old = delete(outbox).where(outbox.c.channel == channel, outbox.c.state == DEAD, outbox.c.due_at < due_ms)
        self._connection.execute(old)

    def release_held(self, now_ms: int) -> None:
        held = update(outbox).where(outbox.c.state == HELD)
        self._connection.execute(held.values(due_at=now_ms, queued_at=now_ms))

    def revive(self, now_ms: int) -> int:
        dead = update(outbox).where(outbox.c.state == DEAD)
        return self._connection.execute(dead.values(state=WAITING, queued_at=now_ms, due_at=now_ms)).rowcount

    def counts(self) -> Mapping[tuple[str, str], int]:
        found = select(outbox.c.channel, outbox.c.state, func.count()).group_by(outbox.c.channel, outbox.c.state)
        return {(row.channel, row.state): row[2] for row in self._connection.execute(found)}

    def waiting_since(self) -> int | None:
        since: int | None = self._connection.execute(
            select(func.min(outbox.c.queued_at)).where(outbox.c.state == WAITING)
        ).scalar_one()
        return since

    def listing(self, most: int) -> Sequence[OutboxRow]:
        return [_row(row) for row in self._connection.execute(_ROWS.order_by(outbox.c.due_at).limit(most))]


class SqlNoticeMarks:
    """How far digests and reminders have come, on SQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> MarkRow | None:
        row = self._connection.execute(select(notice_marks).where(notice_marks.c.name == name)).one_or_none()
        return None if row is None else MarkRow(row.name, row.day, row.through)

    def put(self, row: MarkRow) -> None:
        # Whoever writes it holds the ledger's head, so that nobody comes in between.
        values = {"name": row.name, "day": row.day, "through": row.through}
        if not self._connection.execute(
            update(notice_marks).where(notice_marks.c.name == row.name).values(values)
        ).rowcount:
            self._connection.execute(insert(notice_marks), values)


def _row(row: tuple[object, ...]) -> OutboxRow:
    identifier, event, channel, sealed, queued_at, due_at, attempts, state, index = row
    return OutboxRow(identifier, EventId(event), channel, sealed, queued_at, due_at, attempts, state, index)  # type: ignore[arg-type]  # columns have the types of the table
