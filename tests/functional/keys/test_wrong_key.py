"""A key service that answers, and with another key of the same length: everybody who asks is told that, not that a file
is damaged.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import httpx2
import pytest

from registry.api.server import serving
from registry.bootstrap import opened
from registry.keys.openbao.transit import TransitKey
from registry.keys.pkcs11 import service as on_token
from registry.settings import load_settings
from tests.contract.custodies import Babbling
from tests.fakes.kms import REGION
from tests.functional.cli.conftest import Line, line_for
from tests.functional.keys.test_served_with_openbao import configure

WRONG = bytes(32)


@dataclass
class Kept:
    """A registry, and what lets its key service give another key for a block."""

    line: Line
    lying: Callable[[], AbstractContextManager[object]]


def on_openbao(home: Path, request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[object]]:
    configure(home, request.getfixturevalue("openbao").set_up())
    return lambda: patch.object(TransitKey, "_opened", lambda *_: WRONG)


def on_kms(home: Path, request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[object]]:
    server = request.getfixturevalue("kms")
    server.make_key("alias/wrong-key")
    lines = ("[keys]", 'provider = "aws-kms"', 'key = "alias/wrong-key"', f'region = "{REGION}"')
    (home / "config.toml").write_text("\n".join((*lines, f'endpoint = "{server.address}"')) + "\n")
    return lambda: server.faults.opening_to(WRONG)  # type: ignore[no-any-return] # a fixture by its name


def on_a_token(home: Path, request: pytest.FixtureRequest) -> Callable[[], AbstractContextManager[object]]:
    settings = request.getfixturevalue("softhsm").set_up()
    lines = ("[keys]", 'provider = "pkcs11"', f'library = "{settings.library}"', f'pin_file = "{settings.pin_file}"')
    (home / "config.toml").write_text("\n".join((*lines, f'token_label = "{settings.token_label}"')) + "\n")
    real = on_token._key
    return lambda: patch.object(on_token, "_key", lambda *asked: Babbling(WRONG, real(*asked)))


@pytest.fixture(params=[on_openbao, on_kms, on_a_token])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    lying = request.param(home, request)
    line = line_for(home)
    line("init")
    return Kept(line, lying)


def test_readiness_says_that_it_is_another_key(kept: Kept) -> None:
    with opened(load_settings(kept.line.home, {})) as application, serving(application) as url:
        assert httpx2.get(f"{url}/readyz", trust_env=False).status_code == 200
        time.sleep(1.1)  # good news are remembered for a moment
        with kept.lying():
            answer = httpx2.get(f"{url}/readyz", trust_env=False)
    assert (answer.status_code, answer.json()["cause"]) == (503, "key_service_wrong_key"), answer.text
    assert answer.json()["failed"] == ["keyring"]


def test_whoever_looks_at_the_keys_is_told_and_so_is_the_doctor(kept: Kept) -> None:
    with kept.lying():
        told = kept.line("keys", "status", exits=3).stderr
        found = kept.line("doctor", exits=1).stdout
    for said in (told, found):
        assert "of the key service opens, and gives another key than" in said
        assert ".key holds" in said
        assert "restore it from a backup" not in said
    assert kept.line.json("keys", "status")
