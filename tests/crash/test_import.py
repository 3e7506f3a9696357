"""kill -9 and Ctrl-C while a file is imported, with sealing processes and without: nothing twice, nothing lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from registry.bootstrap import initialise, inspected
from registry.settings import DEVELOPMENT, load_settings
from registry.transparency.leaf import parse_leaf

PEOPLE = 2_400
_WAIT_SECONDS = 150


@dataclass
class Place:
    """A registry to import into, and the file."""

    home: Path
    url: str
    people: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "REGISTRY_HOME": str(self.home), "REGISTRY_DATABASE_URL": self.url, "REGISTRY_URL": ""}

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "registry", "import", str(self.people), "--json", *options]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env=self.environment, text=True, **pipes)

    def finish(self, *options: str) -> dict[str, Any]:
        output, errors = self.start(*options).communicate(timeout=_WAIT_SECONDS)
        assert not errors
        told: dict[str, Any] = json.loads(output)
        return told

    def stored(self) -> int:
        engine = create_engine(self.url or f"sqlite:///{self.home / 'registry.db'}")
        try:
            with engine.connect() as connection:
                return int(connection.execute(text("SELECT count(*) FROM subjects")).scalar_one())
        finally:
            engine.dispose()

    def enrolled(self) -> int:
        """Count the entries that say that somebody was enrolled."""
        settings = load_settings(self.home, {"REGISTRY_DATABASE_URL": self.url})
        with inspected(settings) as application, application.database.reader() as reader:
            kinds = [parse_leaf(row.leaf).kind for row in reader.scan(0, reader.head().size)]
            return sum(
                (opening := application.kernel.log.opening(row)) is not None and opening.values["result"] == "created"
                for row, kind in zip(reader.scan(0, len(kinds)), kinds, strict=True)
                if kind == "enroll"
            )

    def verify(self) -> None:
        command = [sys.executable, "-m", "registry", "audit", "verify", "--workers", "1"]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False, timeout=_WAIT_SECONDS)
        assert done.returncode == 0, done.stderr


def made(folder: Path, url: str = "") -> Place:
    place = Place(folder / "home", url, folder / "people.ndjson")
    initialise(load_settings(place.home, {"REGISTRY_DATABASE_URL": url}), DEVELOPMENT)
    with place.people.open("w", encoding="utf-8") as file:
        for number in range(PEOPLE):
            phone = {"category": "phone", "value": {"kind": "mobile", "number": f"816-555-{100 + number % 100:04}"}}
            body = {"employee_number": f"T-{number}", "given_name": "Dana", "department": "Parks", "records": [phone]}
            file.write(json.dumps(body) + "\n")
    return place


@pytest.fixture
def postgresql(tmp_path: Path, postgres: Any) -> Iterator[Place]:
    name = postgres.create_database()
    yield made(tmp_path, postgres.url(name))
    postgres.drop_database(name)


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + _WAIT_SECONDS
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.01)


def kill_in_the_middle(place: Place, workers: int, chance: random.Random) -> None:
    """Start the import, wait until it stored something more and a little longer, and kill it; no process is left."""
    before, process = place.stored(), place.start("--workers", str(workers))
    below: list[int] = []
    try:
        until(lambda: process.poll() is not None or place.stored() > before)
        time.sleep(chance.random() * 0.5)
        below = children(process.pid)
    finally:
        process.kill()
        process.communicate()
    until(lambda: not any(is_running(pid) for pid in below))


def rounds(place: Place, kills: int, workers: int) -> None:
    chance = random.Random(kills)
    killed_early = 0
    for _ in range(kills):
        kill_in_the_middle(place, workers, chance)
        killed_early += place.stored() < PEOPLE
    stored = place.stored()
    told = place.finish("--workers", str(workers))
    assert killed_early >= 1
    assert (told["created"], told["unchanged"]) == (PEOPLE - stored, stored)
    assert (told["lines"], told["rejected"], place.stored()) == (PEOPLE, 0, PEOPLE)
    assert place.enrolled() == PEOPLE
    place.verify()


def test_an_import_killed_again_and_again_goes_on(tmp_path: Path) -> None:
    rounds(made(tmp_path), 3, 2)


def test_an_import_into_postgresql_killed_again_and_again_goes_on(postgresql: Place) -> None:
    rounds(postgresql, 1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("workers", [0, 2])
def test_fifty_files_killed(tmp_path: Path, workers: int, seed: int) -> None:
    rounds(made(tmp_path), 2 + seed % 4, workers)


def test_a_sealing_process_that_is_killed_costs_nothing(tmp_path: Path) -> None:
    place = made(tmp_path)
    process = place.start("--workers", "2")
    sealing: list[int] = []

    def has_sealing() -> bool:
        sealing[:] = [pid for pid in children(process.pid) if b"spawn_main" in command_of(pid)]
        return bool(sealing)

    until(has_sealing)
    os.kill(sealing[0], signal.SIGKILL)
    told = json.loads(process.communicate(timeout=_WAIT_SECONDS)[0])
    assert (process.returncode, told["created"], told["lines"], place.stored()) == (0, PEOPLE, PEOPLE, PEOPLE)


@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGINT, 2), pytest.param(signal.SIGTERM, 0, marks=pytest.mark.slow)]
)
def test_a_stopped_import_says_what_is_in_and_goes_on(tmp_path: Path, number: signal.Signals, workers: int) -> None:
    place = made(tmp_path)
    process = place.start("--workers", str(workers))
    until(lambda: place.stored() > 0)
    # As a terminal does: to every process of the command.
    for pid in (*children(process.pid), process.pid):
        os.kill(pid, number if number is signal.SIGINT or pid == process.pid else 0)
    output, said = process.communicate(timeout=_WAIT_SECONDS)
    told = json.loads(output)
    assert process.returncode == 128 + number
    assert told["stopped"] is True
    assert 0 < told["created"] == told["lines"] == place.stored() < PEOPLE
    assert said.startswith(f"Stopped after {told['lines']:,} lines. What was stored stays. Run the same command again")
    assert said.count("\n") == 1
