"""Keys that OpenBao holds: their versions, what the registry may do there and no more, tokens and secret ids.

What a registry does while OpenBao fails is in ``tests/contract/test_key_faults.py``, with the other custodies.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from registry.crypto.envelope import Binding, seal, unseal
from registry.crypto.random import random_bytes
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.domain.ids import PersonId, RegistryId
from registry.keys.data_keys import CacheLimits, DataKeys
from registry.keys.openbao.keyring import _SealedForm
from registry.keys.openbao.rights import excess, policy
from registry.keys.openbao.session import Session
from registry.keys.opening import load_keyring
from registry.keys.ports import WrappedKey
from tests.conftest import openbao_program
from tests.fakes.clock import TestClock
from tests.fakes.openbao import OpenBaoServer
from tests.functional.keys.baos import CONTEXT, KEY, Bao, bao_of

BINDING = Binding("r", "p", "x", "phone", 1)

# ---- keys of the service ----


def test_what_was_wrapped_before_a_rotation_opens_and_what_is_new_has_the_new_version(bao: Bao) -> None:
    before = bao.wrap()
    bao.server.call("POST", f"transit/keys/{bao.settings.key_of('data')}/rotate", {})
    after = bao.wrap()
    assert (before.blob[:5], after.blob[:5]) == (b"\x02\0\0\0\1", b"\x02\0\0\0\2")
    assert before.key_id == after.key_id
    assert bao.unwrap(before) == bao.unwrap(after) == KEY


def test_a_withdrawn_version_is_told_and_comes_back(bao: Bao) -> None:
    name, before = bao.settings.key_of("data"), bao.wrap()
    bao.server.call("POST", f"transit/keys/{name}/rotate", {})
    after = bao.wrap()
    bao.server.call("POST", f"transit/keys/{name}/config", {"min_decryption_version": 2})
    old, new = bao.ring.provider("data").unwrap_many([(CONTEXT, before), (CONTEXT, after)])
    assert new == KEY
    assert isinstance(old, KeyUnavailable)
    assert old.code == "key_service_version"
    bao.server.call("POST", f"transit/keys/{name}/config", {"min_decryption_version": 1})
    assert bao.unwrap(before) == KEY


def test_a_version_that_the_service_lost_is_told(bao: Bao) -> None:
    wrapped = bao.wrap()
    newer = WrappedKey(wrapped.key_id, b"\x02\0\0\0\7" + wrapped.blob[5:])
    assert bao.refused(newer) == "key_service_version"


def test_version_nought_is_none(bao: Bao) -> None:
    wrapped = bao.wrap()
    ask = {
        "ciphertext": "vault:v0:" + _base64(wrapped.blob[5:]),
        "context": _base64(b"registry/transit/v1\0" + CONTEXT),
    }
    assert bao.server.call("POST", f"transit/decrypt/{bao.settings.key_of('data')}", ask)["data"]["plaintext"]
    with pytest.raises(EnvelopeRejected):
        bao.unwrap(WrappedKey(wrapped.key_id, b"\x02\0\0\0\0" + wrapped.blob[5:]))


def test_a_key_made_anew_under_its_name_is_told_at_start_and_by_health(bao: Bao, tmp_path: Path) -> None:
    name = bao.settings.key_of("data")
    bao.server.call("POST", f"transit/keys/{name}/config", {"deletion_allowed": True})
    bao.server.call("DELETE", f"transit/keys/{name}")
    assert bao.refused(WrappedKey(bao.ring.key_ids()["data"], b"\x02\0\0\0\1" + bytes(60))) == "key_service_wrong_key"
    bao.server.call("POST", f"transit/keys/{name}", {"type": "aes256-gcm96", "derived": True})
    bao.clock.pass_by()
    for look in (bao.ring.health, lambda: load_keyring(tmp_path / "keys", bao.settings)):
        with pytest.raises(KeyUnavailable, match="not the key that this registry was made with") as caught:
            look()
        assert caught.value.code == "key_service_wrong_key"


def test_a_key_of_another_registry_does_not_open(bao: Bao, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = bao_of(bao.server, tmp_path / "other")
    assert bao.refused(other.wrap()) == "key_service_wrong_key"  # by its key id
    with pytest.raises(EnvelopeRejected):
        bao.unwrap(WrappedKey(bao.ring.key_ids()["data"], other.wrap().blob))
    other.session.close()


def test_the_folder_alone_is_worth_nothing(bao: Bao, tmp_path: Path) -> None:
    written = b"".join(path.read_bytes() for path in (tmp_path / "keys").iterdir() if path.name != "ledger.key")
    for purpose in ("index", "marks", "idempotency"):
        secret = bao.ring.secret(purpose)
        assert len(secret) == 32
        assert _base64(secret).encode() not in written
        assert secret.hex().encode() not in written


@pytest.mark.parametrize("swap", [("index", "marks"), ("data", "bodies")])
def test_files_that_were_exchanged_are_told(bao: Bao, tmp_path: Path, swap: tuple[str, str]) -> None:
    first, second = (tmp_path / "keys" / f"{purpose}.key" for purpose in swap)
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    with pytest.raises(KeyUnavailable, match=first.name):
        load_keyring(tmp_path / "keys", bao.settings)


def test_a_file_with_another_secret_under_a_key_id_is_told(bao: Bao, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "index.key"
    other = replace(bao.ring._content.current["index"], secret=random_bytes(32))
    file.write_bytes(_SealedForm(bao.session).render(other))
    with pytest.raises(KeyUnavailable, match="does not hold the index key"):
        load_keyring(tmp_path / "keys", bao.settings)


def test_settings_and_folder_that_do_not_fit_are_told(bao: Bao, tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="provider openbao"):
        load_keyring(tmp_path / "keys", None)


# ---- what the service may do and say ----


def test_a_restarted_service_goes_on(tmp_path: Path) -> None:
    server = OpenBaoServer(openbao_program())
    try:
        server.start()
        bao = bao_of(server, tmp_path)
        wrapped = bao.wrap()
        server.stop()
        assert bao.refused(wrapped) == "key_service_unreachable"
        server.start()  # it unseals itself
        bao.clock.pass_by()
        assert bao.unwrap(wrapped) == KEY
        bao.session.close()
    finally:
        server.remove()


def test_the_policy_is_enough_and_not_more(bao: Bao) -> None:
    bao.ring.health()
    assert excess(bao.session) == ()
    key = bao.settings.key_of("data")
    token = bao.session._current().value
    for path in (f"transit/keys/{key}/rotate", "sys/seal", f"transit/encrypt/{key}-of-others"):
        assert bao.server.ask("POST", path, {}, token).status_code == 403
    assert bao.server.ask("GET", f"transit/export/encryption-key/{key}", token=token).status_code == 403


@pytest.mark.parametrize(
    ("rule", "opens"),
    [
        ('path "transit/*" { capabilities = ["create", "update"] }', "transit/decrypt/{}-of-others"),
        ('path "transit/keys/+/rotate" { capabilities = ["update"] }', "transit/keys/{}-data/rotate"),
        ('path "transit/export/*" { capabilities = ["read"] }', "transit/export/encryption-key/{}-data"),
        ('path "sys/*" { capabilities = ["sudo", "update"] }', "sys/seal"),
    ],
)
def test_a_policy_that_is_too_wide_is_seen(bao: Bao, rule: str, opens: str) -> None:
    wider = policy(bao.settings) + rule
    bao.server.call("PUT", f"sys/policies/acl/{bao.settings.key_prefix}", {"policy": wider})
    assert opens.format(bao.settings.key_prefix) in excess(bao.session)


def test_stored_keys_follow_a_rotation_at_the_service(bao: Bao) -> None:
    provider, name = bao.ring.provider("data"), bao.settings.key_of("data")
    registry, person = RegistryId("r" * 32), PersonId("p" * 32)
    keys = DataKeys(provider, registry, limits=CacheLimits(max_seconds=0))
    key, stored = keys.new_key(person)
    first = keys.generation()
    assert first.covers(stored)
    bao.server.call("POST", f"transit/keys/{name}/rotate", {})
    second = keys.generation()
    assert (first.covers(stored), second.covers(stored)) == (True, False)
    (renewed,) = keys.wrapped_anew([(person, stored)])
    assert isinstance(renewed, WrappedKey)
    assert second.covers(renewed)
    bao.server.call("POST", f"transit/keys/{name}/config", {"min_decryption_version": 2, "min_encryption_version": 2})
    bao.server.call("POST", f"transit/keys/{name}/trim", {"min_available_version": 2})
    sealed = seal(key, b"something", BINDING)
    assert unseal(keys.open_key(person, renewed), sealed, BINDING) == b"something"
    with pytest.raises(KeyUnavailable, match="no longer opens under this key version"):
        keys.open_key(person, stored)
    (refused,) = keys.wrapped_anew([(person, stored)])
    assert isinstance(refused, KeyUnavailable)


def test_the_registry_says_where_keys_of_the_service_are_exchanged(bao: Bao) -> None:
    name = bao.settings.key_of("data")
    with pytest.raises(KeyUnavailable, match=f"bao write -f transit/keys/{name}/rotate"):
        bao.ring.rotate("data", TestClock())
    with pytest.raises(KeyUnavailable, match=f"bao write transit/keys/{name}/trim"):
        bao.ring.discard(bao.ring.key_ids()["data"])


def test_what_is_wrong_with_one_key_keeps_nobody_from_the_others(bao: Bao) -> None:
    wrapped = bao.wrap()
    bao.clock.pass_by()
    smaller = policy(bao.settings).replace(f"encrypt/{bao.settings.key_of('cases')}", "encrypt/none")
    bao.server.call("PUT", f"sys/policies/acl/{bao.settings.key_prefix}", {"policy": smaller})
    logins = bao.server.requests().count('"path":"auth/approle/login"')
    for _ in range(5):
        with pytest.raises(KeyUnavailable):
            bao.ring.provider("cases").wrap(CONTEXT, KEY)
        assert bao.unwrap(wrapped) == KEY
    # Nor does it ask for a token each time.
    assert bao.server.requests().count('"path":"auth/approle/login"') - logins == 2


# ---- tokens ----


def test_a_revoked_token_is_replaced(bao: Bao) -> None:
    wrapped = bao.wrap()
    bao.server.call("POST", "auth/token/revoke", {"token": bao.session._current().value})
    bao.clock.pass_by()
    assert bao.unwrap(wrapped) == KEY


def test_a_token_is_renewed_before_it_ends_and_replaced_at_its_end(bao: Bao) -> None:
    wrapped, first = bao.wrap(), bao.session._current()
    bao.clock.pass_by(20 * 60 * 0.7)
    assert bao.unwrap(wrapped) == KEY
    renewed = bao.session._current()
    assert renewed.value == first.value
    assert renewed.ends_at > first.ends_at
    bao.clock.pass_by(21 * 60)
    assert bao.unwrap(wrapped) == KEY
    assert bao.session._current().value != first.value


def test_a_token_near_the_longest_life_of_its_role_is_replaced(bao: Bao) -> None:
    role = {"token_policies": bao.settings.key_prefix, "token_no_default_policy": True}
    path = f"auth/approle/role/{bao.settings.key_prefix}"
    bao.server.call("POST", path, {**role, "token_ttl": "30s", "token_max_ttl": "30s"})
    bao.server.call("POST", "auth/token/revoke", {"token": bao.session._current().value})
    bao.clock.pass_by()
    wrapped = bao.wrap()
    first = bao.session._current()
    bao.clock.pass_by(21)
    assert bao.unwrap(wrapped) == KEY
    assert bao.session._current().value != first.value


def test_without_a_secret_id_the_token_is_used_to_its_end(bao: Bao) -> None:
    wrapped = bao.wrap()
    away = bao.settings.secret_id_file.with_suffix(".away")
    bao.settings.secret_id_file.rename(away)
    smaller = policy(bao.settings).replace("auth/token/renew-self", "auth/token/none")
    bao.server.call("PUT", f"sys/policies/acl/{bao.settings.key_prefix}", {"policy": smaller})
    bao.clock.pass_by(20 * 60 * 0.7)
    assert bao.unwrap(wrapped) == KEY
    bao.clock.pass_by(20 * 60)
    with pytest.raises(KeyUnavailable, match="cannot be opened") as caught:
        bao.unwrap(wrapped)
    assert caught.value.code == "key_service_forbidden"
    away.rename(bao.settings.secret_id_file)
    bao.clock.pass_by()
    assert bao.unwrap(wrapped) == KEY


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.chmod(0o404),
        lambda path: path.chmod(0o420),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.chmod(0o600), path.write_text("")),
        lambda path: (path.chmod(0o600), path.write_text("two words")),
        lambda path: (path.chmod(0o600), path.write_text("x" * 1_025)),
    ],
)
def test_a_secret_id_file_that_is_not_one_is_refused(bao: Bao, spoil: Callable[[Path], object]) -> None:
    spoil(bao.settings.secret_id_file)
    session = Session(bao.settings)
    with pytest.raises(KeyUnavailable, match="secret id") as caught:
        session.call("transit/decrypt/x", {})
    assert caught.value.code == "key_service_forbidden"
    session.close()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
