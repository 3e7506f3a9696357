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
from datetime import UTC, datetime
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
OURS, THEIRS = [sys.executable, "-m", "registry", "audit", "witness"], [THEIR_PYTHON, "-m", OTHERS]
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
    """Make a witness for a ledger and run it; gives its address and its verifier key."""
    made = made_witness(kind, place, vkey)
    with serving(kind, place) as url:
        yield url, made


def made_witness(kind: str, place: Path, vkey: str) -> str:
    """Make a witness for a ledger; returns its verifier key."""
    if kind == "ours":
        return _told([*OURS, "init", str(place), "--name", "witness.example/w1", "--log", vkey])
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place.mkdir()
    config = ["-c", str(place / "witness.json")]
    said = _told([*THEIRS, "init", *config, "--name", "witness.example/w1", "--listen", f"127.0.0.1:{port}"])
    _told([*THEIRS, "add-log", *config, "--origin", vkey.split("+", maxsplit=1)[0], "--vkey", vkey])
    return next(word for word in said.split() if word.startswith("witness.example/w1+"))


@contextmanager
def serving(kind: str, place: Path) -> Iterator[str]:
    """Run a witness; gives its address."""
    if kind == "ours":
        with running([*OURS, "serve", str(place), "--port", "0", "--json"]) as told:
            yield told["url"]
        return
    config = place / "witness.json"
    url = f"http://{json.loads(config.read_text())['witness']['listen']}"
    with running([*THEIRS, "serve", "-c", str(config)], url):
        yield url


def put_in_place(kind: str, place: Path, former: str, present: str) -> None:
    """Do what a witness's operator does when a ledger's key was stolen: the new one in place of it, not beside it."""
    if kind == "ours":
        policy = place / "policy"
        policy.write_text(policy.read_text().replace(former, present))
        return
    config = place / "witness.json"
    document = json.loads(config.read_text())
    assert [log["vkeys"] for log in document["logs"]] == [[former]]
    config.write_text(json.dumps({**document, "logs": []}))
    _told([*THEIRS, "add-log", "-c", str(config), "--origin", present.split("+", maxsplit=1)[0], "--vkey", present])


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


@BOTH
def test_a_stolen_key_is_replaced_and_a_witness_goes_on_under_the_new_name_alone(
    kind: str, city_on_disk: City, tmp_path: Path
) -> None:
    home, place, witnessed = city_on_disk.home, tmp_path / "witness", {"w": "cosigned"}
    line, thief, rewriter = (line_for(path) for path in (home, tmp_path / "thief", tmp_path / "rewriter"))
    former = line.json("audit", "checkpoint")["vkey"]
    shutil.copytree(home, rewriter.home)
    lengthen(home, 5)
    with witness_of(kind, place, former) as (url, witness):
        configure(home, former, witness, url)
        assert line.json("audit", "witness", "ask")["witnesses"] == witnessed
        shutil.copytree(home, thief.home)  # with the key: a history of the thief's own, and one that goes on from here
        seen = int(line.json("audit", "checkpoint")["checkpoint"].split("\n")[1])
        time.sleep(2)  # what was cosigned counts from before the second of the suspicion
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = line.json("audit", "compromise", former.split("+")[1], "--since", since, "--reason", "stolen, made up")
        assert (told["replaced"], told["trusted"]) == (True, seen)
        assert line.json("audit", "witness", "ask", exits=1)["witnesses"] == {"w": "refused 404"}
        # Its operator was not reached yet: it refuses another history, and cosigns what continues what it saw.
        for theirs, entries, answer in ((rewriter, 40, "forked"), (thief, 5, "cosigned")):
            configure(theirs.home, former, witness, url)
            lengthen(theirs.home, entries)
            assert theirs.json("audit", "witness", "ask", exits=int(answer == "forked"))["witnesses"] == {"w": answer}
        finding = _check(line.json("doctor", exits=1))
        assert (finding["state"], former.split("+")[1] in json.dumps(finding)) == ("finding", True)
    put_in_place(kind, place, former, told["vkey"])
    with serving(kind, place) as url:
        policy = parse_policy(configure(home, told["vkey"], witness, url))
        assert line.json("audit", "witness", "ask") == {"witnesses": witnessed, "unseen": 0, "alarm": None}
        assert _check(line.json("doctor", exits=1)) == finding  # it goes on showing what it cosigned: evidence
        with opened(load_settings(home, {})) as application:
            assert application.witnesses is not None
            trusted = open_trusted(application.witnesses.published().note, policy, check_of)
        assert trusted.checkpoint.origin == told["vkey"].split("+")[0] != former.split("+")[0]
        assert trusted.checkpoint.size > told["entry"] >= seen
        for theirs in (rewriter, thief):
            configure(theirs.home, former, witness, url)
            lengthen(theirs.home, 3)
            assert theirs.json("audit", "witness", "ask", exits=1)["witnesses"] == {"w": "refused 404"}


def _check(told: dict[str, Any]) -> dict[str, Any]:
    return next(check for check in told["checks"] if check["name"] == "witnesses")
