"""The write-ahead log is kept short beside the commits, and nothing is lost by it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from registry.storage.engine import open_engine
from registry.storage.write_ahead import LONG_BYTES, WORTH_BYTES, WriteAheadLog
from registry.storage.writer_turn import WriterTurn


class Written:
    """A database with a log that grows as told."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "registry.db"
        self.engine: Engine = open_engine(f"sqlite:///{self.path}")
        self.turn = WriterTurn(folder / "writer.lock")
        self.log = WriteAheadLog(Path(f"{self.path}-wal"), self.engine, self.turn)
        self.writer = self.engine.raw_connection()
        self.write("CREATE TABLE filler (content BLOB)")

    def write(self, statement: str) -> None:
        self.writer.cursor().execute(statement)

    def grow(self, size: int) -> None:
        self.write(f"INSERT INTO filler VALUES (randomblob({size}))")

    def size(self) -> int:
        return Path(f"{self.path}-wal").stat().st_size

    def without_log(self) -> int:
        """Count what the database file alone holds, without looking at the log."""
        alone = sqlite3.connect(f"file:{self.path}?immutable=1", uri=True)
        try:
            return int(alone.execute("SELECT count(*) FROM filler").fetchone()[0])
        finally:
            alone.close()


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    made = Written(tmp_path)
    yield made
    made.writer.close()
    made.engine.dispose()
    made.turn.close()


def test_a_log_that_is_worth_it_is_copied(written: Written) -> None:
    written.grow(WORTH_BYTES)
    written.log.shorten()
    assert written.without_log() == 1


def test_a_small_log_is_left_alone(written: Written) -> None:
    written.grow(WORTH_BYTES // 4)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        written.without_log()
    written.log.shorten()
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        written.without_log()


def test_a_log_that_was_copied_whole_is_begun_anew(written: Written) -> None:
    written.grow(LONG_BYTES)
    written.log.shorten()
    before = written.size()
    written.grow(WORTH_BYTES)
    assert written.size() == before
    assert written.without_log() >= 1


def test_a_missing_log_is_nothing_to_shorten(written: Written, tmp_path: Path) -> None:
    WriteAheadLog(tmp_path / "elsewhere-wal", written.engine, written.turn).shorten()
    assert written.size() > 0


def test_the_turn_is_given_back(written: Written) -> None:
    written.grow(LONG_BYTES)
    written.log.shorten()
    with written.turn.taken():
        written.grow(1_000)
    assert written.writer.cursor().execute("SELECT count(*) FROM filler").fetchone()[0] == 2
