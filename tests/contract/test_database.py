"""What services may rely on of any database: rows come back as they went in, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from registry.audit.ports import HeadRow
from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable, LedgerCorrupt, RegistryError, StatementRefused
from registry.domain.ids import PersonId, PrincipalId, RecordId, SubjectId, TraceId
from registry.domain.marks import Tier
from registry.domain.principals import Role
from registry.keys.ports import WrappedKey
from registry.services.ports import (
    ACTIVE,
    ENDED,
    IdempotencyRow,
    MarkRow,
    NewSubject,
    PersonRow,
    PrincipalRow,
    RecordRow,
    SubjectRow,
    VersionRow,
    Work,
)
from registry.services.ports_cases import TraceRow
from registry.storage.unit_of_work import SqlDatabase
from registry.vault.cases import SealedCase
from registry.vault.sealed import DIRECTORY, SealedField

KEY = WrappedKey("data-1", bytes(range(256)))
LATE = 253_402_300_799_000  # the last millisecond that dates can say: a number beyond 32 bits
CLERK = PrincipalRow(
    PrincipalId("c" * 32), "https://issuer.example", "clerk", frozenset({Role.READER}), None, "", ACTIVE
)

WATCHER = frozenset({Role.AUDITOR, Role.SUBJECT})


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> SqlDatabase:
    opened: SqlDatabase = request.getfixturevalue(request.param)
    with opened.write() as work:  # of every registry: rows of people say what its head says of the secret of marks
        work.meta.create_head(HeadRow(1, 0, b"", bytes(32), "", 0))
        work.commit()
    return opened


def name(number: int) -> str:
    return f"{number:032x}"


def field(number: int, category: str, version: int = 1) -> SealedField:
    subject = SubjectId(name(number))
    record = RecordId(subject if category == DIRECTORY else name(number + 500_000))
    return SealedField(
        record, subject, PersonId(name(number)), category, version, b"\x00\xff sealed", b"\x80" * 32, KEY
    )


def subject(number: int) -> SubjectRow:
    tag = (1_000_000 - number).to_bytes(16, "big")  # tags run against ids, so that an order by chance is told apart
    return SubjectRow(SubjectId(name(number)), tag, b"\xfe" * 16, field(number, DIRECTORY), ACTIVE, 1)


def person(number: int) -> PersonRow:
    return PersonRow(PersonId(name(number)), SubjectId(name(number)), b"\x01" * 16, KEY)


def record(number: int, version: int = 1) -> RecordRow:
    sealed = field(number, "phone", version)
    return RecordRow(
        id=sealed.record,
        subject=sealed.subject,
        person=sealed.person,
        category=Category.PHONE,
        slot_tag=b"\x02" * 16,
        value_tag=b"\x03" * 16,
        tier=Tier.SEALED,
        mark_version=1,
        state=ACTIVE,
        field=sealed,
    )


def history(row: RecordRow, entered: int = LATE) -> VersionRow:
    return VersionRow(row.id, row.field.version, CLERK.id, "api", entered, None)


def fill(work: Work, numbers: range) -> list[RecordRow]:
    rows = [record(number) for number in numbers]
    work.principals.insert(CLERK)
    work.subjects.insert([NewSubject(subject(number), b"chain") for number in numbers], LATE)
    work.persons.insert([person(number) for number in numbers])
    work.records.insert(rows, [history(row) for row in rows], LATE)
    return rows


def test_people_come_back_as_they_went_in(database: SqlDatabase) -> None:
    with database.write() as work:
        fill(work, range(3))
        work.commit()
    with database.read() as work:
        assert work.subjects.by_ids([SubjectId(name(1)), SubjectId(name(9))]) == {name(1): subject(1)}
        assert work.subjects.by_number_tags([subject(2).number_tag]) == {subject(2).number_tag: subject(2)}
        assert list(work.persons.of_subjects([SubjectId(name(2)), SubjectId(name(0))])) == [person(0), person(2)]
        stored = work.subjects.by_ids([SubjectId(name(0))])[SubjectId(name(0))]
        assert {type(part) for part in (stored.number_tag, stored.directory.sealed, stored.directory.key.blob)} == {
            bytes
        }


def test_records_with_their_history_come_back_as_they_went_in(database: SqlDatabase) -> None:
    with database.write() as work:
        one, other = fill(work, range(2))
        marked = MarkRow(one.id, 1, Tier.SEALED, b"\x00 basis", date(2026, 3, 2).isoformat(), None, None)
        work.records.insert_marks([marked])
        work.commit()
    with database.write() as work:
        newer = record(0, version=2)._replace(mark_version=2, tier=Tier.NONE)
        work.records.replace([newer], [history(newer, LATE + 5)])
        work.records.insert_marks([replace(marked, mark_version=2, tier=Tier.NONE, basis=None)])
        work.records.end([other.id], LATE + 7)
        work.commit()
    with database.read() as work:
        assert list(work.records.of_subjects([one.subject])) == [newer]
        assert work.records.by_ids([other.id]) == {other.id: other._replace(state=ENDED)}
        assert work.records.subjects_of([one.id]) == {one.id: one.subject}
        closed = replace(history(one), valid_to=LATE + 5)
        assert list(work.records.versions_of([one.id])) == [closed, history(newer, LATE + 5)]
        assert work.records.versions_of([other.id])[0].valid_to == LATE + 7
        assert list(work.records.sealed_versions([(one.id, 1), (other.id, 2)])) == [one.field]
        assert work.records.marks_of([one.id]) == {one.id: replace(marked, mark_version=2, tier=Tier.NONE, basis=None)}


def test_many_at_once(database: SqlDatabase) -> None:
    numbers = range(11_000)  # more than one statement takes
    with database.write() as work:
        rows = fill(work, numbers)
        work.commit()
    with database.write() as work:
        ids = [row.subject for row in rows]
        assert list(work.subjects.lock(reversed(ids))) == ids
        assert len(work.records.of_subjects(ids)) == len(ids)
        assert len(work.records.by_ids(row.id for row in rows)) == len(ids)
        assert len(work.records.sealed_versions((row.id, 1) for row in rows)) == len(ids)
        assert work.subjects.by_ids([]) == {}
        assert list(work.records.sealed_versions([])) == []


def test_principals_come_back_as_they_went_in(database: SqlDatabase) -> None:
    linked = replace(CLERK, sub="Zoë – 漢字 \U0001f600", id=PrincipalId("d" * 32), employee=b"\x00link", unit="Parks")
    changed = replace(CLERK, roles=WATCHER, state=ENDED, supervisor=b"\x00link")
    with database.write() as work:
        work.principals.insert(CLERK)
        work.principals.insert(linked)
        work.commit()
    with database.write() as work:
        assert work.principals.lock(CLERK.issuer, CLERK.sub) == CLERK
        assert work.principals.lock(CLERK.issuer, "nobody") is None
        assert work.principals.lock_by_id(linked.id) == linked
        assert work.principals.lock_by_id(PrincipalId("e" * 32)) is None
        work.principals.update(changed)
        work.commit()
    with database.read() as work:
        assert work.principals.by_name(CLERK.issuer, "clerk") == changed
        assert work.principals.by_name(CLERK.issuer, "CLERK") is None
        assert work.principals.by_name(linked.issuer, linked.sub) == linked
        both, other = [(CLERK.issuer, "clerk"), (linked.issuer, linked.sub)], (CLERK.issuer + "/other", "clerk")
        assert work.principals.by_names([*both, other]) == dict(zip(both, (changed, linked), strict=True))
        assert work.principals.by_names([(CLERK.issuer, "CLERK"), other]) == work.principals.by_names([]) == {}
        assert work.principals.by_ids([CLERK.id, linked.id]) == {CLERK.id: changed, linked.id: linked}
        assert [row.sub for row in work.principals.listing()] == ["Zoë – 漢字 \U0001f600", "clerk"]


def test_keys_of_writes_traces_and_postings_come_back_as_they_went_in(database: SqlDatabase) -> None:
    remembered = IdempotencyRow(CLERK.id, b"\x00" * 16, b"\xff" * 16, '{"subject":"x"}', LATE)
    traces = [
        TraceRow(
            TraceId(name(number)),
            CLERK.id,
            LATE + number,
            SealedCase(TraceId(name(number)), CLERK.id, KEY, b"t", b"\x00r"),
        )
        for number in range(3)
    ]
    with database.write() as work:
        work.principals.insert(CLERK)
        work.idempotency.put(remembered)
        for row in traces:
            work.traces.insert(row)
        work.postings.add([(b"\x00" * 16, b"\xff" * 32), (b"\x01" * 16, b"\xfe" * 32)], 1)
        work.meta.put("origin", "registry.example/1")
        work.meta.put_body_key(1, KEY)
        work.commit()
    with database.read() as work:
        assert work.idempotency.get(CLERK.id, b"\x00" * 16) == remembered
        assert work.idempotency.get(CLERK.id, b"\x01" * 16) is None
        assert work.traces.get(traces[1].id) == traces[1]
        assert list(work.traces.of_principal(CLERK.id, 2)) == [traces[2], traces[1]]
        assert work.postings.values([b"\x01" * 16, b"\x02" * 16]) == {b"\x01" * 16: b"\xfe" * 32}
        assert (work.meta.get("origin"), work.meta.get("nothing")) == ("registry.example/1", None)
        assert work.meta.body_keys() == {1: KEY}


def test_leaving_without_a_commit_keeps_nothing(database: SqlDatabase) -> None:
    with database.write() as work:
        fill(work, range(1))
    with database.read() as work:
        assert work.subjects.by_ids([SubjectId(name(0))]) == {}
        assert work.principals.listing() == []


def test_a_read_is_one_snapshot(database: SqlDatabase) -> None:
    with database.write() as work:
        fill(work, range(1))
        work.commit()
    with database.read() as reading:
        before = reading.subjects.by_ids([SubjectId(name(0))])
        with database.write() as work:
            work.subjects.update(replace(subject(0), version=2), LATE)
            work.commit()
        assert reading.subjects.by_ids([SubjectId(name(0))]) == before
    with database.read() as reading:
        assert reading.subjects.by_ids([SubjectId(name(0))])[SubjectId(name(0))].version == 2


def test_what_reads_cannot_write(database: SqlDatabase) -> None:
    with pytest.raises(AuditUnavailable) as refused, database.read() as work:
        work.meta.put("half", "done")
    assert refused.value.cause == "read_only"


def test_a_row_that_fits_nowhere_is_our_fault_and_not_the_disks(database: SqlDatabase) -> None:
    with pytest.raises(StatementRefused) as refused, database.write() as work:
        work.persons.insert([person(7)])  # of nobody
    assert refused.value.what
    assert name(7) not in str(refused.value)


def test_a_taken_place_is_told_without_saying_what_stands_there(database: SqlDatabase) -> None:
    with database.write() as work:
        work.principals.insert(CLERK)
        work.commit()
    with pytest.raises(RegistryError) as refused, database.write() as work:
        work.principals.insert(replace(CLERK, id=PrincipalId("e" * 32)))
    assert CLERK.sub not in f"{refused.value!s} {refused.value!r} {refused.value.__cause__!r}"
    assert refused.value.__suppress_context__


def test_a_row_changed_by_another_program_is_noticed(database: SqlDatabase) -> None:
    with database.write() as work:
        rows = fill(work, range(1))
        work.commit()
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE records SET tier = 'none'")
    with pytest.raises(LedgerCorrupt), database.read() as work:
        work.records.by_ids([rows[0].id])
