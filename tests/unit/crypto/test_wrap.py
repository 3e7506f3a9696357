from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registry.crypto import wrap
from registry.crypto.wrap import HEADER_BYTES, SALT_BYTES, unwrap_key, wrap_key
from registry.domain.errors import EnvelopeRejected

KEK = bytes(range(32))
KEY = bytes(range(100, 132))


@pytest.mark.parametrize("size", [16, 32, 64, 4096])
def test_unwraps_what_was_wrapped(size: int) -> None:
    key = bytes(size)
    wrapped = wrap_key(KEK, key, b"context")
    assert unwrap_key(KEK, wrapped, b"context") == key
    assert len(wrapped) == size + 81


def test_every_changed_bit_is_refused() -> None:
    wrapped = wrap_key(KEK, KEY, b"context")
    for bit in range(len(wrapped) * 8):
        changed = bytearray(wrapped)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(EnvelopeRejected):
            unwrap_key(KEK, bytes(changed), b"context")


def test_every_shortened_or_lengthened_key_is_refused() -> None:
    wrapped = wrap_key(KEK, KEY, b"context")
    for wrong in (*(wrapped[:length] for length in range(len(wrapped))), wrapped + b"\0", b"\0" + wrapped):
        with pytest.raises(EnvelopeRejected):
            unwrap_key(KEK, wrong, b"context")


def test_another_key_or_context_is_refused() -> None:
    wrapped = wrap_key(KEK, KEY, b"context")
    for kek, context in ((bytes(32), b"context"), (KEK, b"contex"), (KEK, b""), (KEK, b"\0context")):
        with pytest.raises(EnvelopeRejected):
            unwrap_key(kek, wrapped, context)


def test_the_commitment_counts_even_where_gcm_would_open() -> None:
    """Right key, right ciphertext, another commitment: only the check refuses."""
    wrapped = bytearray(wrap_key(KEK, KEY, b"context"))
    _, once = wrap._derive(KEK, bytes(wrapped[1 : 1 + SALT_BYTES]), b"context")
    assert AESGCM(once).decrypt(bytes(12), bytes(wrapped[HEADER_BYTES:]), b"\x01") == KEY
    wrapped[1 + SALT_BYTES : HEADER_BYTES] = bytes(32)
    with pytest.raises(EnvelopeRejected):
        unwrap_key(KEK, bytes(wrapped), b"context")


@pytest.mark.parametrize("version", [0, 2, 0xFF])
def test_unknown_versions_are_refused(version: int) -> None:
    with pytest.raises(EnvelopeRejected):
        unwrap_key(KEK, bytes([version]) + wrap_key(KEK, KEY, b"context")[1:], b"context")


def test_all_refusals_read_the_same() -> None:
    wrapped = wrap_key(KEK, KEY, b"context")
    words = set()
    other, last = bytes([wrapped[40] ^ 1]), bytes([wrapped[-1] ^ 1])
    for wrong in (b"", wrapped[:-1], b"\x02" + wrapped[1:], wrapped[:-1] + last, wrapped[:40] + other + wrapped[41:]):
        with pytest.raises(EnvelopeRejected) as caught:
            unwrap_key(KEK, wrong, b"context")
        words.add((str(caught.value), caught.value.__cause__))
    assert words == {("a wrapped key does not open", None)}


def test_every_wrap_has_a_key_of_its_own() -> None:
    """The nonce is fixed, so two wraps must never share an AES key."""
    wraps = [wrap_key(KEK, KEY, b"context") for _ in range(1000)]
    assert len({each[1 : 1 + SALT_BYTES] for each in wraps}) == 1000
    assert len({each[HEADER_BYTES:] for each in wraps}) == 1000


def test_lengths_are_checked() -> None:
    for size in (0, 15, 4097):
        with pytest.raises(ValueError, match="16 to 4,096"):
            wrap_key(KEK, bytes(size), b"")
    for size in (0, 16, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            wrap_key(bytes(size), KEY, b"")
        with pytest.raises(ValueError, match="32 bytes"):
            unwrap_key(bytes(size), wrap_key(KEK, KEY, b""), b"")
