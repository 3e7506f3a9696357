"""kill -9 while the blind index is re-keyed or made anew, at any statement: everybody is found, and it goes on."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.bootstrap import Application, opened, rebuild_index, rekey_index
from registry.cli.auditing import verify_ledger
from registry.services.index_change import IndexChange
from registry.settings import Settings, load_settings
from tests.crash.statements import program, registry_of, run
from tests.fakes.postgres import PostgresServer

PARTS = 8  # of the long round
TAGS = 36  # of three people: one of each whole document, and one of each value
TEXT = "Dana Brightwater, call 816-555-0142"


@dataclass(frozen=True)
class Change:
    """What goes from one generation of the index to another: its parts in a registry, and a program that runs it."""

    made: Callable[[Application], IndexChange]

    @property
    def program(self) -> str:
        return program(
            f"""
            from registry.bootstrap import {self.made.__name__}
            from registry.services import index_change as service
            """,
            f'{self.made.__name__}(application).run(operator="local:test")',
            before="service.PEOPLE_AT_ONCE, service.AT_ONCE, service.SEALED_AT_ONCE = 2, 40, 1  # in small steps",
        )


@pytest.fixture(scope="module", params=[rekey_index, rebuild_index], ids=lambda made: made.__name__)
def change(request: pytest.FixtureRequest) -> Change:
    return Change(request.param)


@dataclass
class Place:
    """A registry with three people, and how many statements it takes to change its index.

    Attributes:
        change: of its index.
        home: its folder.
        copied: copies its database, and returns the copy's address; empty where it lies in the folder.
        statements: how many there are.
    """

    change: Change
    home: Path
    copied: Callable[[], str]
    statements: int = 0

    def copy(self, folder: Path) -> Settings:
        """Copy folder and database."""
        shutil.copytree(self.home, folder)
        return load_settings(folder, {"REGISTRY_DATABASE_URL": self.copied()})


def place_of(change: Change, home: Path, url: str, copied: Callable[[], str]) -> Place:
    registry_of(home, "T-0001", "T-0002", "T-0003", url=url)
    place = Place(change, home, copied)
    whole = place.copy(home.parent / "whole")
    done = run(change.program, whole.home, 0, url_of(whole))
    assert done.returncode == 0, done.stderr
    place.statements = int(done.stdout)
    return place


@pytest.fixture(scope="module")
def sqlite(change: Change, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return place_of(change, tmp_path_factory.mktemp("changed") / "home", "", str)


@contextmanager
def copies_of(postgres: PostgresServer) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield a new database, and what copies it and returns the copy's address."""
    name, copies = postgres.create_database(), list[str]()

    def copied() -> str:
        for former in copies:  # one at a time is looked at
            postgres.drop_database(former)
        copies[:] = [postgres.create_database(name)]
        return postgres.url(copies[0])

    yield name, copied
    for each in (*copies, name):
        postgres.drop_database(each)


@pytest.fixture(scope="module")
def postgresql(change: Change, tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Place]:
    with copies_of(postgres) as (name, copied):
        yield place_of(change, tmp_path_factory.mktemp("changed") / "home", postgres.url(name), copied)


def url_of(settings: Settings) -> str:
    return settings.database_url if settings.database_url.startswith("postgresql") else ""


def found(settings: Settings) -> set[tuple[str, str]]:
    with opened(settings) as application:
        matched = application.matcher.match(application.local_caller(), TEXT, detail="test")
        with application.database.read() as work:
            work.index_state.demand_whole()
        return {(str(one.subject), str(one.record)) for one in matched.matching.findings}


def kept_tags(settings: Settings) -> tuple[set[bytes], set[int]]:
    """Return the tags of values and documents as they were made, and under which generations they are stored."""
    with opened(settings) as application, application.database.read() as work:
        subjects = work.subjects.by_ids(work.subjects.ids_after("", 10)).values()
        stored = [(row.content_tag, row.content_generation) for row in subjects]
        stored += [
            (row.value_tag, row.tag_generation) for row in work.records.of_subjects([row.id for row in subjects])
        ]
        return {work.kept_tags.opened(*one) for one in stored}, {generation for _, generation in stored}


def is_done(change: Change, settings: Settings) -> bool:
    with opened(settings) as application:
        now = change.made(application).standing()
    return (now.generation, now.following, now.former) == (2, None, None)


def cut_off_at(place: Place, folder: Path, at: int) -> None:
    here = place.copy(folder / f"at-{at}")
    before, (tags, generations) = found(here), kept_tags(here)
    assert len(before) > 1
    assert (len(tags), generations) == (TAGS, {1})
    assert run(place.change.program, here.home, at, url_of(here)).returncode == -signal.SIGKILL
    assert found(here) == before
    assert kept_tags(here)[0] == tags
    if not is_done(place.change, here):
        done = run(place.change.program, here.home, 0, url_of(here))
        assert done.returncode == 0, done.stderr
        assert is_done(place.change, here)
    assert found(here) == before
    assert kept_tags(here) == (tags, {2})
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
