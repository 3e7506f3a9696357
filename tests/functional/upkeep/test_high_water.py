"""An older database put back is refused, and the only way on says so in the ledger."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from registry.audit.entries import EntryDraft
from registry.audit.high_water import Standing
from registry.audit.kinds import Kind
from registry.bootstrap import Application, initialise, inspected, open_application, opened
from registry.domain.errors import AuditUnavailable, MisconfiguredHome
from registry.settings import DEVELOPMENT, PRODUCTION, load_settings
from registry.storage.high_water import NAME, HighWaterFile
from tests.functional.cli.conftest import Line


def append(application: Application) -> None:
    with application.database.write() as work:
        application.kernel.log.append(work.ledger, [EntryDraft(Kind.OUTCOME)])
        work.commit()


def grow(line: Line, entries: int = 1) -> None:
    with opened(load_settings(line.home, {})) as application:
        for _ in range(entries):
            append(application)


def size(line: Line) -> int:
    return int(line.json("audit", "checkpoint")["checkpoint"].splitlines()[1])


def copy_of(home: Path) -> bytes:
    """Return the database as one file, as a backup has it."""
    # Closed here and not some time later: the last connection to close removes the log, also one that is not its own.
    with closing(sqlite3.connect(home / "registry.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (home / "registry.db").read_bytes()


def put_back(home: Path, database: bytes) -> None:
    for suffix in ("-wal", "-shm"):
        (home / f"registry.db{suffix}").unlink(missing_ok=True)
    (home / "registry.db").write_bytes(database)


def cut_tail(home: Path, older: bytes) -> None:
    """Truncate the ledger in place, and put the older, rightly signed head back over it."""
    (home.parent / "older.db").write_bytes(older)
    sql = sqlite3.connect(home / "registry.db", isolation_level=None)
    for (trigger,) in sql.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        sql.execute(f"DROP TRIGGER {trigger}")
    sql.execute("ATTACH ? AS older", (str(home.parent / "older.db"),))
    sql.execute("DELETE FROM main.ledger_head")
    sql.execute("INSERT INTO main.ledger_head SELECT * FROM older.ledger_head")
    for table in ("ledger_body", "ledger_leaf"):
        sql.execute(f"DELETE FROM main.{table} WHERE i >= (SELECT n FROM main.ledger_head)")
    sql.close()


def refused(line: Line) -> str:
    """Every command that serves must refuse; returns what one of them said."""
    for command in (("principal", "list"), ("token", "--sub", "x", "--role", "reader"), ("serve", "--port", "0")):
        said = line(*command, exits=3).stderr
    assert "registry audit recover" in said
    return str(said)


@pytest.mark.parametrize("put", [put_back, cut_tail])
def test_an_older_state_is_refused_until_the_loss_is_stated(line: Line, put: Callable[[Path, bytes], None]) -> None:
    grow(line)
    older, was = copy_of(line.home), size(line)
    grow(line, 3)
    lost = size(line) - was
    put(line.home, older)
    assert f"{was} entries where {was + lost} were kept" in refused(line)
    assert line.json("audit", "verify")["size"] == was, "it can still be looked at, and what is there is sound"
    told = line.json("audit", "recover", "--reason", "Disk lost; last night's copy")
    assert (told["standing"], told["kept"], told["found"], told["entry"]) == ("behind", was + lost, was, was)
    assert told["vkey"].startswith(f"{told['origin']}+")
    grow(line)
    assert line.json("audit", "verify")["size"] == was + 2
    assert (line.home / "ledger" / f"{NAME}.before-entry-{was}").read_text().splitlines()[4] == str(was + lost)
    with opened(load_settings(line.home, {})) as application, application.database.reader() as reader:
        entry = application.audit.read(reader.entries([was])[0])
    assert (entry.kind, entry.values["note"]) == (Kind.EPOCH, "Disk lost; last night's copy")
    assert entry.values["principal"].partition(" ")[2].startswith("local:")
    assert entry.values["result"].startswith(f"behind; found {was} ")
    assert f"; kept {was + lost} " in entry.values["result"]


def test_another_history_of_the_same_length_or_longer_is_refused(line: Line) -> None:
    mark = line.home / "ledger" / NAME
    older, first = copy_of(line.home), mark.read_bytes()
    grow(line, 2)
    kept = mark.read_bytes()
    put_back(line.home, older)
    mark.write_bytes(first)
    for _ in range(2):
        grow(line, 2)
        own = mark.read_bytes()
        mark.write_bytes(kept)
        assert "another history" in refused(line)
        mark.write_bytes(own)
    mark.write_bytes(kept)
    assert line.json("audit", "recover", "--reason", "forked")["standing"] == Standing.DIFFERS


def damage(mark: Path) -> None:
    raw = mark.read_bytes()
    mark.write_bytes(raw[:-10] + bytes([raw[-10] ^ 1]) + raw[-9:])


def change_edge(mark: Path) -> None:
    lines = mark.read_text().split("\n")
    hashes = bytes(len(base64.b64decode(lines[1].removeprefix("edge "))))
    mark.write_text("\n".join([lines[0], f"edge {base64.b64encode(hashes).decode()}", *lines[2:]]))


def take_from_another(mark: Path) -> None:
    other = mark.parents[2] / "other"
    initialise(load_settings(other, {}), DEVELOPMENT)
    shutil.copy(other / "ledger" / NAME, mark)


@pytest.mark.parametrize(
    ("act", "standing"),
    [
        (Path.unlink, "missing"),
        (damage, "not_ours"),
        (change_edge, "not_ours"),
        (take_from_another, "not_ours"),
        (lambda mark: mark.write_bytes(b""), "not_ours"),
        (lambda mark: mark.write_bytes(b"\xff" * 70_000), "not_ours"),
    ],
)
def test_a_mark_that_is_gone_or_not_ours_is_refused(line: Line, act: Callable[[Path], object], standing: str) -> None:
    grow(line)
    act(line.home / "ledger" / NAME)
    refused(line)
    assert line.json("audit", "recover", "--reason", "lost with the disk")["standing"] == standing
    grow(line)
    assert line.json("audit", "recover", "--reason", "again")["entry"] is None


def test_a_ledger_that_does_not_verify_is_not_recovered(used: Line) -> None:
    (used.home / "ledger" / NAME).unlink()
    sql = sqlite3.connect(used.home / "registry.db", isolation_level=None)
    for (trigger,) in sql.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        sql.execute(f"DROP TRIGGER {trigger}")
    sql.execute("DELETE FROM ledger_body WHERE i = 5")
    before = size(used)
    assert used.json("audit", "recover", "--reason", "x", exits=1)["entry"] == 5
    assert size(used) == before
    refused(used)


def test_a_crash_between_commit_and_mark_is_no_loss(line: Line) -> None:
    mark = line.home / "ledger" / NAME
    before = mark.read_bytes()
    grow(line, 3)
    mark.write_bytes(before)
    grow(line)
    assert mark.read_bytes() != before
    assert line.json("audit", "recover", "--reason", "none")["standing"] == Standing.FOLLOWS


def test_in_use_the_mark_follows_and_a_rolled_back_database_takes_no_entry(line: Line) -> None:
    settings = load_settings(line.home, {})
    with opened(settings) as application:
        keeper = application.high_water
        assert keeper is not None
        older = copy_of(line.home)
        append(application)
        keeper.keep()
        assert keeper.size == application.compare_high_water().head.size
        cut_tail(line.home, older)
        keeper.keep()
        with pytest.raises(AuditUnavailable, match="rolled_back"):
            append(application)
    refused(line)


def test_the_mark_is_raised_by_itself(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.storage.high_water.EVERY_SECONDS", 0.01)
    raised = threading.Event()
    with opened(load_settings(line.home, {})) as application:
        log = application.kernel.log
        own = log.seen
        monkeypatch.setattr(log, "seen", lambda size: (own(size), raised.set() if size > 2 else None))
        before = HighWaterFile(line.home / "ledger").read()
        append(application)
        append(application)
        application.high_water._seen = log.seen
        assert raised.wait(20)
        assert HighWaterFile(line.home / "ledger").read() != before


def test_a_mark_that_cannot_be_written_stops_no_service(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(HighWaterFile, "_replace", full)
    with opened(load_settings(line.home, {})) as application:
        append(application)
        application.high_water.keep()
        assert application.high_water.is_behind
        append(application)


def test_a_half_written_mark_leaves_the_former_one(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (line.home / "ledger" / NAME).read_bytes()
    monkeypatch.setattr("registry.storage.high_water.os.fsync", lambda _: (_ for _ in ()).throw(OSError(5, "io")))
    with opened(load_settings(line.home, {})) as application:
        append(application)
    assert (line.home / "ledger" / NAME).read_bytes() == before


def test_looking_writes_no_mark(line: Line) -> None:
    mark = line.home / "ledger" / NAME
    before = mark.read_bytes()
    with inspected(load_settings(line.home, {})) as application:
        append(application)
    assert mark.read_bytes() == before


def test_an_interrupted_making_is_finished(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "home", {})
    initialise(settings, PRODUCTION)
    mark = settings.ledger / NAME
    assert mark.stat().st_mode & 0o777 == 0o600
    mark.unlink()
    with pytest.raises(MisconfiguredHome):
        open_application(settings)
    assert initialise(settings, PRODUCTION) is False
    open_application(settings).close()
