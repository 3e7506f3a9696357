"""Writers on SQLite: each takes its turn, and each transaction holds the database from its first statement."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from registry.bootstrap import initialise
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


def test_a_writing_transaction_holds_the_database_at_once(database: SqlDatabase, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "home" / "registry.db", timeout=0, isolation_level=None)
    with database.write() as work:
        assert work.meta.get("profile") == DEVELOPMENT
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()
    database.close()
