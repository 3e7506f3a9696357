"""Wrapped keys on SQL, wherever they are stored: counted, found and exchanged without touching what they protect."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Connection, Table, and_, bindparam, func, not_, select, update

from registry.domain.ids import PersonId
from registry.keys.ports import WrappedHead, WrappedKey
from registry.services.ports_keys import NUMBERED, KeyCount, Shelf, StoredKey
from registry.storage.tables import (
    contacts,
    index_generations,
    ledger_keys,
    mark_generations,
    persons,
    petitions,
    traces,
)

_TABLES: dict[Shelf, Table] = {
    Shelf.PERSONS: persons,
    Shelf.TRACES: traces,
    Shelf.PETITIONS: petitions,
    Shelf.CONTACTS: contacts,
    Shelf.LEDGER: ledger_keys,
    Shelf.INDEX: index_generations,
    Shelf.MARKS: mark_generations,
}
_NUMBERS = {Shelf.LEDGER: "key_epoch", Shelf.INDEX: "k", Shelf.MARKS: "k"}


class SqlWrappedKeys:
    """Wrapped keys of all tables that have some."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def counts(self, shelf: Shelf, head_bytes: int) -> Sequence[KeyCount]:
        table = _TABLES[shelf]
        head = func.substr(table.c.wrapped_key, 1, head_bytes)
        grouped = (table.c.key_id, head) if head_bytes else (table.c.key_id,)
        rows = self._connection.execute(select(*grouped, func.count()).group_by(*grouped).order_by(*grouped))
        return [KeyCount(shelf, WrappedHead(row[0], bytes(row[1]) if head_bytes else b""), row[-1]) for row in rows]

    def outdated(self, shelf: Shelf, current: WrappedHead, after: str, limit: int) -> Sequence[StoredKey]:
        table, owner = _TABLES[shelf], _owner(shelf)
        same = table.c.key_id == current.key_id
        if current.head:
            same = and_(same, func.substr(table.c.wrapped_key, 1, len(current.head)) == current.head)
        found = select(owner, table.c.key_id, table.c.wrapped_key).where(not_(same))
        if shelf not in NUMBERED:
            found = found.where(owner > after)
        rows = self._connection.execute(found.order_by(owner).limit(limit))
        return [StoredKey(PersonId(str(row[0])), WrappedKey(row[1], bytes(row[2]))) for row in rows]

    def replace(self, shelf: Shelf, pairs: Sequence[tuple[StoredKey, WrappedKey]]) -> int:
        if not pairs:
            return 0
        table, owner = _TABLES[shelf], _owner(shelf)
        stands = and_(
            owner == bindparam("owner"),
            table.c.key_id == bindparam("former_id"),
            table.c.wrapped_key == bindparam("former"),
        )
        statement = update(table).where(stands).values(key_id=bindparam("new_id"), wrapped_key=bindparam("new"))
        done = 0
        for stored, key in pairs:
            place = int(stored.owner) if shelf in NUMBERED else stored.owner
            told = {"owner": place, "former_id": stored.key.key_id, "former": stored.key.blob}
            result = self._connection.execute(statement, {**told, "new_id": key.key_id, "new": key.blob})
            done += result.rowcount
        return done


def _owner(shelf: Shelf) -> Column[object]:
    table = _TABLES[shelf]
    return table.c[_NUMBERS[shelf]] if shelf in NUMBERED else table.c.id
