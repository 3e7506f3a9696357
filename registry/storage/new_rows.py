"""Rows of new people as the tables take them, made without a database: another process may make them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from registry.marks.draw import stored_epoch
from registry.services.ports import (
    MarkRow,
    NewRows,
    NewSubject,
    PackedRows,
    PersonRow,
    RecordRow,
    SubjectRow,
    VersionRow,
)
from registry.storage.bulk import BulkInsert
from registry.storage.guards import RowGuard
from registry.storage.kept_tags import SqlKeptTags
from registry.storage.mark_generations import SqlMarkGenerations
from registry.storage.tables import marks, persons, record_versions, records, subjects
from registry.vault.generations import FIRST

SUBJECTS = BulkInsert(
    subjects,
    (
        "id",
        "person",
        "number_tag",
        "content_tag",
        "directory",
        "directory_digest",
        "directory_version",
        "state",
        "version",
        "chain",
        "created_at",
        "updated_at",
        "guard",
        "ties",
        "content_generation",
    ),
)
PERSONS = BulkInsert(persons, ("id", "subject", "ref_tag", "key_id", "wrapped_key", "guard"))
RECORDS = BulkInsert(
    records,
    (
        "id",
        "subject",
        "person",
        "category",
        "slot_tag",
        "version",
        "state",
        "tier",
        "mark_version",
        "created_at",
        "guard",
    ),
)
VERSIONS = BulkInsert(
    record_versions,
    (
        "record",
        "version",
        "sealed",
        "digest",
        "value_tag",
        "mark_epoch",
        "entered_by",
        "entered_via",
        "valid_from",
        "valid_to",
        "tag_generation",
    ),
)
MARKS = BulkInsert(marks, ("record", "mark_version", "tier", "basis", "starts_on", "ends_on", "review_on", "guard"))
_NUMBER_TAG, _CONTENT_TAG = 2, 3  # where they stand among the columns of a subject
_VALUE_TAG, _MARK_EPOCH = 4, 5  # and these among those of a version; the generation of a kept tag stands last
Row = tuple[Any, ...]


class RowPacker:
    """Makes the rows of new people, each with its guard."""

    def __init__(self, guard: RowGuard) -> None:
        self._guard = guard

    def pack(self, rows: NewRows) -> PackedRows:
        """Make the rows of every table."""
        return PackedRows(
            [subject_values(self._guard, new, rows.now_ms) for new in rows.subjects],
            [person_values(self._guard, row) for row in rows.persons],
            [record_values(self._guard, row, rows.now_ms) for row in rows.records],
            version_values(rows.records, rows.versions),
            [mark_values(self._guard, row) for row in rows.marks],
        )


class SqlNewPeople:
    """Inserts packed rows."""

    def __init__(self, connection: Connection, marks: SqlMarkGenerations, tags: SqlKeptTags) -> None:
        self._connection = connection
        self._marks = marks
        self._tags = tags

    def insert(self, packed: Sequence[PackedRows]) -> None:
        """Insert the rows of some people; two transactions that do wait for each other's numbers in one order."""
        insert_subjects(self._connection, [row for people in packed for row in people.subjects], self._tags)
        for inserted, name in ((PERSONS, "persons"), (RECORDS, "records"), (MARKS, "marks")):
            inserted.run(self._connection, [row for people in packed for row in getattr(people, name)])
        versions = [row for people in packed for row in people.versions]
        insert_versions(self._connection, versions, self._marks, self._tags)


def insert_versions(connection: Connection, rows: Sequence[Row], marks: SqlMarkGenerations, tags: SqlKeptTags) -> None:
    """Insert new record versions: their draws begin with the secret of marks that this transaction goes by.

    Args:
        connection: of the transaction.
        rows: as ``version_values`` makes them, beforehand and maybe in another process.
        marks: the exchanges of that secret.
        tags: seals their values' tags.
    """
    rows = _sealed(rows, _VALUE_TAG, tags)
    known = marks.known()
    if known:
        epoch = stored_epoch(known[-1].number)
        rows = [(*row[:_MARK_EPOCH], epoch, *row[_MARK_EPOCH + 1 :]) for row in rows]
    VERSIONS.run(connection, rows)


def insert_subjects(connection: Connection, rows: Iterable[Row], tags: SqlKeptTags) -> None:
    """Insert subjects in the order of their numbers' tags: two imports wait for each other in one order."""
    ordered = sorted(rows, key=lambda row: row[_NUMBER_TAG])
    SUBJECTS.run(connection, _sealed(ordered, _CONTENT_TAG, tags))


def _sealed(rows: Sequence[Row], place: int, tags: SqlKeptTags) -> Sequence[Row]:
    """Return rows whose tag at a place is as it was made, with the tag sealed."""
    if not rows or tags.number == FIRST:
        return rows
    made = ((row, tags.sealed(row[place])) for row in rows)
    return [(*row[:place], tag, *row[place + 1 : -1], under) for row, (tag, under) in made]


def subject_values(guard: RowGuard, new: NewSubject, now_ms: int) -> Row:
    """Make the row of a subject."""
    row, sealed = new.subject, new.subject.directory
    return (
        row.id,
        sealed.person,
        row.number_tag,
        row.content_tag,
        sealed.sealed,
        sealed.digest,
        sealed.version,
        row.state,
        row.version,
        new.chain,
        now_ms,
        now_ms,
        subject_guard(guard, row),
        row.ties,
        FIRST,  # see ``_sealed``
    )


def subject_guard(guard: RowGuard, row: SubjectRow) -> bytes:
    """Return the guard of a subject's row."""
    return guard.tag("subjects", subject_told((row.id, row.directory.person, row.number_tag, row.state), row.ties))


def subject_told(told: tuple[Any, ...], ties: bytes | None) -> tuple[Any, ...]:
    """Return what a subject's guard covers: its ties too, unless it was written before there were any."""
    return told if ties is None else (*told, ties)


def person_values(guard: RowGuard, row: PersonRow) -> Row:
    """Make the row of a person."""
    told = (row.id, row.subject, row.ref_tag)
    return (*told, row.key.key_id, row.key.blob, guard.tag("persons", told))


def record_values(guard: RowGuard, row: RecordRow, now_ms: int) -> Row:
    """Make the row of a record."""
    told = tuple(record_columns(row).values())
    return (*told, now_ms, guard.tag("records", told))


def record_columns(row: RecordRow) -> dict[str, object]:
    """Return the columns of a record that change with it, in the order of its row."""
    return {
        "id": row.id,
        "subject": row.subject,
        "person": row.person,
        "category": row.category._value_,
        "slot_tag": row.slot_tag,
        "version": row.field.version,
        "state": row.state,
        "tier": row.tier._value_,
        "mark_version": row.mark_version,
    }


def version_values(rows: Sequence[RecordRow], versions: Sequence[VersionRow]) -> list[Row]:
    """Make the rows of the records' present versions."""
    history = {version.record: version for version in versions}
    return [_version(row, history[row.id]) for row in rows]


def mark_values(guard: RowGuard, row: MarkRow) -> Row:
    """Make the row of a mark."""
    told = (row.record, row.mark_version, row.tier._value_, row.basis, row.starts_on, row.ends_on, row.review_on)
    return (*told, guard.tag("marks", told))


def _version(row: RecordRow, told: VersionRow) -> Row:
    field = row.field
    return (
        row.id,
        field.version,
        field.sealed,
        field.digest,
        row.value_tag,
        0,  # see ``insert_versions``
        told.entered_by,
        told.entered_via,
        told.valid_from,
        told.valid_to,
        FIRST,  # see ``_sealed``
    )
