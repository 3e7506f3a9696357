"""Registries whose keys AWS KMS or a token keeps, served over HTTP: also while the service fails, and after."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.fakes.kms import ENVIRONMENT, REGION, KmsServer
from tests.fakes.plain_http import plain_client
from tests.fakes.softhsm import SoftHsm
from tests.functional.cli.conftest import Line, line_for
from tests.functional.keys.test_served_with_openbao import NUMBERS, headers_of, last_outcome, look_up
from tests.functional.services.homes import person


@dataclass
class Kept:
    """A registry, and how its key service is made to fail and to serve again."""

    line: Line
    environment: dict[str, str]
    fail: Callable[[], None]
    mend: Callable[[], None]
    cause: str


@pytest.fixture(params=["throttled", "disabled", "forbidden", "gone", "token-gone"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    if request.param == "token-gone":
        made = on_a_token(home, request.getfixturevalue("softhsm"))
    else:
        made = on_kms(home, request.getfixturevalue("kms"), request.param)
    made.line("init")
    yield made
    made.mend()


def on_kms(home: Path, server: KmsServer, how: str) -> Kept:
    alias = f"alias/served-{how}"
    server.make_key(alias)
    lines = ("[keys]", 'provider = "aws-kms"', f'key = "{alias}"', f'region = "{REGION}"', "cache_seconds = 1")
    more = (f'endpoint = "{server.address}"', "timeout_seconds = 2", "attempts = 1")
    (home / "config.toml").write_text("\n".join((*lines, *more)) + "\n")
    errors = {
        "throttled": "ThrottlingException",
        "disabled": "DisabledException",
        "forbidden": "AccessDeniedException",
    }
    if how == "gone":
        return Kept(line_for(home), ENVIRONMENT, server.stop, lambda: restarted(server), "key_service_unreachable")

    def fail() -> None:
        server.faults.error = errors[how]

    def mend() -> None:
        server.faults.error = ""

    return Kept(line_for(home), ENVIRONMENT, fail, mend, f"key_service_{how}")


def restarted(server: KmsServer) -> None:
    if server._thread is None:
        server.start()


def on_a_token(home: Path, tokens: SoftHsm) -> Kept:
    settings = tokens.set_up()
    lines = ("[keys]", 'provider = "pkcs11"', f'library = "{settings.library}"', "cache_seconds = 1")
    more = (f'token_label = "{settings.token_label}"', f'pin_file = "{settings.pin_file}"')
    (home / "config.toml").write_text("\n".join((*lines, *more)) + "\n")
    away = tokens.folder / "away"

    def fail() -> None:
        shutil.move(tokens.tokens, away)

    def mend() -> None:
        if away.exists():
            shutil.move(away, tokens.tokens)

    return Kept(line_for(home), tokens.environment, fail, mend, "key_service_")


@contextmanager
def served(kept: Kept) -> Iterator[httpx2.Client]:
    process = subprocess.Popen(
        [sys.executable, "-m", "registry", "serve", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "REGISTRY_HOME": str(kept.line.home), **kept.environment},
        text=True,
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        with plain_client(url, timeout=20) as client:
            yield client
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr] # it is a pipe


def test_lookups_wait_out_a_key_service_that_fails(kept: Kept) -> None:
    reader, hr, auditor = (headers_of(kept.line, role) for role in ("reader", "enroller", "auditor"))
    with served(kept) as client:
        for number in NUMBERS:
            assert client.post("/v1/subjects", json=person(number), headers=hr).status_code == 201
        assert look_up(client, NUMBERS[0], reader).status_code == 200
        assert client.get("/readyz").status_code == 200

        kept.fail()
        time.sleep(1.1)  # the cache of opened keys
        gone = look_up(client, NUMBERS[1], reader)
        assert (gone.status_code, gone.json()["code"]) == (503, "key_unavailable")
        assert gone.json()["cause"].startswith(kept.cause)
        assert gone.headers["Retry-After"]
        assert "816-555" not in gone.text
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["failed"]) == (503, ["keyring"])
        assert client.get("/healthz").status_code == 200
        enrolled = client.post("/v1/subjects", json=person("T-0009"), headers=hr)
        assert enrolled.status_code == 503
        assert last_outcome(client, auditor)["result"] == "failed"

        kept.mend()
        deadline = time.monotonic() + 10
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline, client.get("/readyz").text
            time.sleep(0.1)
        for number in NUMBERS:
            assert look_up(client, number, reader).status_code == 200
        assert client.post("/v1/subjects", json=person("T-0009"), headers=hr).status_code == 201
    assert kept.line.json("audit", "verify")["verified"]
    checks = json.loads(kept.line("doctor", "--json", exits=None).stdout)["checks"]
    assert {each["state"] for each in checks if each["name"] in ("key_service", "keys")} == {"ok"}
