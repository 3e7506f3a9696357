"""A person's data key: what the keys room hands to those who may seal and open."""

from __future__ import annotations

from typing import NoReturn

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registry.crypto.derive import derive
from registry.crypto.tags import HmacKey

KEY_BYTES = 32

_LABEL = "registry/envelope/v1"


class DataKey:
    """A person's data key, ready to seal and open. Never shown, never pickled."""

    __slots__ = ("_cipher", "_commitment")

    def __init__(self, raw: bytes) -> None:
        """Take 32 random bytes.

        Raises:
            ValueError: not 32 bytes.
        """
        if len(raw) != KEY_BYTES:
            raise ValueError("a data key is 32 bytes")
        both = derive(raw, _LABEL, length=2 * KEY_BYTES)
        self._cipher = AESGCM(both[:KEY_BYTES])
        self._commitment = HmacKey(both[KEY_BYTES:])

    def __repr__(self) -> str:
        return "DataKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")
