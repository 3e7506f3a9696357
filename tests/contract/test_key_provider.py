"""What every key provider must do; run on each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry.crypto.random import random_bytes
from registry.domain.clock import SystemClock
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.kms.service import KmsService
from registry.keys.local import LocalKeyring
from registry.keys.openbao.keyring import OpenBaoKeyring
from registry.keys.openbao.session import Session
from registry.keys.pkcs11.service import TokenService
from registry.keys.ports import KeyProvider, WrappedKey
from registry.keys.ring_folder import create_ring
from registry.keys.service.keyring import ServiceKeyring
from registry.keys.split.keyring import SplitForm, SplitKeyring
from registry.keys.split.shares import UnsealKey
from tests.fakes.keys import MemoryProvider

CONTEXT = b"somebody"
PROVIDERS = ("memory", "local-data", "local-bodies", "local-cases", "split", "openbao", "aws-kms", "pkcs11")


@pytest.fixture(scope="module", params=PROVIDERS)
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyProvider]:
    name = request.param
    if name == "memory":
        yield MemoryProvider()
    elif name == "openbao":
        session = Session(request.getfixturevalue("openbao").set_up())
        yield OpenBaoKeyring.create(tmp_path_factory.mktemp("home") / "keys", session).provider("data")
        session.close()
    elif name == "aws-kms":
        service = KmsService(request.getfixturevalue("kms").set_up("alias/contract", attempts=3, timeout_seconds=10))
        yield ServiceKeyring.create(tmp_path_factory.mktemp("home") / "keys", service).provider("data")
        service.close()
    elif name == "pkcs11":
        token = TokenService(request.getfixturevalue("softhsm").set_up())
        yield ServiceKeyring.create(tmp_path_factory.mktemp("home") / "keys", token).provider("data")
        token.close()
    elif name == "split":
        folder = tmp_path_factory.mktemp("home")
        form = SplitForm({key.key_id: key for key in (UnsealKey.make(),)})
        yield SplitKeyring(folder / "keys", form, create_ring(folder / "keys", form, SystemClock())).provider("data")
    else:
        yield LocalKeyring.create(tmp_path_factory.mktemp("home") / "keys").provider(name.removeprefix("local-"))


@pytest.mark.parametrize("size", [16, 32, 4096])
def test_gives_back_what_it_wrapped(provider: KeyProvider, size: int) -> None:
    key = random_bytes(size)
    assert provider.unwrap(CONTEXT, provider.wrap(CONTEXT, key)) == key


def test_names_the_key_it_wrapped_under(provider: KeyProvider) -> None:
    assert provider.wrap(CONTEXT, bytes(32)).key_id == provider.current_key_id()


def test_never_wraps_twice_alike_and_never_shows_the_key(provider: KeyProvider) -> None:
    key = random_bytes(32)
    wrapped = [provider.wrap(CONTEXT, key) for _ in range(50)]
    assert len({each.blob for each in wrapped}) == 50
    assert all(key not in each.blob for each in wrapped)
    assert key.hex() not in repr(wrapped[0])
    assert repr(wrapped[0].blob) not in repr(wrapped[0])


@pytest.mark.parametrize("other", [b"", b"somebod", b"somebody\0", b"nobody"])
def test_refuses_another_context(provider: KeyProvider, other: bytes) -> None:
    wrapped = provider.wrap(CONTEXT, bytes(32))
    with pytest.raises(EnvelopeRejected):
        provider.unwrap(other, wrapped)


def test_refuses_every_changed_byte(provider: KeyProvider) -> None:
    wrapped = provider.wrap(CONTEXT, random_bytes(32))
    for position in range(len(wrapped.blob)):
        changed = bytearray(wrapped.blob)
        changed[position] ^= 1
        # A key service cannot tell a changed number of its key's version from a version that it no longer has.
        with pytest.raises((EnvelopeRejected, KeyUnavailable)) as caught:
            provider.unwrap(CONTEXT, WrappedKey(wrapped.key_id, bytes(changed)))
        assert isinstance(caught.value, EnvelopeRejected) or 1 <= position <= 4
    assert isinstance(provider.unwrap(CONTEXT, wrapped), bytes)


@pytest.mark.parametrize("blob", [b"", b"\x01", bytes(64)])
def test_refuses_what_is_no_wrapped_key(provider: KeyProvider, blob: bytes) -> None:
    with pytest.raises(EnvelopeRejected):
        provider.unwrap(CONTEXT, WrappedKey(provider.current_key_id(), blob))


def test_says_when_it_does_not_hold_a_key(provider: KeyProvider) -> None:
    wrapped = provider.wrap(CONTEXT, bytes(32))
    with pytest.raises(KeyUnavailable):
        provider.unwrap(CONTEXT, WrappedKey("data-0000000000000000", wrapped.blob))


@pytest.mark.parametrize("size", [0, 15, 4097])
def test_refuses_keys_of_a_wrong_length(provider: KeyProvider, size: int) -> None:
    with pytest.raises(ValueError, match="16 to 4,096"):
        provider.wrap(CONTEXT, bytes(size))


def test_many_are_opened_each_for_itself(provider: KeyProvider) -> None:
    keys = [(f"p{number}".encode(), random_bytes(32)) for number in range(4)]
    wrapped = provider.wrap_many(keys)
    asked = [(context, each) for (context, _), each in zip(keys, wrapped, strict=True)]
    assert provider.unwrap_many(asked) == tuple(key for _, key in keys)
    asked[1] = (b"p0", wrapped[1])
    asked[2] = (b"p2", WrappedKey("data-0000000000000000", wrapped[2].blob))
    asked[3] = (b"p3", WrappedKey(wrapped[3].key_id, b"\x02"))
    first, moved, foreign, short = provider.unwrap_many(asked)
    assert first == keys[0][1]
    assert isinstance(moved, EnvelopeRejected)
    assert isinstance(foreign, KeyUnavailable)
    assert isinstance(short, EnvelopeRejected)


def test_more_than_one_request_holds(provider: KeyProvider) -> None:
    keys = [(f"p{number}".encode(), random_bytes(32)) for number in range(451)]
    wrapped = provider.wrap_many(keys)
    asked = [(context, each) for (context, _), each in zip(keys, wrapped, strict=True)]
    assert provider.unwrap_many(asked) == tuple(key for _, key in keys)
    assert provider.wrap_many([]) == provider.unwrap_many([]) == ()


@pytest.mark.parametrize("size", [0, 15, 4097])
def test_refuses_a_wrong_length_among_many(provider: KeyProvider, size: int) -> None:
    with pytest.raises(ValueError, match="16 to 4,096"):
        provider.wrap_many([(CONTEXT, bytes(32)), (CONTEXT, bytes(size))])


def test_is_healthy(provider: KeyProvider) -> None:
    before = provider.current_key_id()
    provider.health()
    assert provider.current_key_id() == before


def test_the_fake_fails_on_demand() -> None:
    fake = MemoryProvider()
    wrapped = fake.wrap(CONTEXT, bytes(32))
    fake.fail_next(2)
    with pytest.raises(KeyUnavailable):
        fake.unwrap(CONTEXT, wrapped)
    with pytest.raises(KeyUnavailable):
        fake.health()
    assert fake.unwrap(CONTEXT, wrapped) == bytes(32)
    fake.wrong_version = True
    with pytest.raises(EnvelopeRejected):
        fake.unwrap(CONTEXT, fake.wrap(CONTEXT, bytes(32)))
