"""Key wrap v1: how a data key is kept under a key-encryption key.

Layout, in bytes::

    version     1   0x01
    salt       32   random
    commitment 32   first half of HKDF-SHA256(kek, salt, "registry/wrap/v1" || 0x00 || context)
    ciphertext  n   AES-256-GCM of the key under the second half, nonce of zeros, version as associated data
    tag        16

Every wrap has an AES key of its own, used once, so the zero nonce is safe and no count of wraps under one
key-encryption key comes near a limit. The commitment covers key, salt and context.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from registry.crypto.random import random_bytes
from registry.crypto.tags import equal
from registry.domain.errors import EnvelopeRejected

KEK_BYTES = 32
SALT_BYTES = 32
COMMITMENT_BYTES = 32
HEADER_BYTES = 1 + SALT_BYTES + COMMITMENT_BYTES
MIN_WRAPPED_KEY_BYTES = 16
MAX_WRAPPED_KEY_BYTES = 4096

_VERSION = b"\x01"
_LABEL = b"registry/wrap/v1\0"
_NONCE = bytes(12)


def wrap_key(kek: bytes, key: bytes, context: bytes) -> bytes:
    """Wrap a key.

    Args:
        kek: key-encryption key, 32 bytes.
        key: the key to keep, 16 to 4,096 bytes; its length shows.
        context: what the key is for; the same bytes are needed to unwrap it.

    Returns:
        The wrapped key, 81 bytes longer than the key.

    Raises:
        ValueError: a key of a wrong length.
    """
    return _wrap(kek, key, context, random_bytes(SALT_BYTES))


def _wrap(kek: bytes, key: bytes, context: bytes, salt: bytes) -> bytes:
    """Wrap with a given salt: the seam that known-answer tests use; a repeated salt repeats key and nonce."""
    if not MIN_WRAPPED_KEY_BYTES <= len(key) <= MAX_WRAPPED_KEY_BYTES:
        raise ValueError("a key to wrap is 16 to 4,096 bytes")
    commitment, once = _derive(kek, salt, context)
    return b"".join((_VERSION, salt, commitment, AESGCM(once).encrypt(_NONCE, key, _VERSION)))


def unwrap_key(kek: bytes, wrapped: bytes, context: bytes) -> bytes:
    """Give back a wrapped key.

    Raises:
        EnvelopeRejected: for whatever is wrong (version, key, context, any changed byte), in the same words.
        ValueError: the key-encryption key is not 32 bytes.
    """
    if wrapped[:1] != _VERSION:
        raise _rejected()
    commitment, once = _derive(kek, wrapped[1 : 1 + SALT_BYTES], context)
    if not equal(commitment, wrapped[1 + SALT_BYTES : HEADER_BYTES]):
        raise _rejected()
    try:
        return AESGCM(once).decrypt(_NONCE, wrapped[HEADER_BYTES:], _VERSION)
    except InvalidTag:
        raise _rejected() from None


def _derive(kek: bytes, salt: bytes, context: bytes) -> tuple[bytes, bytes]:
    """Return commitment and one-time AES key."""
    if len(kek) != KEK_BYTES:
        raise ValueError("a key-encryption key is 32 bytes")
    both = HKDF(algorithm=SHA256(), length=64, salt=salt, info=_LABEL + context).derive(kek)
    return both[:COMMITMENT_BYTES], both[COMMITMENT_BYTES:]


def _rejected() -> EnvelopeRejected:
    return EnvelopeRejected("a wrapped key does not open")
