"""A ring whose keys a PKCS#11 token keeps: what keys there may do, PINs, threads and processes, rotation.

What a registry does while a token fails is in ``tests/contract/test_key_faults.py``, with the other custodies.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, ObjectClass
from pkcs11 import exceptions as given

from registry.crypto.random import random_bytes
from registry.domain.clock import SystemClock
from registry.domain.errors import EnvelopeRejected, KeyUnavailable, MisconfiguredHome
from registry.keys.pkcs11.errors import meaning
from registry.keys.pkcs11.service import TokenService
from registry.keys.pkcs11.settings import TokenSettings
from registry.keys.ports import WrappedKey
from registry.keys.service.keyring import ServiceKeyring
from registry.keys.service.ports import Binding
from tests.fakes.softhsm import PIN, SoftHsm
from tests.functional.keys.baos import CONTEXT, KEY, Hands

# The binding asks a session that is void for its end when it is collected, and cannot raise there.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. 'pkcs11:pytest.PytestUnraisableExceptionWarning")


@dataclass
class Hsm:
    """A registry's way to a token, and the clock that it goes by."""

    tokens: SoftHsm
    settings: TokenSettings
    clock: Hands
    service: TokenService
    ring: ServiceKeyring
    folder: Path

    def wrap(self) -> WrappedKey:
        return self.ring.provider("data").wrap(CONTEXT, KEY)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        return self.ring.provider("data").unwrap(CONTEXT, wrapped)

    def refused(self, wrapped: WrappedKey) -> str:
        with pytest.raises(KeyUnavailable) as caught:
            self.unwrap(wrapped)
        assert PIN not in caught.value.cause
        return caught.value.code

    def new_pin(self, pin: str) -> None:
        self.settings.pin_file.unlink()
        self.settings.pin_file.write_text(f"{pin}\n")
        self.settings.pin_file.chmod(0o400)

    def log_out(self) -> None:
        self.service.close()
        self.clock.pass_by()


@pytest.fixture
def hsm(softhsm: SoftHsm, tmp_path: Path) -> Iterator[Hsm]:
    settings = softhsm.set_up()
    clock = Hands()
    service = TokenService(settings, monotonic=clock)
    folder = tmp_path / "keys"
    yield Hsm(softhsm, settings, clock, service, ServiceKeyring.create(folder, service), folder)
    service.close()


def objects(hsm: Hsm) -> list[Any]:
    token = pkcs11.lib(str(hsm.settings.library)).get_token(token_label=hsm.settings.token_label)
    session = token.open(rw=True)
    return list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}))


def test_keys_are_made_on_the_token_and_cannot_leave_it(hsm: Hsm) -> None:
    found = objects(hsm)
    assert len(found) == 6  # of each purpose but the ledger's
    for key in found:
        assert key[Attribute.NEVER_EXTRACTABLE]
        assert key[Attribute.ALWAYS_SENSITIVE]
        assert key[Attribute.LOCAL]
        with pytest.raises(given.AttributeSensitive):
            key[Attribute.VALUE]


def test_a_key_that_could_be_read_out_is_refused(hsm: Hsm) -> None:
    label = "registry-data-0123456789abcdef"
    session = pkcs11.lib(str(hsm.settings.library)).get_token(token_label=hsm.settings.token_label).open(rw=True)
    template = {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}
    session.generate_key(KeyType.AES, 256, label=label, store=True, template=template)
    session.close()
    with pytest.raises(KeyUnavailable, match="could be read out") as caught:
        hsm.service.name_for("data-0123456789abcdef")
    assert caught.value.code == "key_service_wrong_key"
    assert hsm.unwrap(hsm.wrap()) == KEY  # the others go on


def test_a_refused_pin_is_not_tried_until_the_token_locks_itself(hsm: Hsm, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped = hsm.wrap()
    hsm.log_out()
    hsm.new_pin("0000-0000")
    tried = []
    real = type(hsm.service._sessions)._library

    def counting(sessions: Any) -> Any:
        tried.append(1)
        return real(sessions)

    monkeypatch.setattr(type(hsm.service._sessions), "_library", counting)
    for _ in range(12):
        assert hsm.refused(wrapped) == "key_service_forbidden"
        hsm.clock.pass_by()
    assert len(tried) == 1
    with pytest.raises(KeyUnavailable) as unready:
        hsm.ring.health()
    assert unready.value.code == "key_service_forbidden"
    hsm.new_pin(PIN)
    hsm.clock.pass_by()
    assert hsm.unwrap(wrapped) == KEY


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (given.PinExpired, "key_service_forbidden"),
        (given.NoSuchToken, "key_service_unreachable"),
        (given.DeviceRemoved, "key_service_unreachable"),
        (given.DeviceMemory, "key_service_throttled"),
        (given.MechanismInvalid, "key_service_failed"),
        (given.FunctionFailed, "key_service_failed"),
    ],
)
def test_each_refusal_has_its_cause(error: type[given.PKCS11Error], code: str) -> None:
    assert meaning(error(), "registry").code == code


