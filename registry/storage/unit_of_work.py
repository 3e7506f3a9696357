"""Transactions. The only module that commits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from registry.domain.errors import AuditUnavailable, Contended
from registry.domain.ids import SubjectId
from registry.services.ports_marks import MarkGeneration
from registry.storage.brakes import SqlBrakes
from registry.storage.break_glass import SqlBreakGlass
from registry.storage.engine import file_identity, open_engine, open_read_only, sqlite_path
from registry.storage.erasures import SqlErasures
from registry.storage.failures import named_failures
from registry.storage.guards import RowGuard
from registry.storage.holds import SqlHolds
from registry.storage.index_state import SqlIndexState
from registry.storage.kept_tags import Opener, SqlKeptTags, TagSeals
from registry.storage.ledger import SqlEntryReader, SqlEntryStore
from registry.storage.mark_generations import KnownMarks, SqlMarkGenerations
from registry.storage.meta import SqlMeta
from registry.storage.new_rows import SqlNewPeople
from registry.storage.outbox import SqlNoticeMarks, SqlOutbox
from registry.storage.petitions import SqlPetitions
from registry.storage.policies import SqlPolicies
from registry.storage.postings import SqlPostings
from registry.storage.principals import SqlIdempotency, SqlPrincipals, SqlTraces
from registry.storage.provisions import SqlProvisions
from registry.storage.records import SqlRecords
from registry.storage.requests import SqlRequests
from registry.storage.revocations import SqlRevocations
from registry.storage.sample_reviews import SqlSampleReviews
from registry.storage.subjects import SqlPersons, SqlSubjects
from registry.storage.units import SqlUnits
from registry.storage.used_names import SqlUsedNames
from registry.storage.wrapped_keys import SqlWrappedKeys
from registry.storage.write_ahead import WriteAheadLog
from registry.storage.writer_turn import WriterTurn

# Repositories through which people are stored: whoever had one of them settles the state of the index.
_STORE_PEOPLE = frozenset({"new_people", "persons", "postings"})


def _untold(_seconds: float) -> None:
    """Nobody wants to know."""


class Known(NamedTuple):
    """What one process knows of the database, beside its transactions."""

    marks: KnownMarks
    tags: TagSeals


class SqlWork:
    """One transaction's repositories.

    Attributes:
        is_committed: whether the database has taken it.
    """

    def __init__(
        self,
        connection: Connection,
        guard: RowGuard,
        known: Known,
        committed: Callable[[float], None] = _untold,
    ) -> None:
        self._connection = connection
        self._guard = guard
        self._known = known
        self._committed = committed
        self.is_committed = False
        # Sealed chain states of the subjects that this transaction holds: read with their rows, needed by the ledger.
        self._chains: dict[SubjectId, bytes] = {}

    @cached_property
    def subjects(self) -> SqlSubjects:
        """Subjects."""
        return SqlSubjects(self._connection, self._guard, self._chains, self.kept_tags)

    @cached_property
    def new_people(self) -> SqlNewPeople:
        """People whose rows were packed beforehand."""
        return SqlNewPeople(self._connection, self.mark_generations, self.kept_tags)

    @cached_property
    def persons(self) -> SqlPersons:
        """Persons."""
        return SqlPersons(self._connection, self._guard)

    @cached_property
    def records(self) -> SqlRecords:
        """Records, versions and marks."""
        return SqlRecords(self._connection, self._guard, self.mark_generations, self.kept_tags)

    @cached_property
    def postings(self) -> SqlPostings:
        """Postings of the blind index."""
        return SqlPostings(self._connection, self.index_state)

    @cached_property
    def index_state(self) -> SqlIndexState:
        """How many postings there are, and their keyed sum."""
        return SqlIndexState(self._connection, self._guard)

    @cached_property
    def kept_tags(self) -> SqlKeptTags:
        """Tags that tell a value or a document from another one."""
        return SqlKeptTags(self._connection, self._guard, self.index_state, self._known.tags)

    @cached_property
    def mark_generations(self) -> SqlMarkGenerations:
        """Exchanges of the secret of marks."""
        return SqlMarkGenerations(self._connection, self._guard, self._known.marks)

    @cached_property
    def principals(self) -> SqlPrincipals:
        """Principals."""
        return SqlPrincipals(self._connection, self._guard)

    @cached_property
    def idempotency(self) -> SqlIdempotency:
        """Idempotency keys."""
        return SqlIdempotency(self._connection)

    @cached_property
    def brakes(self) -> SqlBrakes:
        """What the brakes keep."""
        return SqlBrakes(self._connection, self._guard)

    @cached_property
    def outbox(self) -> SqlOutbox:
        """Notices that wait to be sent."""
        return SqlOutbox(self._connection)

    @cached_property
    def notice_marks(self) -> SqlNoticeMarks:
        """How far digests and reminders have come."""
        return SqlNoticeMarks(self._connection)

    @cached_property
    def holds(self) -> SqlHolds:
        """Holds on notices to subjects."""
        return SqlHolds(self._connection, self._guard)

    @cached_property
    def traces(self) -> SqlTraces:
        """Traces."""
        return SqlTraces(self._connection)

    @cached_property
    def requests(self) -> SqlRequests:
        """Requests for approval, and what approvers said."""
        return SqlRequests(self._connection, self._guard)

    @cached_property
    def break_glass(self) -> SqlBreakGlass:
        """Emergencies and their reviews."""
        return SqlBreakGlass(self._connection, self._guard)

    @cached_property
    def wrapped_keys(self) -> SqlWrappedKeys:
        """Keys that a key-encryption key wrapped, wherever they are stored."""
        return SqlWrappedKeys(self._connection)

    @cached_property
    def erasures(self) -> SqlErasures:
        """Taking people away."""
        return SqlErasures(self._connection, self._guard)

    @cached_property
    def sample_reviews(self) -> SqlSampleReviews:
        """What reviewers found of lookups."""
        return SqlSampleReviews(self._connection, self._guard)

    @cached_property
    def policies(self) -> SqlPolicies:
        """Which policies are in force."""
        return SqlPolicies(self._connection, self._guard)

    @cached_property
    def petitions(self) -> SqlPetitions:
        """What subjects asked for, and where they want to be told."""
        return SqlPetitions(self._connection, self._guard)

    @cached_property
    def provisions(self) -> SqlProvisions:
        """Under which names HR systems keep subjects up to date."""
        return SqlProvisions(self._connection, self._guard)

    @cached_property
    def units(self) -> SqlUnits:
        """Units that HR systems keep."""
        return SqlUnits(self._connection, self._guard)

    @cached_property
    def revocations(self) -> SqlRevocations:
        """Tokens that are no longer taken."""
        return SqlRevocations(self._connection, self._guard)

    @cached_property
    def used_names(self) -> SqlUsedNames:
        """Names that are good once."""
        return SqlUsedNames(self._connection)

    @cached_property
    def meta(self) -> SqlMeta:
        """What the registry is."""
        return SqlMeta(self._connection)

    @cached_property
    def ledger(self) -> SqlEntryStore:
        """The ledger's tables."""
        return SqlEntryStore(self._connection, self._chains, self.mark_generations)

    @cached_property
    def entries(self) -> SqlEntryReader:
        """The ledger's rows in the same snapshot as all others."""
        return SqlEntryReader(self._connection)

    def commit(self) -> None:
        """Make everything durable.

        Raises:
            AuditUnavailable: not taken, or not known to be taken; treat as failed.
        """
        if not _STORE_PEOPLE.isdisjoint(vars(self)):
            with named_failures():
                self.index_state.settle()
        if "kept_tags" in vars(self):
            with named_failures():
                self.kept_tags.settle()
        with named_failures():
            started = time.perf_counter()
            try:
                self._connection.commit()
            except BaseException:
                # It may still hold its transaction, and the pool would hand it on like that: never used again.
                _drop(self._connection)
                raise
        self.is_committed = True
        if self.ledger.size:
            self.mark_generations.committed(self.ledger.size)
        self._committed(time.perf_counter() - started)


