"""Envelope v1: how every protected value is sealed.

Layout of a sealed value, in bytes::

    version    1   0x01
    nonce     12   random
    commitment 32  HMAC-SHA256(commitment key, version || nonce || binding)
    ciphertext n   AES-256-GCM of the padded frame; n is 64, 128 ... 512, 1024, 1536 ...
    tag       16   GCM tag; associated data = version || binding

The frame is the plaintext's length (4 bytes, big-endian), the plaintext, and zeros up to the next step.
The AES key and the commitment key are the two halves of HKDF-SHA256(data key, "registry/envelope/v1").

AES-GCM does not commit to its key: one ciphertext can be made to open under two keys to two texts. The
commitment, which covers key, nonce and associated data, is therefore checked before anything is decrypted.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

from cryptography.exceptions import InvalidTag

from registry.crypto.data_key import DataKey
from registry.crypto.random import random_bytes
from registry.crypto.tags import equal
from registry.domain.errors import EnvelopeRejected

__all__ = ["Binding", "DataKey", "ciphertext_digest", "padded_length", "seal", "unseal"]

NONCE_BYTES = 12
COMMITMENT_BYTES = 32
HEADER_BYTES = 1 + NONCE_BYTES + COMMITMENT_BYTES
MAX_PLAINTEXT_BYTES = 64 * 1024 * 1024

_VERSION = b"\x01"
_BINDING_VERSION = b"\x01"
_LENGTH_BYTES = 4
_SMALL_STEP = 64
_LARGE_STEP = 512
_MAX_NUMBER = 0xFFFF_FFFF_FFFF_FFFF
_FIELD = struct.Struct(">I")
_NUMBER = struct.Struct(">Q")
# The lengths of ids and names as the letters that their four bytes are: a binding of ASCII is written as one text.
_LENGTHS = tuple(f"\0\0\0{chr(length)}" for length in range(128))


class Binding(NamedTuple):
    """The one place a sealed value belongs to. Moved anywhere else, it does not open.

    Attributes:
        registry, person, record: identifiers.
        category: the record's category, or the name of what is sealed (``directory``).
        version: the record's version, 0 to 2^64 - 1.
    """

    registry: str
    person: str
    record: str
    category: str
    version: int

    def to_bytes(self) -> bytes:
        """Return the binding as bytes; two different bindings never give the same ones.

        Version byte 0x01, each text as UTF-8 behind its length (4 bytes, big-endian), then the version number
        (8 bytes, big-endian).

        Raises:
            ValueError: a text that is not Unicode or a version number out of range.
        """
        registry, person, record, category, version = self
        if not 0 <= version <= _MAX_NUMBER:
            raise ValueError("a version number is 0 to 2^64 - 1")
        try:
            text = (
                f"{_LENGTHS[len(registry)]}{registry}{_LENGTHS[len(person)]}{person}"
                f"{_LENGTHS[len(record)]}{record}{_LENGTHS[len(category)]}{category}"
            )
            texts = text.encode("ascii")
        except (IndexError, UnicodeEncodeError):  # longer than ids are, or not of ASCII
            encoded = [part.encode() for part in (registry, person, record, category)]
            texts = b"".join([_FIELD.pack(len(part)) + part for part in encoded])
        return _BINDING_VERSION + texts + _NUMBER.pack(version)


def seal(key: DataKey, plaintext: bytes, binding: Binding) -> bytes:
    """Seal a value to the place it belongs to.

    Args:
        key: the person's data key. At most 2^32 seals a key keep random nonces apart.
        plaintext: 0 to 64 MiB.
        binding: where it belongs.

    Returns:
        125 bytes for up to 60 bytes of plaintext; the length shows only the step that the plaintext falls in.

    Raises:
        ValueError: the plaintext is too long or the binding not encodable.
    """
    return _seal(key, plaintext, binding, random_bytes(NONCE_BYTES))


def _seal(key: DataKey, plaintext: bytes, binding: Binding, nonce: bytes) -> bytes:
    """Seal with a given nonce: the seam that known-answer tests use; a repeated nonce breaks AES-GCM."""
    place = binding.to_bytes()
    commitment = key._commitment.digest(_VERSION + nonce + place)  # noqa: SLF001 - a key has no other users
    body = key._cipher.encrypt(nonce, _frame(plaintext), _VERSION + place)  # noqa: SLF001 - as above
    return b"".join((_VERSION, nonce, commitment, body))


def unseal(key: DataKey, sealed: bytes, binding: Binding) -> bytes:
    """Open a sealed value.

    Raises:
        EnvelopeRejected: for whatever is wrong (version, key, place, any changed byte, length), in the same words.
        ValueError: the binding is not encodable.
    """
    place = binding.to_bytes()
    if sealed[:1] != _VERSION:
        raise _rejected()
    nonce = sealed[1 : 1 + NONCE_BYTES]
    expected = key._commitment.digest(_VERSION + nonce + place)  # noqa: SLF001 - a key has no other users
    if not equal(expected, sealed[1 + NONCE_BYTES : HEADER_BYTES]):
        raise _rejected()
    try:
        frame = key._cipher.decrypt(nonce, sealed[HEADER_BYTES:], _VERSION + place)  # noqa: SLF001 - as above
    except InvalidTag:
        frame = b""
    return _unframe(frame)


def ciphertext_digest(sealed: bytes) -> bytes:
    """Return the SHA-256 (32 bytes) of a whole sealed value, for entries that must name what was opened."""
    return hashlib.sha256(sealed).digest()


def padded_length(plaintext_length: int) -> int:
    """Return the frame's length for a plaintext's: multiples of 64 up to 512, then of 512."""
    framed = plaintext_length + _LENGTH_BYTES
    step = _SMALL_STEP if framed <= _LARGE_STEP else _LARGE_STEP
    return -(-framed // step) * step


def _frame(plaintext: bytes) -> bytes:
    if len(plaintext) > MAX_PLAINTEXT_BYTES:
        raise ValueError("a sealed value holds at most 64 MiB")
    return (_FIELD.pack(len(plaintext)) + plaintext).ljust(padded_length(len(plaintext)), b"\0")


def _unframe(frame: bytes) -> bytes:
    """Take the plaintext out of a frame; only the one frame that ``_frame`` would have made is accepted."""
    if len(frame) < _SMALL_STEP:
        raise _rejected()
    end = _LENGTH_BYTES + _FIELD.unpack_from(frame)[0]
    if len(frame) != padded_length(end - _LENGTH_BYTES) or frame.count(0, end) != len(frame) - end:
        raise _rejected()
    return frame[_LENGTH_BYTES:end]


def _rejected() -> EnvelopeRejected:
    return EnvelopeRejected("a sealed value does not open")
