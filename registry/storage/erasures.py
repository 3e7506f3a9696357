"""Taking people away: rows are deleted, all in the caller's transaction.

On SQLite ``secure_delete``, which every connection must have, clears what is freed, overflow pages too; on PostgreSQL
dead rows stay behind until the tables are made anew (``dead_rows``). Writing over a row before it is deleted would add
nothing on the one and one more dead row on the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, delete, insert, or_, select, update

from registry.domain.ids import PersonId, PetitionId, RecordId, SubjectId, TraceId
from registry.services.ports_erasure import ErasureRow, FormerDirectory
from registry.storage.guards import RowGuard
from registry.storage.rows import MANY, chunks
from registry.storage.tables import (
    case_parts,
    contacts,
    erasures,
    former_directories,
    idempotency,
    ledger_body,
    ledger_postings,
    marks,
    persons,
    petitions,
    provisions,
    record_versions,
    records,
    subjects,
    traces,
)

_ERASED = "erased"


class SqlErasures:
    """Erasing on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def keep_directory(self, row: FormerDirectory) -> None:
        told = {"subject": row.subject, "version": row.version, "sealed": row.sealed, "digest": row.digest}
        self._connection.execute(insert(former_directories), told)

    def former_directories(self, subject: SubjectId) -> Sequence[FormerDirectory]:
        found = select(former_directories).where(former_directories.c.subject == subject)
        rows = self._connection.execute(found.order_by(former_directories.c.version))
        return [FormerDirectory(SubjectId(row.subject), row.version, row.sealed, row.digest) for row in rows]

    def forget_persons(self, ids: Sequence[PersonId]) -> None:
        self._delete(persons, persons.c.id, ids)

    def forget_records(self, ids: Sequence[RecordId]) -> None:
        for table in (record_versions, marks):
            self._delete(table, table.c.record, ids)
        self._delete(records, records.c.id, ids)

    def forget_subject(self, subject: SubjectId) -> None:
        self._delete(former_directories, former_directories.c.subject, [subject])
        self._delete(subjects, subjects.c.id, [subject])

    def forget_traces(self, ids: Sequence[TraceId]) -> int:
        # As with petitions: only what is empty may go (migration 0031).
        for part in chunks(ids):
            theirs = case_parts.c.trace.in_(part)
            self._connection.execute(update(case_parts).where(theirs).values(sealed=b""))
        self._delete(case_parts, case_parts.c.trace, ids)
        return self._delete(traces, traces.c.id, ids)

    def forget_petitions(self, ids: Sequence[PetitionId]) -> int:
        # The table lets nothing go that still holds something (migration 0018).
        emptied = dict.fromkeys(("wrapped_key", "about", "sealed_text"), b"")
        for part in chunks(ids):
            statement = update(petitions).where(petitions.c.id.in_(part))
            self._connection.execute(statement.values(state=_ERASED, sealed_value=None, sealed_note=None, **emptied))
        return self._delete(petitions, petitions.c.id, ids)

    def forget_provisions(self, subject: SubjectId) -> int:
        # As with petitions: only what is empty may go (migration 0023).
        theirs = provisions.c.subject == subject
        emptied = {"names": b"", "digest": b"", "user_tag": None, "outside_tag": None}
        self._connection.execute(update(provisions).where(theirs).values(state=_ERASED, **emptied))
        return self._delete(provisions, provisions.c.subject, [subject])

    def forget_contact(self, label: bytes) -> int:
        return self._delete(contacts, contacts.c.label, [label])

    def forget_outcomes(self, ids: Iterable[str]) -> int:
        done = 0
        for part in chunks(ids, 200):
            named = or_(*(idempotency.c.outcome.contains(one, autoescape=True) for one in part))
            done += self._connection.execute(delete(idempotency).where(named)).rowcount
        return done

    def forget_places(self, labels: Iterable[bytes]) -> None:
        self._delete(ledger_postings, ledger_postings.c.label, list(labels))

    def remove_openings(self, indexes: Sequence[int], now_ms: int) -> int:
        removed = update(ledger_body).where(ledger_body.c.i.in_(MANY), ledger_body.c.sealed.is_not(None))
        statement = removed.values(sealed=None, erased_at=now_ms)
        return sum(self._connection.execute(statement, {"many": part}).rowcount for part in chunks(indexes))

    def note(self, row: ErasureRow) -> None:
        told = {"entry": row.entry, "erased_at": row.erased_at}
        self._connection.execute(insert(erasures), self._guard.guarded("erasures", told))

    def listing(self) -> Sequence[ErasureRow]:
        rows = self._connection.execute(select(erasures).order_by(erasures.c.entry))
        return [ErasureRow(row.entry, row.erased_at) for row in self._guard.demanded("erasures", rows)]

    def _delete(self, table: Table, key: Column[Any], ids: Sequence[Any]) -> int:
        statement = delete(table).where(key.in_(MANY))
        return sum(self._connection.execute(statement, {"many": part}).rowcount for part in chunks(ids))
