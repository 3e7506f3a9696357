"""SQLite as it must be: durable settings read back, writers in turn over threads and processes, failures named."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.bootstrap import Application, initialise, open_application
from registry.domain.errors import AuditUnavailable, MisconfiguredHome
from registry.settings import DEVELOPMENT, load_settings
from registry.storage.engine import open_engine, open_read_only
from registry.storage.failures import cause_of, named_failures
from registry.storage.unit_of_work import open_database


@pytest.fixture
def home(tmp_path: Path) -> Path:
    initialise(load_settings(tmp_path / "home", {}), DEVELOPMENT)
    return tmp_path / "home"


def test_every_connection_has_the_settings_that_durability_needs(home: Path) -> None:
    engine = open_engine(f"sqlite:///{home / 'registry.db'}")
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            found = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            }
            assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    engine.dispose()


def test_a_database_that_cannot_keep_them_is_refused() -> None:
    engine = open_engine("sqlite://")  # a database in memory has no write-ahead log
    with pytest.raises(MisconfiguredHome):
        engine.connect()
    engine.dispose()


def test_readers_cannot_write(home: Path) -> None:
    engine = open_read_only(f"sqlite:///{home / 'registry.db'}")
    with pytest.raises(AuditUnavailable) as refused, named_failures(), engine.connect() as connection:
        connection.execute(text("DELETE FROM postings"))
    assert refused.value.cause == "read_only"
    engine.dispose()


def test_leaving_without_a_commit_changes_nothing(home: Path) -> None:
    database = open_database(f"sqlite:///{home / 'registry.db'}", home / "ledger" / "writer.lock")
    with database.write() as work:
        work.meta.put("half", "done")
    with database.read() as work:
        assert work.meta.get("half") is None
    database.close()


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("database or disk is full", "disk_full"),
        ("attempt to write a readonly database", "read_only"),
        ("database is locked", "locked"),
        ("disk I/O error", "storage_error"),
        ("database disk image is malformed", "storage_error"),
        ("something new", "storage_error"),
    ],
)
def test_failures_are_named(message: str, cause: str) -> None:
    assert cause_of(sqlite3.OperationalError(message)) == cause


def test_faults_of_ours_are_not_blamed_on_the_disk() -> None:
    assert cause_of(sqlite3.IntegrityError("UNIQUE constraint failed")) is None


def fill_up(application: Application) -> None:
    with application.database.write() as work:
        raw = work.meta._connection  # the connection itself, to make the file full
        raw.exec_driver_sql(f"PRAGMA max_page_count={raw.exec_driver_sql('PRAGMA page_count').scalar_one()}")
        for _ in range(200):
            application.kernel.log.append(work.ledger, [EntryDraft(Kind.SEARCH, {"note": "x" * 4000})])
        work.commit()


def test_a_full_disk_is_named(home: Path) -> None:
    application = open_application(load_settings(home, {}))
    with pytest.raises(AuditUnavailable) as full:
        fill_up(application)
    assert full.value.cause == "disk_full"
    application.close()


def append_many(home: Path, count: int) -> None:
    application = open_application(load_settings(home, {}))
    for _ in range(count):
        with application.database.write() as work:
            pendings = application.kernel.log.append(work.ledger, [EntryDraft(Kind.SEARCH)])
            work.commit()
        (receipt,) = application.kernel.mint(pendings)
        assert receipt.index == pendings[0].index
    application.close()


def test_threads_and_processes_extend_one_ledger_without_gap_or_fork(home: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=append_many, args=(home, 40)) for _ in range(3)]
    threads = [threading.Thread(target=append_many, args=(home, 20)) for _ in range(4)]
    for worker in [*workers, *threads]:
        worker.start()
    for worker in [*workers, *threads]:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    connection = sqlite3.connect(home / "registry.db")
    (rows,) = connection.execute("SELECT count(*) FROM ledger_leaf").fetchone()
    (last,) = connection.execute("SELECT max(i) FROM ledger_leaf").fetchone()
    connection.close()
    assert (rows, last) == (201, 200)
