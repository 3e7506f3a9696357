"""A served registry with real witnesses, ours and one that we did not write, and its history exchanged under it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from registry.bootstrap import opened
from registry.settings import load_settings
from registry.transparency.trust_policy import open_trusted, parse_policy
from registry.witness.keys import check_of
from tests.fakes.clock import TestClock
from tests.functional.cli.conftest import line_for
from tests.functional.services.growth import grow
from tests.functional.services.homes import Home
from tests.processes.conftest import City, city_on_sqlite

# A C2SP witness by others, for Python 3.12 and later: installed here, or beside the Python that a variable names.
# Where it is not, ours is tried alone.
OTHERS = "aics_witness"
THEIR_PYTHON = os.environ.get("REGISTRY_OTHER_WITNESS_PYTHON", sys.executable)
HAS_OTHERS = sys.executable != THEIR_PYTHON or importlib.util.find_spec(OTHERS) is not None
BOTH = pytest.mark.parametrize(
    "kind",
    [
        "ours",
        pytest.param(
            "another",
            marks=pytest.mark.skipif(not HAS_OTHERS, reason=f"{OTHERS} is not installed"),
        ),
    ],
)


@contextmanager
def running(command: list[str], url: str = "") -> Iterator[dict[str, Any]]:
    """Run a witness until the end of the block; gives what its first line says."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        told = {"url": url} if url else json.loads(process.stdout.readline())
        _await(told["url"])
        yield told
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def _await(url: str) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            httpx2.get(f"{url}/{'0' * 64}/checkpoint")
        except httpx2.HTTPError:
            assert time.monotonic() < until, "the witness does not listen"
            time.sleep(0.05)
        else:
            return


@contextmanager
def witness_of(kind: str, place: Path, vkey: str) -> Iterator[tuple[str, str]]:
    """Run a witness for a ledger; gives its address and its verifier key."""
    if kind == "ours":
        command = [sys.executable, "-m", "registry", "audit", "witness"]
        made = _told([*command, "init", str(place), "--name", "witness.example/w1", "--log", vkey])
        with running([*command, "serve", str(place), "--port", "0", "--json"]) as told:
            yield told["url"], made
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place.mkdir()
    command, config = [THEIR_PYTHON, "-m", OTHERS], ["-c", str(place / "witness.json")]
    address = f"127.0.0.1:{port}"
    said = _told([*command, "init", *config, "--name", "witness.example/w1", "--listen", address])
    made = next(word for word in said.split() if word.startswith("witness.example/w1+"))
    _told([*command, "add-log", *config, "--origin", vkey.split("+", maxsplit=1)[0], "--vkey", vkey])
    with running([*command, "serve", *config], f"http://{address}"):
        yield f"http://{address}", made


def _told(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.fixture
def city_on_disk(tmp_path: Path) -> Iterator[City]:
    made = city_on_sqlite(tmp_path / "home")
    try:
        yield made
    finally:
        made.end()


def checkpoint(city: City, url: str) -> httpx2.Response:
    return httpx2.get(f"{url}/audit/checkpoint", headers={"Authorization": f"Bearer {city.auditor}"}, timeout=60)


def configure(home: Path, vkey: str, witness: str, url: str) -> bytes:
    policy = f"log {vkey}\nwitness w {witness} {url}\nquorum w\n".encode()
    (home / "witness.policy").write_bytes(policy)
    (home / "config.toml").write_text('[witness]\npolicy = "witness.policy"\nevery_seconds = 1\n')
    return policy


def lengthen(home: Path, entries: int) -> None:
    with opened(load_settings(home, {})) as application:
        with application.database.reader() as reader:
            size = reader.head().size
        grow(Home(application, TestClock()), size + entries)


@BOTH
def test_a_served_registry_is_witnessed_and_a_rewritten_one_serves_nothing(
    kind: str, city_on_disk: City, tmp_path: Path
) -> None:
    city, line = city_on_disk, line_for(city_on_disk.home)
    vkey = line.json("audit", "checkpoint")["vkey"]
    before = tmp_path / "before"
    shutil.copytree(city.home, before)
    lengthen(city.home, 5)
    with witness_of(kind, tmp_path / "witness", vkey) as (url, witness):
        policy = parse_policy(configure(city.home, vkey, witness, url))
        server = city.server()
        server.start()
        answer = checkpoint(city, server.ready["url"])
        trusted = open_trusted(answer.text, policy, check_of)
        assert set(trusted.cosignatures) == {"w"}
        assert httpx2.get(f"{server.ready['url']}/readyz").status_code == 200
        server.stop()
        assert line.json("audit", "witness", "ask") == {"witnesses": {"w": "cosigned"}, "unseen": 0, "alarm": None}
        assert _check(line.json("doctor"))["state"] == "ok"
        # The operator exchanges everything for a history in which something else happened.
        shutil.rmtree(city.home)
        shutil.copytree(before, city.home)
        lengthen(city.home, 40)
        configure(city.home, vkey, witness, url)
        assert line.json("audit", "verify")["verified"]
        assert _check(line.json("doctor", exits=1))["state"] == "finding"
        server.start()
        refused = httpx2.get(f"{server.ready['url']}/readyz")
        assert (refused.status_code, "forked" in refused.text) == (503, True)
        looked_up = httpx2.post(
            f"{server.ready['url']}/v1/disclosures",
            json={"subject": city.subjects[0], "categories": ["phone"], "purpose": {"code": "emergency_contact"}},
            headers={"Authorization": f"Bearer {city.reader}"},
            timeout=60,
        )
        assert (looked_up.status_code, looked_up.json()["cause"]) == (503, "forked")
        server.stop()
        told = line.json("audit", "witness", "ask", exits=1)
        assert (told["witnesses"], told["alarm"]) == ({"w": "forked"}, "forked")
    assert list((city.home / "ledger" / "witness").glob("evidence-*"))


@BOTH
def test_an_older_copy_put_back_is_noticed(kind: str, city_on_disk: City, tmp_path: Path) -> None:
    line = line_for(city_on_disk.home)
    vkey = line.json("audit", "checkpoint")["vkey"]
    before = tmp_path / "before"
    shutil.copytree(city_on_disk.home, before)
    lengthen(city_on_disk.home, 5)
    with witness_of(kind, tmp_path / "witness", vkey) as (url, witness):
        configure(city_on_disk.home, vkey, witness, url)
        assert line.json("audit", "witness", "ask")["alarm"] is None
        shutil.rmtree(city_on_disk.home)
        shutil.copytree(before, city_on_disk.home)
        configure(city_on_disk.home, vkey, witness, url)
        assert line.json("audit", "witness", "ask", exits=1)["alarm"] == "rolled_back"


def _check(told: dict[str, Any]) -> dict[str, Any]:
    return next(check for check in told["checks"] if check["name"] == "witnesses")
