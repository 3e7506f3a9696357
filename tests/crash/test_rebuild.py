"""kill -9 while the blind index is made anew, at any statement: everybody is found, and it goes on."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.bootstrap import opened, rebuild_index
from registry.cli.auditing import verify_ledger
from registry.settings import Settings
from tests.crash.statements import program, run
from tests.crash.test_rekey import PARTS, Place, copies_of, found, place_of, url_of
from tests.fakes.postgres import PostgresServer

_BUILDER = program(
    """
    from registry.bootstrap import rebuild_index
    from registry.services import index_change as service
    """,
    'rebuild_index(application).run(operator="local:test")',
    before="service.PEOPLE_AT_ONCE, service.AT_ONCE = 2, 40  # in small steps",
)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return place_of(tmp_path_factory.mktemp("rebuilt") / "home", "", str, _BUILDER)


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Place]:
    with copies_of(postgres) as (name, copied):
        yield place_of(tmp_path_factory.mktemp("rebuilt") / "home", postgres.url(name), copied, _BUILDER)


def is_done(settings: Settings) -> bool:
    with opened(settings) as application:
        now = rebuild_index(application).standing()
    return (now.generation, now.following, now.former) == (2, None, None)


def cut_off_at(place: Place, folder: Path, at: int) -> None:
    here = place.copy(folder / f"at-{at}")
    before = found(here)
    assert len(before) > 1
    assert run(_BUILDER, here.home, at, url_of(here)).returncode == -signal.SIGKILL
    assert found(here) == before
    if not is_done(here):
        done = run(_BUILDER, here.home, 0, url_of(here))
        assert done.returncode == 0, done.stderr
        assert is_done(here)
    assert found(here) == before
    with opened(here) as application:
        application.row_check.check()
        verify_ledger(application, 1)


@pytest.mark.parametrize("part", [0.02, 0.2, 0.45, 0.7, 0.9, 0.99])
def test_it_goes_on_wherever_it_was_cut_off(sqlite: Place, tmp_path: Path, part: float) -> None:
    cut_off_at(sqlite, tmp_path, max(1, int(sqlite.statements * part)))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_it_goes_on_wherever_it_was_cut_off_on_postgresql(postgresql: Place, tmp_path: Path, part: float) -> None:
    cut_off_at(postgresql, tmp_path, max(1, int(postgresql.statements * part)))


@pytest.mark.slow
@pytest.mark.timeout(5_400)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_it_goes_on_at_every_statement(request: pytest.FixtureRequest, tmp_path: Path, engine: str, part: int) -> None:
    place: Place = request.getfixturevalue(engine)
    for at in range(1 + part, place.statements + 1, PARTS):
        cut_off_at(place, tmp_path, at)
        shutil.rmtree(tmp_path / f"at-{at}")
