"""What the brakes keep: small sets of keyed tags, raised limits, labels of decoys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    LargeBinary,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from registry.domain.ids import PrincipalId
from registry.services.ports import TallyRow, UnlockRow
from registry.storage.guards import RowGuard
from registry.storage.prepared import Prepared
from registry.storage.rows import MANY
from registry.storage.tables import decoys, quota_unlocks, tallies

_TALLIES = select(tallies.c.label, tallies.c.day, tallies.c.tags, tallies.c.guard).order_by(tallies.c.label)
# Always in the order of labels, after the subjects and before the ledger's head: two batches never wait in a circle.
_HOLD = Prepared(_TALLIES.where(tallies.c.label.in_(MANY)).with_for_update())
_LOOK = Prepared(_TALLIES.where(tallies.c.label.in_(MANY)))
_STORE = Prepared(
    update(tallies)
    .where(tallies.c.label == bindparam("named"))
    .values(
        day=bindparam("today", type_=Integer),
        tags=bindparam("kept", type_=LargeBinary),
        guard=bindparam("tag", type_=LargeBinary),
    )
)
_MAKERS: Mapping[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
# A row that another writer is just making is waited for and then held as it is: no count is lost, nobody starts anew.
_COLUMNS = ("label", "day", "tags", "guard")
_MAKE = {name: Prepared(maker(tallies).on_conflict_do_nothing(), _COLUMNS) for name, maker in _MAKERS.items()}
_OLD = select(tallies.c.label).where(tallies.c.day < bindparam("before")).order_by(tallies.c.day, tallies.c.label)
_FORGET = delete(tallies).where(tallies.c.label.in_(_OLD.limit(20)))
_UNLOCKS = Prepared(
    select(
        quota_unlocks.c.principal,
        quota_unlocks.c.purpose,
        quota_unlocks.c.most,
        quota_unlocks.c.until,
        quota_unlocks.c.granted_by,
        quota_unlocks.c.guard,
    ).where(quota_unlocks.c.principal.in_(MANY))
)
_DECOYS = Prepared(select(decoys.c.label).where(decoys.c.label.in_(MANY)))


class SqlBrakes:
    """The brakes' tables on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def hold(self, labels: Iterable[bytes], day: int) -> Mapping[bytes, TallyRow]:
        wanted = sorted(set(labels))
        found = self._found(_HOLD, wanted)
        if missing := [label for label in wanted if label not in found]:
            new = [self._guard.guarded("tallies", {"label": label, "day": day, "tags": b""}) for label in missing]
            _MAKE[self._connection.dialect.name].run_each(self._connection, new)
            found |= self._found(_HOLD, missing)
        return found

    def look(self, labels: Iterable[bytes]) -> Mapping[bytes, TallyRow]:
        return self._found(_LOOK, sorted(set(labels)))

    def store(self, rows: Sequence[TallyRow]) -> None:
        told = [
            {
                "named": row.label,
                "today": row.day,
                "kept": row.tags,
                "tag": self._guard.tag("tallies", (row.label, row.day, row.tags)),
            }
            for row in sorted(rows, key=lambda row: row.label)
        ]
        if told:
            _STORE.run_each(self._connection, told)

    def forget_before(self, day: int) -> None:
        """Delete the sets that were last changed before a day, twenty at most: a write pays for little."""
        self._connection.execute(_FORGET, {"before": day})

    def unlocks_of(self, ids: Iterable[PrincipalId]) -> Sequence[UnlockRow]:
        found = []
        for *parts, guard in _UNLOCKS.rows_of(self._connection, sorted(set(ids))):
            self._guard.demand("quota_unlocks", parts, guard)
            principal, purpose, most, until, granted_by = parts
            found.append(UnlockRow(PrincipalId(principal), purpose, most, until, PrincipalId(granted_by)))
        return found

    def put_unlock(self, row: UnlockRow) -> None:
        told = {
            "principal": row.principal,
            "purpose": row.purpose,
            "most": row.most,
            "until": row.until_ms,
            "granted_by": row.granted_by,
        }
        values = self._guard.guarded("quota_unlocks", told)
        statement = _MAKERS[self._connection.dialect.name](quota_unlocks).values(values)
        changed = {name: values[name] for name in ("most", "until", "granted_by", "guard")}
        self._connection.execute(statement.on_conflict_do_update(index_elements=["principal", "purpose"], set_=changed))

    def decoys_among(self, labels: Iterable[bytes]) -> frozenset[bytes]:
        return frozenset(label for (label,) in _DECOYS.rows_of(self._connection, sorted(set(labels))))

    def add_decoys(self, labels: Iterable[bytes]) -> None:
        new = set(labels)
        new -= self.decoys_among(new)
        if new:
            self._connection.execute(insert(decoys), [{"label": label} for label in sorted(new)])

    def remove_decoys(self, labels: Iterable[bytes]) -> None:
        self._connection.execute(delete(decoys).where(decoys.c.label.in_(sorted(set(labels)))))

    def _found(self, statement: Prepared, labels: Sequence[bytes]) -> dict[bytes, TallyRow]:
        found = {}
        for label, day, tags, guard in statement.rows_of(self._connection, labels):
            self._guard.demand("tallies", (label, day, tags), guard)
            found[label] = TallyRow(label, day, tags)
        return found
