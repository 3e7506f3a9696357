"""Subjects and persons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from registry.domain.ids import SubjectId
from registry.services.ports import NewSubject, PersonRow, SubjectRow
from registry.storage.guards import RowGuard
from registry.storage.rows import MANY, chunks, person_row, subject_row
from registry.storage.tables import persons, subjects

_SUBJECTS = select(subjects, persons.c.key_id, persons.c.wrapped_key).join_from(
    subjects, persons, subjects.c.person == persons.c.id
)
_BY_IDS = _SUBJECTS.where(subjects.c.id.in_(MANY))
_BY_NUMBER_TAGS = _SUBJECTS.where(subjects.c.number_tag.in_(MANY))
# FOR NO KEY UPDATE: no key changes, and rows that refer to these may be inserted beside it.
_LOCK = _BY_IDS.order_by(subjects.c.id).with_for_update(of=subjects, key_share=True)
_PERSONS = select(persons).where(persons.c.subject.in_(MANY)).order_by(persons.c.id)
_INSERT, _INSERT_PERSONS = insert(subjects), insert(persons)


class SqlSubjects:
    """Subjects on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def by_ids(self, ids: Iterable[SubjectId]) -> Mapping[SubjectId, SubjectRow]:
        found: dict[SubjectId, SubjectRow] = {}
        for part in chunks(set(ids)):
            for row in self._connection.execute(_BY_IDS, {"many": part}):
                found[SubjectId(row.id)] = self._row(row)
        return found

    def by_number_tags(self, tags: Iterable[bytes]) -> Mapping[bytes, SubjectRow]:
        found: dict[bytes, SubjectRow] = {}
        for part in chunks(set(tags)):
            for row in self._connection.execute(_BY_NUMBER_TAGS, {"many": part}):
                found[row.number_tag] = self._row(row)
        return found

    def lock(self, ids: Iterable[SubjectId]) -> Mapping[SubjectId, SubjectRow]:
        # Always in id order, so that two batches never wait for each other. SQLite's writer turn has it already.
        return {
            SubjectId(row.id): self._row(row)
            for part in chunks(sorted(set(ids)))
            for row in self._connection.execute(_LOCK, {"many": part})
        }

    def insert(self, rows: Sequence[NewSubject], now_ms: int) -> None:
        values = [
            {
                "id": new.subject.id,
                "person": new.subject.directory.person,
                "number_tag": new.subject.number_tag,
                "content_tag": new.subject.content_tag,
                "directory": new.subject.directory.sealed,
                "directory_digest": new.subject.directory.digest,
                "directory_version": new.subject.directory.version,
                "state": new.subject.state,
                "version": new.subject.version,
                "chain": new.chain,
                "created_at": now_ms,
                "updated_at": now_ms,
                "guard": self._tag(new.subject),
            }
            for new in sorted(rows, key=lambda new: new.subject.number_tag)  # two imports wait in one order
        ]
        if values:
            self._connection.execute(_INSERT, values)

    def update(self, row: SubjectRow, now_ms: int) -> None:
        statement = update(subjects).where(subjects.c.id == row.id)
        self._connection.execute(
            statement.values(
                content_tag=row.content_tag,
                directory=row.directory.sealed,
                directory_digest=row.directory.digest,
                directory_version=row.directory.version,
                state=row.state,
                version=row.version,
                updated_at=now_ms,
                guard=self._tag(row),
            )
        )

    def _tag(self, row: SubjectRow) -> bytes:
        columns = {"id": row.id, "person": row.directory.person, "number_tag": row.number_tag, "state": row.state}
        return self._guard.tag("subjects", columns)

    def _row(self, row: Any) -> SubjectRow:
        self._guard.demand("subjects", row._asdict(), row.guard)
        return subject_row(row)


class SqlPersons:
    """Persons on SQL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_subjects(self, ids: Iterable[SubjectId]) -> Sequence[PersonRow]:
        return [
            person_row(row) for part in chunks(set(ids)) for row in self._connection.execute(_PERSONS, {"many": part})
        ]

    def insert(self, rows: Sequence[PersonRow]) -> None:
        values = [
            {
                "id": row.id,
                "subject": row.subject,
                "ref_tag": row.ref_tag,
                "key_id": row.key.key_id,
                "wrapped_key": row.key.blob,
            }
            for row in rows
        ]
        if values:
            self._connection.execute(_INSERT_PERSONS, values)
