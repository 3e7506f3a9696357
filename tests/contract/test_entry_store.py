"""What the ledger may rely on of any store: the one in memory that unit tests use, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Protocol

import pytest

from registry.audit.chains import ChainState
from registry.audit.check_run import check_chunk
from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.audit.log import AuditLog
from registry.audit.ports import Appended, EntryReader, EntryRow, EntryStore, HeadRow
from registry.audit.verify import LedgerVerifier
from registry.domain.clock import unix_ms
from registry.domain.errors import AuditUnavailable, LedgerCorrupt, NotDurable
from registry.domain.ids import PersonId, RecordId, SubjectId, new_id
from registry.keys.ports import WrappedKey
from registry.services.ports import ACTIVE, NewSubject, PersonRow, SubjectRow
from registry.storage.unit_of_work import SqlDatabase
from registry.transparency.leaf import encode_joined
from registry.transparency.merkle import Edge
from registry.vault.sealed import DIRECTORY, SealedField
from tests.fakes.clock import TestClock
from tests.fakes.ledger import MemoryLedger
from tests.unit.audit.ledgers import disclosed, line, make_log

A, B = SubjectId("a" * 32), SubjectId("b" * 32)
EVENT = "0123456789abcdef0123456789abcde"


class Stage(Protocol):
    """One empty ledger without a head, however it is stored."""

    def begin(self, head: HeadRow) -> None: ...
    def add_subject(self, subject: SubjectId, chain: bytes) -> None: ...
    def transaction(self) -> AbstractContextManager[tuple[EntryStore, Callable[[], None]]]: ...
    def reader(self) -> AbstractContextManager[EntryReader]: ...


class MemoryStage:
    def __init__(self) -> None:
        self.ledger = MemoryLedger()

    def begin(self, head: HeadRow) -> None:
        self.ledger.head_row = head

    def add_subject(self, subject: SubjectId, chain: bytes) -> None:
        self.ledger.chains[subject] = chain

    @contextmanager
    def transaction(self) -> Iterator[tuple[EntryStore, Callable[[], None]]]:
        try:
            yield self.ledger, self.ledger.commit
        finally:
            self.ledger.roll_back()

    @contextmanager
    def reader(self) -> Iterator[EntryReader]:
        yield self.ledger


class SqlStage:
    def __init__(self, database: SqlDatabase) -> None:
        self.database = database

    def begin(self, head: HeadRow) -> None:
        with self.database.write() as work:
            work.meta.create_head(head)
            work.commit()

    def add_subject(self, subject: SubjectId, chain: bytes) -> None:
        key = WrappedKey("key", b"wrapped")
        person = PersonId(subject)
        field = SealedField(RecordId(subject), subject, person, DIRECTORY, 1, b"sealed", bytes(32), key)
        row = SubjectRow(subject, subject.encode()[:16], bytes(16), field, ACTIVE, 1)
        with self.database.write() as work:
            work.subjects.insert([NewSubject(row, chain)], 0)
            work.persons.insert([PersonRow(person, subject, bytes(16), key)])
            work.commit()

    @contextmanager
    def transaction(self) -> Iterator[tuple[EntryStore, Callable[[], None]]]:
        with self.database.write() as work:
            yield work.ledger, work.commit

    @contextmanager
    def reader(self) -> Iterator[EntryReader]:
        with self.database.reader() as reader:
            yield reader


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest) -> Stage:
    return MemoryStage() if request.param == "memory" else SqlStage(request.getfixturevalue(request.param))


@pytest.fixture
def stage(empty: Stage) -> Stage:
    empty.begin(head(0))
    empty.add_subject(B, b"chain of b")
    empty.add_subject(A, b"chain of a")
    return empty


def head(size: int) -> HeadRow:
    return HeadRow(1, size, bytes([size]) * 64, bytes([size]) * 32, f"note {size}", 1_772_409_600_000 + size)


def entry(index: int, *, event: str = "") -> EntryRow:
    return EntryRow(index, bytes([0, 255, index]), event or f"{EVENT}{index}", 1, b"\x00sealed\xff")


def appended(*entries: EntryRow, size: int = 0) -> Appended:
    return Appended(entries, (), {}, head(size or len(entries)))


def write(stage: Stage, rows: Appended) -> None:
    with stage.transaction() as (store, commit):
        store.lock_head()
        store.write(rows)
        commit()


def test_without_a_head_nothing_can_be_appended_or_read(empty: Stage) -> None:
    with pytest.raises(AuditUnavailable) as missing, empty.transaction() as (store, _):
        store.lock_head()
    assert missing.value.cause == "head_missing"
    with pytest.raises(AuditUnavailable) as missing, empty.reader() as reader:
        reader.head()
    assert missing.value.cause == "head_missing"


def test_what_is_committed_is_read_back_to_the_byte(stage: Stage) -> None:
    rows = (entry(0), entry(1)._replace(sealed=None), entry(2)._replace(sealed=b""))
    links = ((b"\x00" * 16, b"\xff" * 32), (b"\xff" * 16, b"\x00" * 32))
    write(stage, Appended(rows, links, {A: b"\x00new chain"}, head(3)))
    with stage.reader() as reader:
        assert reader.head() == head(3)
        assert list(reader.scan(0, 3)) == list(rows)
        assert reader.postings([label for label, _ in links]) == dict(links)
        assert reader.states_of([A, B]) == {A: b"\x00new chain", B: b"chain of b"}
        assert {type(row.leaf) for row in reader.scan(0, 3)} == {bytes}
        assert {type(value) for value in reader.postings([links[0][0]]).values()} == {bytes}


def test_leaving_without_a_commit_keeps_nothing(stage: Stage) -> None:
    with stage.transaction() as (store, _):
        store.lock_head()
        store.write(Appended((entry(0),), ((b"l" * 16, b"v" * 32),), {A: b"other"}, head(1)))
    with stage.reader() as reader:
        assert reader.head() == head(0)
        assert list(reader.scan(0, 9)) == []
        assert reader.postings([b"l" * 16]) == {}
        assert reader.states_of([A]) == {A: b"chain of a"}


def test_a_reader_does_not_see_what_is_not_committed(stage: Stage) -> None:
    with stage.transaction() as (store, commit):
        store.lock_head()
        store.write(appended(entry(0)))
        with stage.reader() as reader:
            assert reader.head().size == 0
            assert reader.entries([0]) == []
        commit()
    with stage.reader() as reader:
        assert reader.head().size == 1


def test_a_transaction_sees_what_it_wrote_itself(stage: Stage) -> None:
    with stage.transaction() as (store, commit):
        store.lock_head()
        store.write(Appended((entry(0),), (), {A: b"first"}, head(1)))
        assert store.lock_head() == head(1)
        assert store.chains_of([A, B]) == {A: b"first", B: b"chain of b"}
        store.write(Appended((entry(1),), (), {A: b"second"}, head(2)))
        commit()
    with stage.reader() as reader:
        assert (reader.head(), reader.states_of([A])) == (head(2), {A: b"second"})


@pytest.mark.parametrize("twice", ["index", "event"])
def test_a_place_that_is_taken_is_not_taken_again(stage: Stage, twice: str) -> None:
    write(stage, appended(entry(0)))
    again = entry(0, event=f"{EVENT}x") if twice == "index" else entry(1, event=f"{EVENT}0")
    with pytest.raises(AuditUnavailable) as refused:
        write(stage, appended(again, size=2))
    assert refused.value.cause == "head_mismatch"
    with stage.reader() as reader:
        assert reader.head() == head(1)
        assert list(reader.scan(0, 9)) == [entry(0)]


def test_a_posting_that_stands_is_not_written_over(stage: Stage) -> None:
    write(stage, Appended((entry(0),), ((b"l" * 16, b"v" * 32),), {}, head(1)))
    with pytest.raises(LedgerCorrupt):
        write(stage, Appended((entry(1),), ((b"l" * 16, b"w" * 32),), {}, head(2)))
    with stage.reader() as reader:
        assert reader.postings([b"l" * 16]) == {b"l" * 16: b"v" * 32}
        assert reader.head() == head(1)


def test_entries_come_in_index_order_and_what_is_not_there_is_left_out(stage: Stage) -> None:
    write(stage, appended(*(entry(index) for index in range(5))))
    with stage.reader() as reader:
        assert [row.index for row in reader.entries([4, 99, 0, 2])] == [0, 2, 4]
        assert reader.entries([]) == []
        assert [row.index for row in reader.scan(1, 3)] == [1, 2]
        assert list(reader.scan(3, 3)) == []
        assert [row.index for row in reader.scan(3, 1_000)] == [3, 4]
        assert reader.postings([]) == {}
        assert not reader.states_of([SubjectId("c" * 32)])


@pytest.mark.parametrize(("entries", "links"), [(1, 8), (1, 300), (7, 7), (8, 1), (10, 40)])
def test_entries_of_few_and_of_many_subjects_are_written(stage: Stage, entries: int, links: int) -> None:
    """One entry of a dump's trace names hundreds of people; a batch has many entries of one each."""
    told = tuple((number.to_bytes(16, "big"), b"value %d" % number) for number in range(links))
    rows = tuple(entry(index) for index in range(entries))
    write(stage, Appended(rows, told, {A: b"chain of a, longer"}, head(entries)))
    with stage.reader() as reader:
        assert list(reader.scan(0, 1_000)) == list(rows)
        assert reader.postings([label for label, _ in told]) == dict(told)
        assert dict(reader.states_of([A])) == {A: b"chain of a, longer"}


