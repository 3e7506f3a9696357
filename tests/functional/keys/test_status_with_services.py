"""``keys status`` of registries whose keys rest on AWS KMS or on a token: what it says is done here word by word, by
whom it says, and everything opens; what it does not say yet is looked for as well.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass

from registry.bootstrap import initialise, key_life, open_application
from registry.keys.pkcs11.settings import TokenSettings
from registry.keys.ports import LEDGER_PURPOSE, PROVIDER_PURPOSES, SECRET_PURPOSES
from registry.services.key_life import KeyStanding
from registry.settings import DEVELOPMENT, Settings, load_settings
from tests.fakes.clock import TestClock
from tests.fakes.kms import REGION, KmsServer
from tests.fakes.softhsm import SoftHsm
from tests.functional.keys.opened import everything_opens
from tests.functional.services.homes import Home, person

KEPT = timedelta(days=35)
_ALIASES = count(1)


def made(folder: Path, *lines: str) -> Settings:
    folder.mkdir(mode=0o700)
    (folder / "config.toml").write_text("\n".join(("[keys]", *lines)) + "\n")
    return load_settings(folder, {"REGISTRY_DATABASE_URL": ""})


def used(settings: Settings) -> Iterator[Home]:
    clock = TestClock()
    clock.time = datetime.now(UTC)  # what the file system says is compared with it
    initialise(settings, DEVELOPMENT, clock)
    home = Home(open_application(settings, clock), clock)
    home.enroll(person())
    home.enroll(person("T-0002"))
    yield home
    home.close()


@pytest.fixture
def alias() -> str:
    return f"alias/status-{next(_ALIASES)}"


@pytest.fixture
def on_kms(kms: KmsServer, alias: str, tmp_path: Path) -> Iterator[Home]:
    kms.make_key(alias)
    lines = ('provider = "aws-kms"', f'key = "{alias}"', f'region = "{REGION}"', f'endpoint = "{kms.address}"')
    yield from used(made(tmp_path / "home", *lines))


@pytest.fixture
def token(softhsm: SoftHsm) -> TokenSettings:
    return softhsm.set_up()


@pytest.fixture
def on_token(token: TokenSettings, tmp_path: Path) -> Iterator[Home]:
    lines = ('provider = "pkcs11"', f'library = "{token.library}"', f'token_label = "{token.token_label}"')
    yield from used(made(tmp_path / "home", *lines, f'pin_file = "{token.pin_file}"'))


def status(home: Home) -> dict[str, KeyStanding]:
    return {one.facts.key_id: one for one in key_life(home.app).status()}


def current(home: Home, purpose: str) -> KeyStanding:
    (found,) = (one for one in status(home).values() if one.facts.purpose == purpose and one.facts.retired is None)
    return found


def steps(home: Home) -> set[str]:
    """Return the commands that are next, of every key."""
    return {command for one in status(home).values() for command in commands(one)}


def commands(one: KeyStanding) -> list[str]:
    return re.findall(r"(?:registry|aws) [^;]+", one.next_step)


def run(home: Home, command: str, client: Any = None) -> None:
    """Do what a command says, as whom it is for, by the clock of the test."""
    words = shlex.split(command)
    if words[:2] == ["aws", "kms"]:
        given = dict(zip(words[3::2], words[4::2], strict=True))
        assert given["--region"] == REGION
        asked: dict[str, object] = {"KeyId": given["--key-id"].rpartition("/")[2]}  # moto knows no ARN here
        if "--pending-window-in-days" in given:
            asked["PendingWindowInDays"] = int(given["--pending-window-in-days"])
        getattr(client, words[2].replace("-", "_"))(**asked)
        return
    assert words[:2] == ["registry", "keys"], command
    life = key_life(home.app)
    acts: dict[str, Callable[..., object]] = {"rotate": life.rotate, "rewrap": life.rewrap, "shred": life.discard}
    acts[words[2]](*words[3:], operator="local:test")


def test_it_follows_a_registry_from_one_key_of_kms_to_another(on_kms: Home, kms: KmsServer, alias: str) -> None:
    home, client = on_kms, kms.client()
    former = current(home, "data").rests_on
    assert {one.rests_on for one in status(home).values()} == {former, None}
    assert current(home, LEDGER_PURPOSE).rests_on is None
    assert steps(home) == set()

    # Its administrator makes another key, and lets the alias stand for it.
    newer = kms.make_key(alias)
    assert current(home, "data").next_step == (
        f"rests on {former}, and {alias} is {newer} now; run: registry keys rotate data"
    )
    assert steps(home) == {
        *(f"registry keys rotate {purpose}" for purpose in PROVIDER_PURPOSES),
        "registry keys rewrap",  # of secrets, whose files are sealed anew
    }
    for purpose in PROVIDER_PURPOSES:
        run(home, f"registry keys rotate {purpose}")

    # What is on which: the stored keys on the former, and nothing is to be given up.
    mixed = status(home)
    assert (current(home, "data").rests_on, current(home, "data").stored) == (newer, 0)
    earlier = [one for one in mixed.values() if one.facts.retired is not None]
    assert {(one.facts.purpose, one.rests_on) for one in earlier} == {(one, former) for one in PROVIDER_PURPOSES}
    assert [one.stored for one in earlier if one.facts.purpose == "data"] == [6]
    assert steps(home) == {"registry keys rewrap"}
    run(home, "registry keys rewrap")
    assert {current(home, purpose).rests_on for purpose in (*PROVIDER_PURPOSES, *SECRET_PURPOSES)} == {newer}
    assert steps(home) == set()  # until no backup needs the earlier keys
    assert everything_opens(home)

    home.clock.step((KEPT + timedelta(days=1)).total_seconds())
    shreds = {command for command in steps(home) if command.startswith("registry keys shred")}
    assert len(shreds) == len(PROVIDER_PURPOSES)
    assert steps(home) == shreds  # the key of KMS is under each of the others still
    *first, last = sorted(shreds)
    for command in first:
        run(home, command)
    # A secret's file that was sealed anew a moment ago stands in backups as it was.
    file = home.app.settings.keys / "index.key"
    sealed = file.stat().st_mtime
    os.utime(file, (sealed, home.clock.now().timestamp()))
    assert steps(home) == {last}
    os.utime(file, (sealed, sealed))
    shred, disable, delete = commands(status(home)[last.split()[-1]])
    assert (shred, disable) == (last, f"aws kms disable-key --region {REGION} --key-id {former}")
    assert f"schedule-key-deletion --region {REGION} --key-id {former} " in delete
    for command in (shred, disable, delete):
        run(home, command, client)
    assert client.describe_key(KeyId=former)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert {one.rests_on for one in status(home).values()} == {newer, None}
    assert everything_opens(home)
    client.close()


def test_it_follows_keys_on_a_token(on_token: Home, token: TokenSettings) -> None:
    home = on_token
    before = current(home, "data")
    assert before.rests_on == f"registry-{before.facts.key_id}"
    assert before.rests_on in labels(token)
    assert steps(home) == set()
    held = labels(token)

    home.clock.step(timedelta(days=366).total_seconds())
    due = current(home, "data")
    assert due.next_step == "in use for 366 days, and keys are exchanged after 365; run: registry keys rotate data"
    assert labels(token) == held  # looking makes nothing
    run(home, *commands(due))
    now = current(home, "data")
    assert (now.rests_on, now.stored, now.outdated) == (f"registry-{now.facts.key_id}", 0, 6)
    assert status(home)[before.facts.key_id].rests_on == before.rests_on
    assert labels(token) == {*held, now.rests_on}
    run(home, "registry keys rewrap")
    earlier = status(home)[before.facts.key_id]
    assert (earlier.stored, commands(earlier)) == (0, [])
    assert "backups made before" in earlier.next_step

    home.clock.step((KEPT + timedelta(days=1)).total_seconds())
    step = status(home)[before.facts.key_id].next_step
    # The token's key goes with the ring's: nothing is to be done at the token.
    assert step == f"no backup that is kept needs it; run: registry keys shred {before.facts.key_id}"
    run(home, f"registry keys shred {before.facts.key_id}")
    assert labels(token) == {*held, now.rests_on} - {before.rests_on}
    assert everything_opens(home)


def labels(token: TokenSettings) -> set[str]:
    """Return what is on the token."""
    session = pkcs11.lib(str(token.library)).get_token(token_label=token.token_label).open(rw=True)
    return {key.label for key in session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY})}
