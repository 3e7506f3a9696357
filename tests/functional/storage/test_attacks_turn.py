"""Writers on SQLite: each takes its turn, and each transaction holds the database from its first statement."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from registry.bootstrap import initialise
from registry.domain.errors import AuditUnavailable
from registry.settings import DEVELOPMENT, load_settings
from registry.storage.unit_of_work import SqlDatabase, open_database
from registry.storage.writer_turn import WriterTurn


@pytest.fixture
def database(tmp_path: Path) -> SqlDatabase:
    initialise(load_settings(tmp_path / "home", {}), DEVELOPMENT)
    return open_database(f"sqlite:///{tmp_path / 'home' / 'registry.db'}", tmp_path / "home" / "ledger" / "writer.lock")


def test_a_writer_waits_for_its_turn(database: SqlDatabase, tmp_path: Path) -> None:
    another = WriterTurn(tmp_path / "home" / "ledger" / "writer.lock")
    entered = threading.Event()

    def write() -> None:
        with database.write():
            entered.set()

    waiting = threading.Thread(target=write)
    with another.taken():
        waiting.start()
        assert not entered.wait(0.3)
    waiting.join(10)
    assert entered.is_set()
    another.close()
    database.close()


@pytest.mark.parametrize("name", ["registry.db-wal", "registry.db-shm", "registry.db"])
@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_log_file_taken_away_while_we_run_stops_everything(
    database: SqlDatabase, tmp_path: Path, name: str, is_replaced: bool
) -> None:
    """Commits would go to a file without a name: whoever kills the process then has had values without entries."""
    path = tmp_path / "home" / name
    with database.write() as work:
        work.meta.put("first", "x")
        work.commit()
    kept = path.read_bytes()
    path.unlink()
    if is_replaced:
        path.with_name("other").write_bytes(b"")  # so that the new file gets another number
        path.write_bytes(kept)
    with pytest.raises(AuditUnavailable), database.write():
        pass
    with pytest.raises(AuditUnavailable), database.reader():
        pass
    database.close()


def test_a_log_file_taken_away_while_reading_back_is_noticed(database: SqlDatabase, tmp_path: Path) -> None:
    def read_back() -> None:
        with database.reader() as reader:
            assert reader.head().size == 1
            (tmp_path / "home" / "registry.db-wal").unlink()

    with pytest.raises(AuditUnavailable):
        read_back()
    database.close()


def test_another_process_that_comes_and_goes_is_no_replacement(database: SqlDatabase, tmp_path: Path) -> None:
    another = open_database(
        f"sqlite:///{tmp_path / 'home' / 'registry.db'}", tmp_path / "home" / "ledger" / "writer.lock"
    )
    with another.write() as work:
        work.meta.put("first", "x")
        work.commit()
    another.close()
    with database.read() as work:
        assert work.meta.get("first") == "x"
    with database.write() as work:
        work.meta.put("second", "x")
        work.commit()
    with database.reader() as reader:
        assert reader.head().size == 1
    database.close()


def test_a_writing_transaction_holds_the_database_at_once(database: SqlDatabase, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "home" / "registry.db", timeout=0, isolation_level=None)
    with database.write() as work:
        assert work.meta.get("profile") == DEVELOPMENT
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()
    database.close()
