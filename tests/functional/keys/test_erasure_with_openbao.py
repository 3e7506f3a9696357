"""Erasing somebody whose keys a real OpenBao server wraps: their data key is gone, and what older backups have of it
opens no more once the server has trimmed the versions of that day.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry.bootstrap import initialise, inspected, key_life, open_application
from registry.cli.auditing import verify_ledger
from registry.domain.categories import Category
from registry.domain.errors import KeyUnavailable
from registry.domain.ids import SubjectId
from registry.domain.principals import Role
from registry.keys.data_keys import DataKeys
from registry.keys.erased import NAME
from registry.keys.openbao.settings import KeyServiceSettings
from registry.keys.ports import PROVIDER_PURPOSES
from registry.services.disclose import Disclosed
from registry.services.erase_scope import ErasureAsk
from registry.settings import DEVELOPMENT, Settings, load_settings
from registry.upkeep.backup import back_up, restore
from tests.fakes.clock import TestClock
from tests.fakes.openbao import OpenBaoServer
from tests.functional.keys.test_served_with_openbao import configure
from tests.functional.services.homes import Home, person

GONE, OTHER = "T-0001", "T-0002"


@pytest.fixture
def service(openbao: OpenBaoServer) -> KeyServiceSettings:
    return openbao.set_up()


@pytest.fixture
def home(service: KeyServiceSettings, tmp_path: Path) -> Iterator[Home]:
    configure(tmp_path / "home", service)
    settings = load_settings(tmp_path / "home", {"REGISTRY_DATABASE_URL": ""})
    clock = TestClock()
    initialise(settings, DEVELOPMENT, clock)
    opened = Home(open_application(settings, clock), clock)
    yield opened
    opened.close()


def restored(home: Home, backup: Path, place: Path) -> Settings:
    """Put a backup into a home of its own, with keys of today that do not know who was erased: as somebody may who has
    both, so that only what the server holds is between them and the values.
    """
    shutil.copytree(home.app.settings.home / "keys", place / "keys")
    (place / "keys" / NAME).unlink(missing_ok=True)
    shutil.copy(home.app.settings.home / "config.toml", place)
    settings = load_settings(place, {"REGISTRY_DATABASE_URL": ""})
    restore(settings, backup)
    return settings


def key_of(home: Home, subject: SubjectId) -> Any:
    with home.app.database.read() as work:
        one = work.persons.of_subjects([subject])[0]
    return one.id, one.key


def trimmed(openbao: OpenBaoServer, service: KeyServiceSettings) -> None:
    """Do at the service what its administrator does once no backup of before is needed."""
    for purpose in PROVIDER_PURPOSES:
        name = service.key_of(purpose)
        versions = {"min_decryption_version": 2, "min_encryption_version": 2}
        openbao.call("POST", f"transit/keys/{name}/config", versions)
        openbao.call("POST", f"transit/keys/{name}/trim", {"min_available_version": 2})


def test_an_erased_person_opens_nowhere_once_the_versions_of_their_day_are_trimmed(
    home: Home, openbao: OpenBaoServer, service: KeyServiceSettings, tmp_path: Path
) -> None:
    gone, other = home.enroll(person(GONE)), home.enroll(person(OTHER))
    back_up(home.app.settings, tmp_path / "backup")
    named = key_of(home, gone.subject)
    enroller = home.caller("hr", Role.ENROLLER)
    done = home.app.erase.erase(enroller, ErasureAsk(gone.subject, None, "left the service", "Records schedule 4"))
    assert done.is_clean
    # Here nothing is left of the key; what the backup has of it opens with the versions of today.
    with home.app.database.read() as work:
        assert not work.persons.of_subjects([gone.subject])
    before = restored(home, tmp_path / "backup", tmp_path / "before")
    with inspected(before) as older:
        assert key_of(replace(home, app=older), gone.subject) == named
        assert older.kernel.vault.known_person(*named)

    for purpose in PROVIDER_PURPOSES:
        openbao.call("POST", f"transit/keys/{service.key_of(purpose)}/rotate", {})
    key_life(home.app).rewrap(operator="local:test")
    with inspected(before) as older:  # a rotation alone destroys nothing
        assert older.kernel.vault.known_person(*named)
    trimmed(openbao, service)

    data = DataKeys(home.app.keyring.provider("data"), home.app.kernel.registry)
    with pytest.raises(KeyUnavailable, match="no longer opens under this key version"):
        data.open_key(*named)
    shutil.rmtree(before.keys)
    shutil.copytree(home.app.settings.home / "keys", before.keys)  # of today, not of its day
    (before.keys / NAME).unlink()
    with pytest.raises(KeyUnavailable, match="no longer opens under this key version"), inspected(before):
        pass  # nor is what the backup's entries say of them read
    # Those who are still here were wrapped anew, and open, in a process that starts now too.
    home.app.close()
    with inspected(home.app.settings) as today:
        later = replace(home, app=today)
        assert today.kernel.vault.known_person(*key_of(later, other.subject))
        verify_ledger(today, 1)
    back = open_application(home.app.settings, home.clock)
    try:
        later = replace(home, app=back)
        answer = later.disclose(later.caller("reader", Role.READER), later.ask(other.subject, Category.PHONE))
        assert isinstance(answer, Disclosed)
        assert len(answer.fields) == 1
    finally:
        back.close()
