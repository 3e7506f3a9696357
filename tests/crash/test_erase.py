"""kill -9 while somebody is erased, at any statement: everything of them is there, or nothing is."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from registry.bootstrap import initialise, opened
from registry.cli.auditing import verify_ledger
from registry.settings import DEVELOPMENT, load_settings
from registry.text.intake import read_enrollment
from tests.functional.services.homes import TODAY, person

PARTS = 8  # of the long round
# Erases, counts the statements that go to the database from then on, and kills itself at one of them.
_ERASER = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.engine import Engine
from registry.bootstrap import opened
from registry.services.erase_scope import ErasureAsk
from registry.settings import load_settings

seen = {"count": 0, "on": False}

def traced(_statement):
    seen["count"] += seen["on"]
    if seen["on"] and seen["count"] == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

@event.listens_for(Engine, "connect")
def watch(connection, _record):
    connection.set_trace_callback(traced)

with opened(load_settings(Path(sys.argv[1]), {})) as application:
    caller = application.local_caller()
    (hit,) = application.search.search(caller, application.search.by_number("T-0001")).hits
    seen["on"] = True
    application.erase.erase(caller, ErasureAsk(hit.subject, None, "Left the service", "Schedule 4"))
    seen["on"] = False
print(seen["count"])
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Return a registry with two people, and how many statements it takes to erase one of them."""
    home = tmp_path_factory.mktemp("erased") / "home"
    initialise(load_settings(home, {}), DEVELOPMENT)
    with opened(load_settings(home, {})) as application:
        for number in ("T-0001", "T-0002"):
            application.enroll.enroll(application.local_caller(), read_enrollment(person(number), today=TODAY))
    whole = home.parent / "whole"
    shutil.copytree(home, whole)
    return home, int(erase(whole, 0).stdout)


def erase(home: Path, kill_at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _ERASER, str(home), str(kill_at)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def rows(home: Path) -> set[int]:
    """Return how many rows each table of people has of the two."""
    engine = create_engine(f"sqlite:///{home / 'registry.db'}")
    with engine.connect() as connection:
        tables = {"subjects": 1, "persons": 3, "records": 11, "record_versions": 11, "marks": 11}
        counted = {
            connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() / of for name, of in tables.items()
        }
    engine.dispose()
    return counted


def killed_at(home: Path, statement: int, folder: Path) -> bool:
    """Kill at a statement; returns whether they are still there. Anything in between fails."""
    copy = folder / f"at-{statement}"
    shutil.copytree(home, copy)
    assert erase(copy, statement).returncode == -signal.SIGKILL
    with opened(load_settings(copy, {})) as application:
        caller = application.local_caller()
        hits = application.search.search(caller, application.search.by_number("T-0001")).hits
        verify_ledger(application, 1)
    assert rows(copy) == ({2} if hits else {1})
    shutil.rmtree(copy)
    return bool(hits)


@pytest.mark.parametrize("part", [0.2, 0.6, 0.9, 1.0])
def test_nothing_in_between(made: tuple[Path, int], part: float, tmp_path: Path) -> None:
    home, statements = made
    is_there = killed_at(home, max(1, round(statements * part)), tmp_path)
    assert is_there is (part < 1)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_at_every_statement(made: tuple[Path, int], part: int, tmp_path: Path) -> None:
    home, statements = made
    found = [killed_at(home, statement, tmp_path) for statement in range(1 + part, statements + 1, PARTS)]
    assert found == sorted(found, reverse=True)  # there until the commit, and never again
    assert found[0]
