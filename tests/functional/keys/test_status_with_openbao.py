"""``keys status`` of a registry whose keys a real OpenBao server keeps in versions: what it says is done here word by
word, and nothing fails; what it advises against fails, and says why.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from registry.bootstrap import key_life
from registry.domain.errors import KeyUnavailable
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.ports import PROVIDER_PURPOSES, SECRET_PURPOSES
from registry.services.key_life import KeyStanding
from tests.conftest import openbao_program
from tests.fakes.openbao import OpenBaoServer
from tests.functional.keys.opened import everything_opens
from tests.functional.keys.test_erasure_with_openbao import home, service
from tests.functional.services.homes import Home, person

__all__ = ["home", "service"]

KEPT = timedelta(days=35)


def status(home: Home) -> dict[str, KeyStanding]:
    return {one.facts.purpose: one for one in key_life(home.app).status()}


def run(openbao: OpenBaoServer, command: str) -> str:
    """Run a command as its administrator does who copied it from the answer."""
    environment = {"PATH": os.environ["PATH"], "BAO_ADDR": openbao.address, "BAO_TOKEN": openbao.root, "HOME": "/"}
    words = shlex.split(command)
    assert words[0] == "bao"
    done = subprocess.run([openbao_program(), *words[1:]], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands(step: str) -> list[str]:
    return re.findall(r"bao [^;]+", step)


@pytest.fixture
def used(home: Home) -> Home:
    home.clock.time = datetime.now(UTC)  # what OpenBao and the file system say is compared with it
    home.enroll(person())
    home.enroll(person("T-0002"))
    return home


def test_it_follows_a_key_from_version_to_version(used: Home, openbao: OpenBaoServer) -> None:
    home = used
    fresh = status(home)
    assert {purpose: fresh[purpose].version for purpose in (*PROVIDER_PURPOSES, *SECRET_PURPOSES)} == dict.fromkeys(
        (*PROVIDER_PURPOSES, *SECRET_PURPOSES), 1
    )
    assert {one.next_step for one in fresh.values()} == {""}
    assert fresh["data"].versions == {1: 6}

    # Older than it may be: the command is the administrator's.
    home.clock.step(timedelta(days=365).total_seconds())
    due = status(home)["data"].next_step
    assert re.match(
        r"in use for \d+ days, and keys are exchanged after 365; run at the key service: bao write -f ", due
    )
    home.clock.step(-timedelta(days=365).total_seconds())
    for purpose in PROVIDER_PURPOSES:
        run(openbao, commands(due)[0].replace("-data/", f"-{purpose}/"))
    run(openbao, commands(due)[0].replace("-data/", "-secrets/"))

    # Some are of the old version and some of the new: nothing is to be given up.
    home.enroll(person("T-0003"))
    mixed = status(home)
    assert (mixed["data"].version, mixed["data"].versions) == (2, {1: 6, 2: 3})
    assert mixed["data"].next_step == (
        "6 stored keys under version 1, its file in the key folder under version 1: keep version 1 until it is done;"
        " run: registry keys rewrap"
    )
    assert mixed["index"].next_step.startswith("its file in the key folder under version 1: keep version 1")
    assert not commands(mixed["data"].next_step)

    key_life(home.app).rewrap(operator="local:test")
    done = status(home)
    assert done["data"].versions == {2: 9}
    assert "backups made before the last rewrap need them: keep them until" in done["data"].next_step
    assert not commands(done["data"].next_step)
    home.clock.step((KEPT + timedelta(days=2)).total_seconds())
    last = status(home)
    assert "no backup that is kept needs them" in last["data"].next_step
    for purpose in (*PROVIDER_PURPOSES, "index"):
        config, trim = commands(last[purpose].next_step)
        run(openbao, config)
        run(openbao, trim)
    assert everything_opens(home)


def test_given_up_before_the_rewrap_values_do_not_open_and_lowering_it_brings_them_back(
    used: Home, openbao: OpenBaoServer, service: KeyServiceSettings
) -> None:
    name = service.key_of("data")
    run(openbao, f"bao write -f transit/keys/{name}/rotate")
    assert "keep version 1 until it is done" in status(used)["data"].next_step
    run(openbao, f"bao write transit/keys/{name}/config min_decryption_version=2 min_encryption_version=2")
    with pytest.raises(KeyUnavailable) as caught:
        everything_opens(used)
    assert caught.value.code == "key_service_version"
    assert "lower its min_decryption_version" in caught.value.cause
    run(openbao, f"bao write transit/keys/{name}/config min_decryption_version=1 min_encryption_version=0")
    assert everything_opens(used)
