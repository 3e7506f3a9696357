"""Records, their versions and their marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, select, tuple_, update

from registry.domain.categories import CATEGORIES
from registry.domain.ids import RecordId, SubjectId
from registry.domain.marks import TIERS
from registry.keys.ports import WrappedKey
from registry.services.ports import ENDED, MarkRow, RecordRow, VersionRow
from registry.storage.guards import GUARDED, RowGuard
from registry.storage.kept_tags import SqlKeptTags
from registry.storage.mark_generations import SqlMarkGenerations
from registry.storage.new_rows import (
    MARKS,
    RECORDS,
    insert_versions,
    mark_values,
    record_columns,
    record_values,
    version_values,
)
from registry.storage.prepared import Prepared
from registry.storage.rows import MANY, chunks, mark_row, version_row
from registry.storage.tables import marks, persons, record_versions, records
from registry.vault.sealed import SealedField

_VERSION_COLUMNS = (
    record_versions.c.record,
    record_versions.c.version,
    record_versions.c.sealed,
    record_versions.c.digest,
    record_versions.c.value_tag,
    record_versions.c.mark_epoch,
    record_versions.c.tag_generation,
)
_RECORD_COLUMNS = (
    records.c.subject,
    records.c.person,
    records.c.category,
    records.c.slot_tag,
    records.c.tier,
    records.c.mark_version,
    records.c.state,
    records.c.version.label("current"),
    records.c.guard,
)


_FIELDS = (
    select(*_VERSION_COLUMNS, *_RECORD_COLUMNS, persons.c.key_id, persons.c.wrapped_key)
    .join_from(records, record_versions, records.c.id == record_versions.c.record)
    .join(persons, persons.c.id == records.c.person)
)
_CURRENT = _FIELDS.where(records.c.version == record_versions.c.version)
_OF_SUBJECTS = Prepared(_CURRENT.where(records.c.subject.in_(MANY)).order_by(records.c.created_at, records.c.id))
_BY_IDS = Prepared(_CURRENT.where(records.c.id.in_(MANY)))
_SUBJECTS_OF = Prepared(select(records.c.id, records.c.subject).where(records.c.id.in_(MANY)))
_VERSIONS_OF = (
    select(record_versions)
    .where(record_versions.c.record.in_(MANY))
    .order_by(record_versions.c.record, record_versions.c.version)
)
_SEALED_VERSIONS = _FIELDS.where(tuple_(record_versions.c.record, record_versions.c.version).in_(MANY))
_MARKS_OF = (
    select(marks)
    .join_from(marks, records, and_(marks.c.record == records.c.id, marks.c.mark_version == records.c.mark_version))
    .where(marks.c.record.in_(MANY))
)


class SqlRecords:
    """Records on SQL."""

    def __init__(
        self, connection: Connection, guard: RowGuard, generations: SqlMarkGenerations, tags: SqlKeptTags
    ) -> None:
        self._connection = connection
        self._guard = guard
        self._generations = generations
        self._tags = tags

    def of_subjects(self, ids: Iterable[SubjectId]) -> Sequence[RecordRow]:
        return [self._row(row) for row in _OF_SUBJECTS.rows_of(self._connection, set(ids))]

    def by_ids(self, ids: Iterable[RecordId]) -> Mapping[RecordId, RecordRow]:
        return {row.id: row for row in map(self._row, _BY_IDS.rows_of(self._connection, set(ids)))}

    def subjects_of(self, ids: Iterable[RecordId]) -> Mapping[RecordId, SubjectId]:
        return dict(_SUBJECTS_OF.rows_of(self._connection, set(ids)))

    def versions_of(self, ids: Iterable[RecordId]) -> Sequence[VersionRow]:
        return [
            version_row(row)
            for part in chunks(set(ids))
            for row in self._connection.execute(_VERSIONS_OF, {"many": part})
        ]

    def sealed_versions(self, pairs: Iterable[tuple[RecordId, int]]) -> Sequence[SealedField]:
        return [
            self._row(row).field
            for part in chunks(set(pairs), 1_000)
            for row in self._connection.execute(_SEALED_VERSIONS, {"many": part})
        ]

    def marks_of(self, ids: Iterable[RecordId]) -> Mapping[RecordId, MarkRow]:
        return {
            RecordId(row.record): mark_row(row)
            for part in chunks(set(ids))
            for row in self._guard.demanded("marks", self._connection.execute(_MARKS_OF, {"many": part}))
        }

    def insert(self, rows: Sequence[RecordRow], versions: Sequence[VersionRow], now_ms: int) -> None:
        RECORDS.run(self._connection, [record_values(self._guard, row, now_ms) for row in rows])
        insert_versions(self._connection, version_values(rows, versions), self._generations, self._tags)

    def insert_marks(self, rows: Sequence[MarkRow]) -> None:
        MARKS.run(self._connection, [mark_values(self._guard, row) for row in rows])

    def replace(self, rows: Sequence[RecordRow], versions: Sequence[VersionRow]) -> None:
        """Store changed records; a row whose version has no history yet gets a new version, closing the old one."""
        for row in rows:
            values = self._guard.guarded("records", record_columns(row))
            self._connection.execute(update(records).where(records.c.id == row.id).values(**values))
        fresh = {version.record: version for version in versions}
        for version in versions:
            self._connection.execute(
                update(record_versions)
                .where(record_versions.c.record == version.record, record_versions.c.version == version.version - 1)
                .values(valid_to=version.valid_from)
            )
        new = version_values([row for row in rows if row.id in fresh], versions)
        insert_versions(self._connection, new, self._generations, self._tags)

    def end(self, ids: Sequence[RecordId], now_ms: int) -> None:
        for part in chunks(ids):
            for row in self._connection.execute(select(records).where(records.c.id.in_(part))).all():
                told = row._asdict()
                self._guard.demand("records", [told[name] for name in GUARDED["records"]], row.guard)
                guard = self._guard.guarded("records", {**told, "state": ENDED})["guard"]
                statement = update(records).where(records.c.id == row.id)
                self._connection.execute(statement.values(state=ENDED, guard=guard))
            self._connection.execute(
                update(record_versions)
                .where(record_versions.c.record.in_(part), record_versions.c.valid_to.is_(None))
                .values(valid_to=now_ms)
            )

    def draw_anew(self, pairs: Iterable[tuple[RecordId, int]]) -> None:
        for record, version in pairs:
            self._connection.execute(
                update(record_versions)
                .where(record_versions.c.record == record, record_versions.c.version == version)
                .values(mark_epoch=record_versions.c.mark_epoch + 1)
            )

    def _row(self, row: Sequence[Any]) -> RecordRow:
        record, version, sealed, digest, value_tag, epoch, under = row[:7]
        subject, person, category, slot_tag, tier, mark_version, state, current, guard = row[7:16]
        told = (record, subject, person, category, slot_tag, current, state, tier, mark_version)
        self._guard.demand("records", told, guard)
        field = SealedField(record, subject, person, category, version, sealed, digest, WrappedKey(*row[16:]))
        kind, held = CATEGORIES[category], TIERS[tier]
        facts = (record, subject, person, kind, slot_tag, value_tag, held, mark_version, state)
        return RecordRow(*facts, field, epoch, under)
