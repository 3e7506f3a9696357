"""What every key provider must do; run on each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.crypto.random import random_bytes
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.local import LocalKeyring
from registry.keys.ports import KeyProvider, WrappedKey
from tests.fakes.keys import MemoryProvider

CONTEXT = b"somebody"


@pytest.fixture(params=["memory", "local-data", "local-bodies", "local-cases"])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> KeyProvider:
    name = request.param
    if name == "memory":
        return MemoryProvider()
    return LocalKeyring.create(tmp_path / "keys").provider(name.removeprefix("local-"))


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
        with pytest.raises(EnvelopeRejected):
            provider.unwrap(CONTEXT, WrappedKey(wrapped.key_id, bytes(changed)))


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
