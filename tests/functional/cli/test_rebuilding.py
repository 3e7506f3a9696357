"""``registry keys rebuild-index`` at the command line, in the home of a registry that an earlier version made."""

from __future__ import annotations

import os
import pty
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from registry.leaktrace.terms import TERMS_VERSION
from registry.services import index_change as service
from tests.functional.cli.conftest import PEOPLE, Line

_RUN = "run: registry keys rebuild-index"


@pytest.fixture
def older(used: Line) -> Line:
    """Leave what an earlier version leaves: nobody knows by which terms the index was made."""
    connection = sqlite3.connect(used.home / "registry.db")
    with connection:
        connection.execute("DELETE FROM index_terms")
    connection.close()
    return used


def doctors(line: Line, *, exits: int) -> dict[str, Any]:
    told = line.json("doctor", exits=exits)["checks"]
    return next(one for one in told if one["name"] == "index_terms")


def test_the_steps_after_an_upgrade(older: Line) -> None:
    before = older.json("keys", "rebuild-index", "--status")
    assert (before["generation"], before["terms"], before["copied"], before["former"]) == (1, 1, None, None)
    assert before["next"].endswith(_RUN)
    finding = doctors(older, exits=1)
    assert (finding["state"], finding["mend"]) == ("finding", "registry keys rebuild-index")
    assert f"terms of version 1, of {TERMS_VERSION}" in finding["what"]
    assert _RUN in older("keys", "status").stdout
    assert older("keys", "rebuild-index").stdout == (
        f"generation 2 with {before['postings']} postings is looked up in, the one before is removed\n"
    )
    after = older.json("keys", "rebuild-index", "--status")
    assert (after["generation"], after["terms"], after["next"]) == (2, TERMS_VERSION, "")
    assert doctors(older, exits=0)["state"] == "ok"
    assert "rebuild-index" not in older("keys", "status").stdout
    assert "verified" in older("audit", "verify").stdout


def test_it_may_be_stopped_and_run_again_and_every_status_says_so(older: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PEOPLE_AT_ONCE", 1)
    seen: list[str] = []

    def stop(_self: object, step: str, _done: int, _of: int) -> None:
        seen.append(step)
        if len(seen) == PEOPLE // 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr("registry.cli.rekeying._Progress.__call__", stop)
        older("keys", "rebuild-index", exits=130)
    now = older.json("keys", "rebuild-index", "--status")
    assert 0 < now["copied"] < now["postings"]
    assert (now["generation"], now["former"]) == (1, None)
    shown = older("keys", "rebuild-index", "--status").stdout
    assert f"{now['copied']} postings are in the next" in shown
    assert _RUN in shown
    assert _RUN in older("keys", "status").stdout
    finding = doctors(older, exits=1)
    assert "not whole" in finding["what"]
    assert finding["mend"] == "registry keys rebuild-index"
    assert "rebuild-index" in older("keys", "rekey-index", exits=3).stderr
    assert older.json("keys", "rebuild-index")["generation"] == 2
    assert doctors(older, exits=0)["state"] == "ok"


def test_a_terminal_shows_how_far_it_is(older: Line) -> None:
    command = [sys.executable, "-m", "registry", "keys", "rebuild-index"]
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            command, env={**os.environ, **older.environment}, stdout=subprocess.PIPE, stderr=theirs, check=True
        )
        shown = os.read(ours, 1 << 16).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    assert b"generation 2" in done.stdout
    assert re.search(r"\rpeople read: \d+ %", shown)
    assert "\rpostings removed: " in shown


def test_a_value_that_does_not_open_is_refused_with_how_many_there_are(older: Line, tmp_path: Path) -> None:
    older("backup", str(tmp_path / "before"))
    connection = sqlite3.connect(older.home / "registry.db")
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    with connection:
        record, sealed = connection.execute("SELECT record, sealed FROM record_versions LIMIT 1").fetchone()
        connection.execute(
            "UPDATE record_versions SET sealed = ? WHERE record = ?", (sealed[:-1] + bytes([sealed[-1] ^ 1]), record)
        )
    connection.close()
    assert "--without 1" in older("keys", "rebuild-index", exits=3).stderr
    done = older.json("keys", "rebuild-index", "--without", "1")
    assert (done["generation"], done["unopened"]) == (2, 1)
