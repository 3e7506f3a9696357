"""Subjects and persons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from registry.domain.ids import PersonId, SubjectId
from registry.keys.ports import WrappedKey
from registry.services.ports import NewSubject, PersonRow, SubjectRow
from registry.storage.guards import RowGuard
from registry.storage.kept_tags import SqlKeptTags
from registry.storage.new_rows import (
    PERSONS,
    insert_subjects,
    person_values,
    subject_guard,
    subject_told,
    subject_values,
)
from registry.storage.prepared import Prepared
from registry.storage.rows import MANY, chunks, person_row
from registry.storage.tables import persons, subjects
from registry.vault.sealed import DIRECTORY, SealedField

_COLUMNS = (
    subjects.c.id,
    subjects.c.person,
    subjects.c.number_tag,
    subjects.c.content_tag,
    subjects.c.directory,
    subjects.c.directory_digest,
    subjects.c.directory_version,
    subjects.c.state,
    subjects.c.version,
    subjects.c.guard,
    subjects.c.ties,
    subjects.c.content_generation,
    persons.c.key_id,
    persons.c.wrapped_key,
)
_SUBJECTS = select(*_COLUMNS).join_from(subjects, persons, subjects.c.person == persons.c.id)
_BY_IDS = Prepared(_SUBJECTS.where(subjects.c.id.in_(MANY)))
_BY_NUMBER_TAGS = Prepared(_SUBJECTS.where(subjects.c.number_tag.in_(MANY)))
_TIES_OF = Prepared(
    select(
        subjects.c.id,
        subjects.c.person,
        subjects.c.number_tag,
        subjects.c.state,
        subjects.c.ties,
        subjects.c.guard,
    ).where(subjects.c.number_tag.in_(MANY))
)
# FOR NO KEY UPDATE: no key changes, and rows that refer to these may be inserted beside it. Always in id order, so that
# two batches never wait for each other. On SQLite the writer's turn has them already.
_LOCKED = _SUBJECTS.add_columns(subjects.c.chain).order_by(subjects.c.id).with_for_update(of=subjects, key_share=True)
_LOCK = Prepared(_LOCKED.where(subjects.c.id.in_(MANY)))
_LOCK_TAGGED = Prepared(_LOCKED.where(subjects.c.number_tag.in_(MANY)))
_PERSONS = select(persons).where(persons.c.subject.in_(MANY)).order_by(persons.c.id)


class SqlSubjects:
    """Subjects on SQL."""

    def __init__(
        self,
        connection: Connection,
        guard: RowGuard,
        chains: MutableMapping[SubjectId, bytes],
        tags: SqlKeptTags,
    ) -> None:
        """Work inside a transaction.

        Args:
            connection: the transaction's.
            guard: makes and checks the rows' tags.
            chains: filled with the sealed chain state of every subject that is held.
            tags: seals the tags of documents.
        """
        self._connection = connection
        self._guard = guard
        self._chains = chains
        self._tags = tags

    def by_ids(self, ids: Iterable[SubjectId]) -> Mapping[SubjectId, SubjectRow]:
        return {row.id: row for row in map(self._row, _BY_IDS.rows_of(self._connection, set(ids)))}

    def by_number_tags(self, tags: Iterable[bytes]) -> Mapping[bytes, SubjectRow]:
        return {row.number_tag: row for row in map(self._row, _BY_NUMBER_TAGS.rows_of(self._connection, set(tags)))}

    def ties_of(self, tags: Iterable[bytes]) -> Mapping[bytes, tuple[SubjectId, bytes | None]]:
        found = {}
        for *told, ties, guard in _TIES_OF.rows_of(self._connection, tags):
            self._guard.demand("subjects", subject_told(tuple(told), ties), guard)
            found[told[2]] = (SubjectId(told[0]), ties)
        return found

    def ids_after(self, after: str, limit: int) -> Sequence[SubjectId]:
        statement = select(subjects.c.id).where(subjects.c.id > after).order_by(subjects.c.id).limit(limit)
        return [SubjectId(one) for one in self._connection.execute(statement).scalars()]

    def lock(self, ids: Iterable[SubjectId]) -> Mapping[SubjectId, SubjectRow]:
        return self._held(_LOCK.rows_of(self._connection, sorted(set(ids))))

    def lock_tagged(self, tags: Iterable[bytes]) -> Mapping[SubjectId, SubjectRow]:
        return self._held(_LOCK_TAGGED.rows_of(self._connection, sorted(set(tags))))

    def insert(self, rows: Sequence[NewSubject], now_ms: int) -> None:
        insert_subjects(self._connection, [subject_values(self._guard, new, now_ms) for new in rows], self._tags)

    def update(self, row: SubjectRow, now_ms: int) -> None:
        statement = update(subjects).where(subjects.c.id == row.id)
        tag, under = self._tags.sealed(row.content_tag, row.content_generation)
        self._connection.execute(
            statement.values(
                content_tag=tag,
                content_generation=under,
                directory=row.directory.sealed,
                directory_digest=row.directory.digest,
                directory_version=row.directory.version,
                state=row.state,
                version=row.version,
                updated_at=now_ms,
                guard=subject_guard(self._guard, row),
                ties=row.ties,
            )
        )

    def _held(self, rows: Iterable[tuple[Any, ...]]) -> Mapping[SubjectId, SubjectRow]:
        found: dict[SubjectId, SubjectRow] = {}
        for *columns, chain in rows:
            row = self._row(columns)
            found[row.id] = row
            self._chains[row.id] = chain
        return found

    def _row(self, row: Sequence[Any]) -> SubjectRow:
        subject, person, number_tag, content_tag, sealed, digest, directory_version, state, version, guard, ties = row[
            :11
        ]
        under, *key = row[11:]
        self._guard.demand("subjects", subject_told((subject, person, number_tag, state), ties), guard)
        held = WrappedKey(*key)
        directory = SealedField(subject, subject, person, DIRECTORY, directory_version, sealed, digest, held)
        return SubjectRow(subject, number_tag, content_tag, directory, state, version, ties, under)


class SqlPersons:
    """Persons on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def of_subjects(self, ids: Iterable[SubjectId]) -> Sequence[PersonRow]:
        return [
            person_row(row)
            for part in chunks(set(ids))
            for row in self._guard.demanded("persons", self._connection.execute(_PERSONS, {"many": part}))
        ]

    def standing(self, after: str, limit: int) -> Sequence[tuple[PersonId, SubjectId]]:
        found = select(persons.c.id, persons.c.subject).where(persons.c.id > after).order_by(persons.c.id).limit(limit)
        return [(PersonId(row.id), SubjectId(row.subject)) for row in self._connection.execute(found)]

    def insert(self, rows: Sequence[PersonRow]) -> None:
        PERSONS.run(self._connection, [person_values(self._guard, row) for row in rows])
