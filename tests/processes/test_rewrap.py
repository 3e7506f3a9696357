"""Stored keys are wrapped anew while clients look their people up: nobody fails, and ``kill -9`` costs no key.

With the keys in files, and with a real OpenBao whose former key version is switched off at the end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from registry.bootstrap import Application, initialise, inspected, key_life, opened
from registry.keys.openbao.settings import KeyServiceSettings
from registry.services import key_life as service
from registry.services.key_life import KeyStanding
from registry.settings import DEVELOPMENT
from tests.fakes.openbao import OpenBaoServer
from tests.functional.keys.test_served_with_openbao import configure
from tests.functional.services.homes import person
from tests.processes.checks import check_all
from tests.processes.conftest import City, people_in
from tests.processes.servers import Server

ROUNDS = 8  # of which one has to be cut off in its middle
OPERATOR = "local:test"
SIZES = [
    pytest.param(600, 16, 1, marks=pytest.mark.timeout(300)),
    pytest.param(50_000, 64, 2, marks=[pytest.mark.slow, pytest.mark.timeout(5_400)]),
]


class LocalKeys:
    """The keys are files of the home folder."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._home = home
        self._monkeypatch = monkeypatch

    def rotate(self) -> None:
        registry(self._home, "keys", "rotate", "data")

    def disable_earlier(self) -> None:
        """Destroy all earlier keys, at once: every process has read the ring again, since it wrapped meanwhile."""
        self._monkeypatch.setattr(service, "SETTLING", timedelta(0))
        with opened(Server(self._home).settings) as application:
            life = key_life(application)
            _, *earlier = of_people(application)
            assert earlier
            for one in earlier:
                life.discard(one.facts.key_id, operator=OPERATOR)


class FarKeys:
    """The keys are OpenBao's."""

    def __init__(self, openbao: OpenBaoServer, settings: KeyServiceSettings) -> None:
        self._openbao = openbao
        self._key = f"transit/keys/{settings.key_of('data')}"

    def rotate(self) -> None:
        self._openbao.call("POST", f"{self._key}/rotate", {})

    def disable_earlier(self) -> None:
        newest = self._openbao.call("GET", self._key)["data"]["latest_version"]
        assert newest > 1
        versions = {"min_decryption_version": newest, "min_encryption_version": newest}
        self._openbao.call("POST", f"{self._key}/config", versions)
        self._openbao.call("POST", f"{self._key}/trim", {"min_available_version": newest})


@dataclass
class Keeping:
    """A home folder, and who exchanges its keys."""

    home: Path
    keys: LocalKeys | FarKeys


@pytest.fixture(params=["local", "openbao"])
def keeping(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keeping:
    home = tmp_path / "home"
    if request.param == "local":
        return Keeping(home, LocalKeys(home, monkeypatch))
    server: OpenBaoServer = request.getfixturevalue("openbao")
    settings = server.set_up()
    configure(home, settings)
    return Keeping(home, FarKeys(server, settings))


@contextmanager
def city_of(home: Path, many: int) -> Iterator[City]:
    """Make a registry of so many people, each with a telephone number and nobody else at home."""
    initialise(Server(home).settings, DEVELOPMENT)
    phone = [{"category": "phone", "value": {"kind": "mobile", "number": "816-555-0142"}}]
    city = people_in(home, people=(person(f"P-{number}", family=[], records=phone) for number in range(many)))
    try:
        yield city
    finally:
        city.end()


def command_of(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "registry", "--home", str(home), *words]


def registry(home: Path, *words: str) -> None:
    done = subprocess.run(command_of(home, *words), capture_output=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr


def of_people(application: Application) -> list[KeyStanding]:
    """Return how the keys that wrap people's data keys stand, the current one first."""
    found = [one for one in key_life(application).status() if one.facts.purpose == "data"]
    return sorted(found, key=lambda one: one.facts.retired is not None)


def outdated(application: Application) -> int:
    return of_people(application)[0].outdated


def is_cut_off(city: City, keys: LocalKeys | FarKeys) -> bool:
    """Exchange the key, begin to wrap anew, and kill that with some done and some not; False when it was faster."""
    keys.rotate()
    with inspected(Server(city.home).settings) as application:
        whole = outdated(application)
        assert whole >= len(city.subjects)
        begun = subprocess.Popen(command_of(city.home, "keys", "rewrap"), stdout=subprocess.DEVNULL)
        try:
            while begun.poll() is None and outdated(application) >= whole:
                time.sleep(0.001)
        finally:
            begun.kill()
            begun.wait(60)
        return 0 < outdated(application) < whole


@pytest.mark.parametrize(("many", "clients", "workers"), SIZES)
def test_nobody_waits_for_keys_that_are_wrapped_anew(keeping: Keeping, many: int, clients: int, workers: int) -> None:
    with city_of(keeping.home, many) as city:
        server = city.server(workers)
        server.start()
        asking = city.clients(clients, server)
        with asking.asking():
            asking.wait_for_more(clients)
            assert any(is_cut_off(city, keeping.keys) for _ in range(ROUNDS)), "it was never cut off in its middle"
            asking.wait_for_more(clients)  # half of the keys are of before, half of now
            started = time.monotonic()
            registry(city.home, "keys", "rewrap")
            seconds = time.monotonic() - started
            with inspected(server.settings) as application:
                now, *earlier = of_people(application)
                assert now.outdated == 0
                assert (now.stored or 0) >= many
                assert not any(one.stored for one in earlier)
            keeping.keys.disable_earlier()
            asking.wait_for_more(clients)
        server.kill()
        server.start()  # and with no key in any cache
        cold = city.clients(clients, server)
        cold.prefix = "C"
        with cold.asking():
            cold.wait_for_more(many if many <= 1_000 else 10 * clients)
        assert server.stop() == 0
        for one in (asking, cold):
            assert (one.lost, dict(one.refused)) == (0, {})
            check_all(server.settings, one)
    sys.stdout.write(f"{len(asking.shown)} lookups meanwhile; the resumed round took {seconds:.1f} s\n")
