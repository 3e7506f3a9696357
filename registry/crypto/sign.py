"""Ed25519 signatures (RFC 8032)."""

from __future__ import annotations

from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.crypto.random import random_bytes
from registry.domain.errors import ProofRejected

SEED_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


def new_seed() -> bytes:
    """Return a fresh private seed, 32 bytes."""
    return random_bytes(SEED_BYTES)


class SigningKey:
    """A private signing key. Never shown, never pickled."""

    __slots__ = ("_key", "_public")

    def __init__(self, seed: bytes) -> None:
        """Take a 32-byte seed.

        Raises:
            ValueError: not 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise ValueError("a signing seed is 32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._key.public_key().public_bytes_raw()

    @property
    def public_bytes(self) -> bytes:
        """The public key, 32 bytes."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes; the same message gives the same signature."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return "SigningKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def verify_signature(public: bytes, message: bytes, signature: bytes) -> None:
    """Accept a signature or raise.

    Raises:
        ProofRejected: the signature does not fit, or key or signature are no such thing.
    """
    if len(public) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        raise ProofRejected("a signature or public key of a wrong length")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise ProofRejected("a signature does not verify") from None
