"""Provisions: under which names HR systems keep subjects up to date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from registry.domain.ids import PersonId, ProvisionId, RecordId, SubjectId
from registry.keys.ports import WrappedKey
from registry.services.ports_provisions import ProvisionRow, ProvisionState
from registry.storage.guards import RowGuard
from registry.storage.rows import MANY, chunks
from registry.storage.tables import persons, provisions
from registry.vault.sealed import PROVISION, SealedField

_ROWS = select(provisions, persons.c.key_id, persons.c.wrapped_key).join_from(
    provisions, persons, provisions.c.person == persons.c.id
)
_KEPT = provisions.c.state != ProvisionState.REMOVED
_PAGE = _ROWS.where(_KEPT).order_by(provisions.c.created_at, provisions.c.id)
_COUNT = select(func.count()).select_from(provisions).where(_KEPT)


class SqlProvisions:
    """Provisions on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def by_ids(self, ids: Iterable[ProvisionId]) -> Sequence[ProvisionRow]:
        return self._many(_ROWS.where(provisions.c.id.in_(MANY)), ids)

    def by_user_tag(self, tag: bytes) -> ProvisionRow | None:
        return next(iter(self._rows(_ROWS.where(provisions.c.user_tag == tag))), None)

    def by_outside_tag(self, tag: bytes, limit: int) -> Sequence[ProvisionRow]:
        return self._rows(_PAGE.where(provisions.c.outside_tag == tag).limit(limit))

    def of_subjects(self, ids: Iterable[SubjectId]) -> Sequence[ProvisionRow]:
        return self._many(_ROWS.where(provisions.c.subject.in_(MANY)), ids)

    def page(self, start: int, limit: int) -> Sequence[ProvisionRow]:
        return self._rows(_PAGE.offset(start).limit(limit))

    def count(self) -> int:
        return self._connection.execute(_COUNT).scalar_one()

    def insert(self, row: ProvisionRow) -> None:
        self._connection.execute(insert(provisions), self._values(row))

    def update(self, row: ProvisionRow) -> None:
        self._connection.execute(update(provisions).where(provisions.c.id == row.id).values(**self._values(row)))

    def _values(self, row: ProvisionRow) -> dict[str, Any]:
        told = {
            "id": row.id,
            "subject": row.names.subject,
            "person": row.names.person,
            "user_tag": row.user_tag,
            "outside_tag": row.outside_tag,
            "state": row.state.value,
            "version": row.names.version,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
            "names": row.names.sealed,
            "digest": row.names.digest,
        }
        return self._guard.guarded("provisions", told)

    def _many(self, statement: Select[Any], ids: Iterable[str]) -> list[ProvisionRow]:
        parts = chunks(sorted(set(ids)))
        return [row for part in parts for row in self._rows(statement, {"many": part})]

    def _rows(self, statement: Select[Any], values: dict[str, Any] | None = None) -> list[ProvisionRow]:
        found: Iterable[Any] = self._connection.execute(statement, values or {})
        return [_row(row) for row in self._guard.demanded("provisions", found)]


def _row(row: Any) -> ProvisionRow:
    names = SealedField(
        record=RecordId(row.id),
        subject=SubjectId(row.subject),
        person=PersonId(row.person),
        category=PROVISION,
        version=row.version,
        sealed=row.names,
        digest=row.digest,
        key=WrappedKey(row.key_id, row.wrapped_key),
    )
    return ProvisionRow(
        id=ProvisionId(row.id),
        user_tag=row.user_tag,
        outside_tag=row.outside_tag,
        state=ProvisionState(row.state),
        created_at=row.created_at,
        updated_at=row.updated_at,
        names=names,
    )
