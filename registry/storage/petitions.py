"""Disputes, corrections and contacts on SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, update

from registry.domain.ids import PetitionId, PrincipalId
from registry.keys.ports import WrappedKey
from registry.services.ports_petitions import ContactRow, PetitionRow
from registry.storage.guards import GUARDED, RowGuard
from registry.storage.tables import contacts, petitions
from registry.vault.petitions import NOTE, TEXT, VALUE, SealedPetition

_OPEN = "open"
_COLUMNS = {TEXT: "sealed_text", VALUE: "sealed_value", NOTE: "sealed_note"}


class SqlPetitions:
    """What subjects asked for, and where they want to be told."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def get(self, petition: PetitionId) -> PetitionRow | None:
        row = self._connection.execute(select(petitions).where(petitions.c.id == petition)).one_or_none()
        return None if row is None else self._row(row)

    def listing(self, kind: str, principal: PrincipalId | None, limit: int) -> Sequence[PetitionRow]:
        statement = select(petitions).where(petitions.c.kind == kind)
        if principal is not None:
            statement = statement.where(petitions.c.principal == principal)
        waiting = case((petitions.c.state == _OPEN, 0), else_=1)
        listed = statement.order_by(waiting, petitions.c.created_at.desc(), petitions.c.id).limit(limit)
        return [self._row(row) for row in self._connection.execute(listed)]

    def everything(self) -> Iterator[PetitionRow]:
        yield from map(self._row, self._connection.execute(select(petitions)))

    def contacts(self) -> Iterator[ContactRow]:
        yield from map(self._contact, self._connection.execute(select(contacts)))

    def open_of(self, kind: str, principal: PrincipalId) -> int:
        mine = (petitions.c.kind == kind) & (petitions.c.principal == principal) & (petitions.c.state == _OPEN)
        return self._connection.execute(select(func.count()).where(mine)).scalar_one()

    def insert(self, row: PetitionRow) -> None:
        self._connection.execute(insert(petitions), self._values(row))

    def answer(self, row: PetitionRow) -> None:
        values = self._values(row)
        changed = {name: values[name] for name in ("state", "answered_by", "sealed_note", "guard")}
        self._connection.execute(update(petitions).where(petitions.c.id == row.id).values(**changed))

    def contact(self, label: bytes) -> ContactRow | None:
        row = self._connection.execute(select(contacts).where(contacts.c.label == label)).one_or_none()
        return None if row is None else self._contact(row)

    def _contact(self, row: Any) -> ContactRow:
        self._guard.demand("contacts", [getattr(row, name) for name in GUARDED["contacts"]], row.guard)
        key = WrappedKey(row.key_id, row.wrapped_key)
        return ContactRow(
            row.label, row.version, SealedPetition(PetitionId(row.id), key, row.about, {TEXT: row.sealed})
        )

    def put_contact(self, row: ContactRow) -> None:
        told = {
            "label": row.label,
            "version": row.version,
            "id": row.petition.id,
            "key_id": row.petition.key.key_id,
            "wrapped_key": row.petition.key.blob,
            "about": row.petition.about,
            "sealed": row.petition.parts[TEXT],
        }
        values = self._guard.guarded("contacts", told)
        is_new = row.version == 1
        statement = insert(contacts) if is_new else update(contacts).where(contacts.c.label == row.label)
        self._connection.execute(statement.values(**values))

    def _values(self, row: PetitionRow) -> dict[str, Any]:
        told = {
            "id": row.id,
            "kind": row.kind,
            "principal": row.principal,
            "created_at": row.created_at,
            "state": row.state,
            "answered_by": row.answered_by,
            "key_id": row.petition.key.key_id,
            "wrapped_key": row.petition.key.blob,
            "about": row.petition.about,
        }
        told |= {column: row.petition.parts.get(part) for part, column in _COLUMNS.items()}
        return self._guard.guarded("petitions", told)

    def _row(self, row: Any) -> PetitionRow:
        self._guard.demand("petitions", [getattr(row, name) for name in GUARDED["petitions"]], row.guard)
        parts = {part: sealed for part, column in _COLUMNS.items() if (sealed := getattr(row, column)) is not None}
        sealed = SealedPetition(PetitionId(row.id), WrappedKey(row.key_id, row.wrapped_key), row.about, parts)
        answered_by = None if row.answered_by is None else PrincipalId(row.answered_by)
        return PetitionRow(row.kind, PrincipalId(row.principal), row.created_at, row.state, answered_by, sealed)