class SqlDatabase:
    """Opens transactions: one engine for writers, one whose connections cannot write for everybody else."""

    def __init__(self, engine: Engine, read_only: Engine, turn: WriterTurn | None, guard: RowGuard) -> None:
        self._engine = engine
        self._read_only = read_only
        self._writes = engine.execution_options(write=True)
        self._turn = turn
        self._guard = guard
        self._committed: Callable[[float], None] = _untold
        self._known = Known(KnownMarks(), TagSeals())
        self._files = _files_of(sqlite_path(engine))
        # Held open for good: SQLite removes its log when the last connection goes, and makes another one later.
        self._keeper = _open_keeper(read_only) if self._files else None
        self._identity = [file_identity(path) for path in self._files]
        self._log = WriteAheadLog(self._files[1], engine, turn) if self._files and turn is not None else None
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why the last write transaction failed; None once one was committed since."""
        return self._trouble

    @property
    def engine(self) -> Engine:
        """The writing engine, for maintenance in this room."""
        return self._engine

    @contextmanager
    def write(self) -> Iterator[SqlWork]:
        """Open a write transaction; it rolls back unless committed."""
        work: SqlWork | None = None
        try:
            with ExitStack() as stack:
                if self._turn is not None:
                    stack.enter_context(self._turn.taken())
                self._demand_same_file()
                connection = stack.enter_context(_connected(self._writes))
                work = SqlWork(connection, self._guard, self._known, self._committed)
                yield work
        except AuditUnavailable as failure:
            self._trouble = self._trouble if isinstance(failure, Contended) else failure.cause
            raise
        finally:
            if work is not None and work.is_committed:
                self._trouble = None

    def tell_commits(self, committed: Callable[[float], None]) -> None:
        """Tell somebody how many seconds each commit from now on took."""
        self._committed = committed

    def open_tags_with(self, opener: Opener) -> None:
        """Take what opens the tags that are kept under later generations of the blind index."""
        self._known.tags.opener = opener

    @contextmanager
    def read(self) -> Iterator[SqlWork]:
        """Open a read-only transaction."""
        with _connected(self._read_only) as connection:
            yield SqlWork(connection, self._guard, self._known)

    def mark_generations_at(self, index: int) -> tuple[MarkGeneration, ...]:
        """Return all exchanges of the secret of marks before a committed entry, and maybe later ones, oldest first.

        Raises:
            LedgerCorrupt: their rows were removed or changed.
        """
        known = self._known.marks.of_entry(index)
        if known is None:
            with self.read() as work:
                known = work.mark_generations.stored()
        return known

    @contextmanager
    def reader(self) -> Iterator[SqlEntryReader]:
        """Open committed ledger rows on a connection of their own."""
        self._demand_same_file()
        try:
            with _connected(self._read_only) as connection:
                yield SqlEntryReader(connection)
        except Contended as lost:
            # What is read back here may be committed: running the whole function again would do it twice.
            raise AuditUnavailable(lost.cause) from None
        self._demand_same_file()  # what was read back counts only if it is in the file that will be there tomorrow

    def shorten_log(self) -> None:
        """Keep the write-ahead log short; for a thread of a server to call a few times a second.

        Raises:
            AuditUnavailable: the storage failed.
        """
        if self._log is not None:
            self._log.shorten()

    def write_anew(self) -> None:
        """Write SQLite's file anew: where many rows go, parts of some stay in the unused space of pages.

        Writers of every process wait meanwhile, readers do not. On PostgreSQL nothing is done.

        Raises:
            AuditUnavailable: the storage failed, or it was not this process's turn.
        """
        if self._turn is None:
            return
        with self._turn.taken(), named_failures():
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("VACUUM")
            finally:
                connection.close()

    def scrub(self) -> bool:
        """Leave nothing of what was deleted in the write-ahead log.

        Returns:
            Whether that is done; on PostgreSQL it is not: its tables are made anew by their owner (``dead_rows``).

        Raises:
            AuditUnavailable: the storage failed, or it was not this process's turn.
        """
        return self._log is not None and self._log.empty()

    def close(self) -> None:
        """Close every connection."""
        if self._keeper is not None:
            self._keeper.close()
        self._engine.dispose()
        self._read_only.dispose()
        if self._turn is not None:
            self._turn.close()

    def _demand_same_file(self) -> None:
        # A database or log moved away or replaced under a running server would take entries that nobody finds again.
        if [file_identity(path) for path in self._files] != self._identity:
            raise AuditUnavailable("replaced_file")


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    """Take a connection for a block. What failed first is what is told: giving the connection back may fail too."""
    with named_failures():
        connection = engine.connect()
    try:
        with named_failures():
            yield connection
    except Contended:
        raise
    except AuditUnavailable:
        # What a session was opened with stays: one of a server that took no writes would take none later either.
        _drop(connection)
        raise
    finally:
        _give_back(connection)


def _drop(connection: Connection) -> None:
    with suppress(Exception):
        # SQLite closes a connection only with the last of its cursors; what it holds, it must not hold so long.
        connection.connection.rollback()
    with suppress(Exception):
        connection.invalidate()


def _give_back(connection: Connection) -> None:
    # Whatever fails here, nothing that was done hangs on it; only the pool must not hand such a connection on.
    with suppress(Exception):
        connection.close()
        return
    with suppress(Exception):
        connection.invalidate()
    with suppress(Exception):
        connection.close()


def _files_of(path: Path | None) -> tuple[Path, ...]:
    """Return the files that a SQLite database consists of: the database, its write-ahead log and the log's index."""
    if path is None:
        return ()
    file_identity(path)  # it must be there already: connecting would make an empty one
    return (path, Path(f"{path}-wal"), Path(f"{path}-shm"))


def _open_keeper(engine: Engine) -> Connection:
    with named_failures():
        connection = engine.connect()
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # opens the log
        connection.rollback()
        return connection


def open_database(url: str, lock_file: Path, guard_key: bytes = b"") -> SqlDatabase:
    """Open a migrated database; on SQLite the lock file orders writers of all processes.

    Without the key of the row guards, only the ledger and the facts of the registry can be read and written.
    """
    engine = open_engine(url)
    turn = WriterTurn(lock_file) if engine.dialect.name == "sqlite" else None
    return SqlDatabase(engine, open_read_only(url), turn, RowGuard(guard_key))
