"""Sealing a 16-byte keyed tag under another key: as long as before, and the same tag gives the same bytes.

One block of AES-256: ``sealed = AES-256(HKDF-SHA256(secret, "registry/kept-tags/v1"), tag)``. A tag is one block and
looks random, so a permutation of blocks is all it takes; who lacks the key cannot tell a guess of what was tagged from
any other.
"""

from __future__ import annotations

from typing import NoReturn

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from registry.crypto.derive import derive

TAG_BYTES = 16
_LABEL = "registry/kept-tags/v1"


class TagSeal:
    """Seals and opens tags. Never shown, never pickled."""

    __slots__ = ("_cipher",)

    def __init__(self, secret: bytes) -> None:
        """Take the 32 bytes that the key is derived from."""
        self._cipher = Cipher(AES256(derive(secret, _LABEL)), ECB())  # noqa: S305 - of exactly one block

    def seal(self, tag: bytes) -> bytes:
        """Return a tag sealed.

        Raises:
            ValueError: it is not 16 bytes.
        """
        _demand_block(tag)
        return self._cipher.encryptor().update(tag)

    def open(self, sealed: bytes) -> bytes:
        """Return what ``seal`` was given. Nothing tells bytes that were changed: they open to another tag.

        Raises:
            ValueError: it is not 16 bytes.
        """
        _demand_block(sealed)
        return self._cipher.decryptor().update(sealed)

    def __repr__(self) -> str:
        return "TagSeal(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def _demand_block(tag: bytes) -> None:
    if len(tag) != TAG_BYTES:
        raise ValueError("a tag to be sealed is 16 bytes")
