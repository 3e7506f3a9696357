"""kill -9 while somebody is erased, at any statement: everything of them is there, or nothing is."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from registry.bootstrap import opened
from registry.cli.auditing import verify_ledger
from registry.settings import load_settings
from tests.crash.statements import program, registry_of, run

PARTS = 8  # of the long round
_ERASER = program(
    "from registry.services.erase_scope import ErasureAsk",
    'application.erase.erase(caller, ErasureAsk(hit.subject, None, "Left the service", "Schedule 4"))',
    before="""
    caller = application.local_caller()
    (hit,) = application.search.search(caller, application.search.by_number("T-0001")).hits
    """,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Return a registry with two people, and how many statements it takes to erase one of them."""
    home = tmp_path_factory.mktemp("erased") / "home"
    registry_of(home, "T-0001", "T-0002")
    whole = home.parent / "whole"
    shutil.copytree(home, whole)
    return home, int(run(_ERASER, whole, 0).stdout)


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
    assert run(_ERASER, copy, statement).returncode == -signal.SIGKILL
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
