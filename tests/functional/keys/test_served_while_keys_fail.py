"""A registry of each custody, served over HTTP: also while its keys may not be had, and after.

One fault of each; the others are in ``tests/contract/test_key_faults.py``.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes.kms import ENVIRONMENT, REGION, KmsServer
from tests.fakes.openbao import OpenBaoServer
from tests.fakes.softhsm import PIN, SoftHsm
from tests.functional.cli.conftest import Line, line_for
from tests.functional.keys.test_served_with_openbao import configure, headers_of, look_up, served
from tests.functional.services.homes import person

NUMBERS = [f"T-{number:04}" for number in range(1, 4)]
CACHE_SECONDS = 1


@dataclass
class Kept:
    """A registry, and how what keeps its keys is made to fail and to serve again.

    Attributes:
        line: its command line.
        environment: of its processes.
        fail, mend: what is done to what keeps the keys.
        causes: what may be told of it.
        secrets: what is in no line of its log.
    """

    line: Line
    environment: dict[str, str]
    fail: Callable[[], object]
    mend: Callable[[], object]
    causes: tuple[str, ...]
    secrets: tuple[str, ...] = ()

    @property
    def goes_on(self) -> bool:
        """Whether lookups go on: the machine's own keys are in memory."""
        return self.causes == ("key_file",)


def on_files(home: Path) -> Kept:
    away = home.with_name("away")

    def mend() -> None:
        if away.exists():
            shutil.move(away, home / "keys")

    return Kept(line_for(home), {}, lambda: shutil.move(home / "keys", away), mend, ("key_file",))


def on_openbao(home: Path, server: OpenBaoServer) -> Kept:
    settings = server.set_up()
    configure(home, settings, cache_seconds=CACHE_SECONDS, timeout_seconds=1)
    secrets = ("vault:v", settings.secret_id_file.read_text().strip())
    return Kept(line_for(home), {}, server.seal, server.unseal, ("key_service_sealed",), secrets)


def on_kms(home: Path, server: KmsServer) -> Kept:
    server.make_key("alias/served")
    lines = ("[keys]", 'provider = "aws-kms"', 'key = "alias/served"', f'region = "{REGION}"')
    more = (f'endpoint = "{server.address}"', "timeout_seconds = 2", "attempts = 1", f"cache_seconds = {CACHE_SECONDS}")
    (home / "config.toml").write_text("\n".join((*lines, *more)) + "\n")

    def fail(error: str = "ThrottlingException") -> None:
        server.faults.error = error

    return Kept(line_for(home), ENVIRONMENT, fail, lambda: fail(""), ("key_service_throttled",))


def on_a_token(home: Path, tokens: SoftHsm) -> Kept:
    settings = tokens.set_up()
    lines = ("[keys]", 'provider = "pkcs11"', f'library = "{settings.library}"', f"cache_seconds = {CACHE_SECONDS}")
    more = (f'token_label = "{settings.token_label}"', f'pin_file = "{settings.pin_file}"')
    (home / "config.toml").write_text("\n".join((*lines, *more)) + "\n")
    away = tokens.folder / "away"

    def mend() -> None:
        if away.exists():
            shutil.move(away, tokens.tokens)

    # What a library says whose token vanishes under it is the library's.
    causes = ("key_service_unreachable", "key_service_failed")
    return Kept(line_for(home), tokens.environment, lambda: shutil.move(tokens.tokens, away), mend, causes, (PIN,))


@pytest.fixture(params=["local", "openbao", "aws-kms", "pkcs11"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    if request.param == "local":
        made = on_files(home)
    elif request.param == "openbao":
        made = on_openbao(home, request.getfixturevalue("shamir"))
    elif request.param == "aws-kms":
        made = on_kms(home, request.getfixturevalue("kms"))
    else:
        made = on_a_token(home, request.getfixturevalue("softhsm"))
    made.line("init")
    yield made
    made.mend()


def last_outcome(client: httpx2.Client, headers: dict[str, str]) -> dict[str, Any]:
    """Return what the newest entry of an outcome says."""
    answer = client.get("/v1/audit/entries?limit=1&kind=outcome", headers=headers).json()
    return dict(answer["entries"][0]["fields"])


def refused(answer: httpx2.Response, kept: Kept) -> bool:
    """Return whether an answer is a refusal for want of a key, which tells no value."""
    assert "816-555" not in answer.text
    if answer.status_code != 503:
        return False
    said = answer.json()
    assert (said["code"], said["cause"] in kept.causes) == ("key_unavailable", True), said
    assert answer.headers["Retry-After"]
    return True


def test_lookups_wait_out_keys_that_may_not_be_had(kept: Kept) -> None:
    reader, hr, auditor = (headers_of(kept.line, role) for role in ("reader", "enroller", "auditor"))
    with served(kept.line, kept.environment, (*kept.secrets, "816-555")) as client:
        for number in NUMBERS:
            assert client.post("/v1/subjects", json=person(number), headers=hr).status_code == 201
        assert look_up(client, NUMBERS[0], reader).status_code == 200
        assert client.get("/readyz").status_code == 200

        kept.fail()
        time.sleep(CACHE_SECONDS + 0.1)
        looked_up = look_up(client, NUMBERS[1], reader)
        if kept.goes_on:
            assert looked_up.status_code == 200
        else:
            assert refused(looked_up, kept)
            assert last_outcome(client, auditor)["result"] == "failed"
        ready = client.get("/readyz")
        # Of the machine's own files, what signs the ledger is gone as well.
        assert (ready.status_code, ready.json()["failed"]) == (503, ["keyring", "ledger"][: 1 + kept.goes_on])
        assert client.get("/healthz").status_code == 200
        assert refused(client.post("/v1/subjects", json=person("T-0009"), headers=hr), kept)

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
