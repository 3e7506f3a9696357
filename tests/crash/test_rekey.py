"""kill -9 while the blind index goes to another secret, at any statement: everybody is found, and it goes on."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from registry.bootstrap import opened, rekey_index
from registry.cli.auditing import verify_ledger
from registry.settings import load_settings
from tests.crash.statements import program, registry_of, run

PARTS = 8  # of the long round
TEXT = "Dana Brightwater, call 816-555-0142"
_KEEPER = program(
    """
    from registry.bootstrap import rekey_index
    from registry.services import rekey_index as service
    """,
    'rekey_index(application).run(operator="local:test")',
    before="service.PEOPLE_AT_ONCE, service.AT_ONCE = 2, 40  # in small steps",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Return a registry with three people, and how many statements it takes to re-key its index."""
    home = tmp_path_factory.mktemp("rekeyed") / "home"
    registry_of(home, "T-0001", "T-0002", "T-0003")
    whole = home.parent / "whole"
    shutil.copytree(home, whole)
    done = run(_KEEPER, whole, 0)
    assert done.returncode == 0, done.stderr
    return home, int(done.stdout)


def found(home: Path) -> set[tuple[str, str]]:
    with opened(load_settings(home, {})) as application:
        matched = application.matcher.match(application.local_caller(), TEXT, detail="test")
        with application.database.read() as work:
            work.index_state.demand_whole()
        return {(str(one.subject), str(one.record)) for one in matched.matching.findings}


def is_done(home: Path) -> bool:
    with opened(load_settings(home, {})) as application:
        now = rekey_index(application).standing()
    return (now.generation, now.following, now.former) == (2, None, None)


def cut_off_at(made: tuple[Path, int], folder: Path, at: int) -> None:
    home, _ = made
    here = folder / f"at-{at}"
    shutil.copytree(home, here)
    before = found(here)
    assert len(before) > 1
    assert run(_KEEPER, here, at).returncode == -signal.SIGKILL
    assert found(here) == before
    if not is_done(here):
        done = run(_KEEPER, here, 0)
        assert done.returncode == 0, done.stderr
        assert is_done(here)
    assert found(here) == before
    with opened(load_settings(here, {})) as application:
        application.row_check.check()
        verify_ledger(application, 1)


@pytest.mark.parametrize("part", [0.02, 0.2, 0.45, 0.7, 0.9, 0.99])
def test_it_goes_on_wherever_it_was_cut_off(made: tuple[Path, int], tmp_path: Path, part: float) -> None:
    cut_off_at(made, tmp_path, max(1, int(made[1] * part)))


@pytest.mark.slow
@pytest.mark.timeout(5_400)
@pytest.mark.parametrize("part", range(PARTS))
def test_it_goes_on_at_every_statement(made: tuple[Path, int], tmp_path: Path, part: int) -> None:
    for at in range(1 + part, made[1] + 1, PARTS):
        cut_off_at(made, tmp_path, at)
        shutil.rmtree(tmp_path / f"at-{at}")