def test_leaves_of_a_kind_are_found_and_no_others(stage: Stage) -> None:
    kinds = ("trace", "trace-x", "weights", "trace", "disclose", "trace")
    leaves = [encode_joined(1_767_225_600_000 + index, kind, bytes(32)) for index, kind in enumerate(kinds)]
    write(stage, appended(*(entry(index)._replace(leaf=leaf) for index, leaf in enumerate(leaves))))
    with stage.reader() as reader:
        assert reader.leaves_of("trace", 0, 99) == [(index, leaves[index]) for index in (0, 3, 5)]
        assert reader.leaves_of("trace", 1, 5) == [(3, leaves[3])]
        assert reader.leaves_of("tra", 0, 99) == []


def test_many_at_once(stage: Stage) -> None:
    count = 12_000  # more than one statement takes
    rows = tuple(EntryRow(index, b"leaf", f"{index:032x}", 1, b"s") for index in range(count))
    links = tuple((index.to_bytes(16, "big"), index.to_bytes(32, "big")) for index in range(count))
    write(stage, Appended(rows, links, {}, replace(head(1), size=count)))
    with stage.reader() as reader:
        assert [row.index for row in reader.entries(range(count))] == list(range(count))
        assert reader.postings([label for label, _ in links]) == dict(links)
        assert sum(1 for _ in reader.scan(0, count)) == count