def test_the_pin_of_a_locked_token_is_tried_again_once_it_is_unlocked(
    hsm: Hsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapped = hsm.wrap()
    hsm.log_out()

    class Locked:
        def get_token(self, **_: object) -> Any:
            return self

        def open(self, **_: object) -> Any:
            raise given.PinLocked

    with monkeypatch.context() as patch:
        patch.setattr(type(hsm.service._sessions), "_library", lambda _: Locked())
        assert hsm.refused(wrapped) == "key_service_locked"
    hsm.clock.pass_by()
    assert hsm.unwrap(wrapped) == KEY


def test_a_logout_elsewhere_in_the_process_is_recovered_from(hsm: Hsm) -> None:
    wrapped = hsm.wrap()
    other = TokenService(hsm.settings)
    other.look()
    other.close()
    hsm.service._sessions._session.close()  # logs the process out
    assert hsm.unwrap(wrapped) == KEY
    assert hsm.unwrap(hsm.wrap()) == KEY


def test_many_threads_take_turns(hsm: Hsm) -> None:
    def there_and_back(number: int) -> bool:
        key, context = random_bytes(32), str(number).encode()
        provider = hsm.ring.provider("data")
        return provider.unwrap(context, provider.wrap(context, key)) == key

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(there_and_back, range(400)))


def test_a_forked_process_logs_in_for_itself(hsm: Hsm) -> None:
    wrapped = hsm.wrap()
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if hsm.unwrap(wrapped) == KEY else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert hsm.unwrap(wrapped) == KEY


def test_the_token_itself_demands_the_binding(hsm: Hsm) -> None:
    """Without our own tag before it: the associated data alone keep moved bytes shut."""
    name = hsm.service.name_for("data-0000000000000000")
    (blob,) = hsm.service.wrap(name, [(Binding("data-1", CONTEXT), KEY)])
    assert hsm.service.unwrap(name, [(Binding("data-1", CONTEXT), blob)]) == (KEY,)
    for binding in (Binding("data-1", b"else"), Binding("data-2", CONTEXT)):
        # SoftHSM has one answer for a wrong tag and a fault of its own; others say that the data are invalid.
        with pytest.raises(KeyUnavailable):
            hsm.service.unwrap(name, [(binding, blob)])
        hsm.clock.pass_by()


def test_changed_bytes_are_told_from_a_token_that_fails(hsm: Hsm) -> None:
    wrapped = hsm.wrap()
    for place in (0, 40, 60, len(wrapped.blob) - 1):
        changed = bytearray(wrapped.blob)
        changed[place] ^= 1
        with pytest.raises(EnvelopeRejected):
            hsm.unwrap(WrappedKey(wrapped.key_id, bytes(changed)))
    assert hsm.unwrap(wrapped) == KEY  # no pause


def test_a_lost_key_is_told_and_never_made_anew(hsm: Hsm) -> None:
    label = f"registry-{hsm.ring.key_ids()['data']}"
    wrapped = hsm.wrap()
    next(key for key in objects(hsm) if key.label == label).destroy()
    assert hsm.refused(wrapped) == "key_service_wrong_key"
    with pytest.raises(KeyUnavailable) as caught:
        ServiceKeyring.load(hsm.folder, hsm.service)
    assert caught.value.code == "key_service_wrong_key"
    assert label not in {key.label for key in objects(hsm)}


def test_rotation_makes_a_key_there_and_discarding_destroys_one(hsm: Hsm) -> None:
    before, old = hsm.ring.key_ids()["data"], hsm.wrap()
    now = hsm.ring.rotate("data", SystemClock())
    assert {f"registry-{before}", f"registry-{now}"} <= {key.label for key in objects(hsm)}
    assert (hsm.unwrap(old), hsm.unwrap(hsm.wrap())) == (KEY, KEY)
    backup = hsm.folder.with_name("backup")
    shutil.copytree(hsm.folder, backup)
    hsm.ring.discard(before)
    assert f"registry-{before}" not in {key.label for key in objects(hsm)}
    assert hsm.refused(old) == "key_file"
    with pytest.raises(KeyUnavailable):  # not even with the key folder of before
        ServiceKeyring.load(backup, hsm.service)
    assert hsm.unwrap(hsm.wrap()) == KEY


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"library": Path("libsofthsm2.so")}, "library"),
        ({"token_label": ""}, "token_label"),
        ({"token_label": "x" * 33}, "token_label"),
        ({"key_prefix": "a b"}, "key_prefix"),
    ],
)
def test_settings_that_make_no_sense(changed: dict[str, object], says: str) -> None:
    usual: dict[str, object] = {"library": Path("/usr/lib/x.so"), "token_label": "t", "pin_file": Path("/p"), **changed}
    with pytest.raises(MisconfiguredHome, match=says):
        TokenSettings(**usual)  # type: ignore[arg-type] # one of each kind


def test_a_library_that_is_none(hsm: Hsm, tmp_path: Path) -> None:
    service = TokenService(TokenSettings(tmp_path / "none.so", "t", hsm.settings.pin_file))
    with pytest.raises(KeyUnavailable, match="cannot be loaded") as caught:
        service.look()
    assert caught.value.code == "key_service_unreachable"