def log_on(empty: Stage) -> tuple[AuditLog, LedgerVerifier, SubjectId]:
    clock = TestClock()
    log, verifier = make_log(clock)
    empty.begin(log.sign_head(1, Edge.empty(), unix_ms(clock.now())))
    subject = SubjectId(new_id())
    empty.add_subject(subject, log.chains.seal(subject, ChainState()))
    return log, LedgerVerifier(log, verifier), subject


def test_the_whole_ledger_runs_on_it(empty: Stage) -> None:
    log, verifier, subject = log_on(empty)
    pendings = []
    for drafts in ([EntryDraft(Kind.SEARCH)], [disclosed(subject, line()), disclosed(subject, line(), line())]):
        with empty.transaction() as (store, commit):
            pendings += log.append(store, drafts)
            commit()
    with empty.reader() as reader:
        receipts = log.mint(reader, pendings)
        assert [receipt.index for receipt in receipts] == [0, 1, 2]
        rows = list(reader.scan(0, reader.head().size))
        found = verifier.verify(reader.head(), [check_chunk(log, 0, rows)], lambda *_: None)
        assert found.chains == {subject: (2, 2)}
        verifier.check_subjects(reader, reader.states_of([subject]).items(), found)


def test_nothing_is_minted_of_what_was_not_committed(empty: Stage) -> None:
    log, _, subject = log_on(empty)
    with empty.transaction() as (store, _):
        pendings = log.append(store, [disclosed(subject, line())])
    with empty.reader() as reader, pytest.raises(NotDurable):
        log.mint(reader, pendings)
