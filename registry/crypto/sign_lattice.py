"""ML-DSA-44 signatures (FIPS 204): beside Ed25519, for evidence that must outlive it."""

from __future__ import annotations

from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from registry.domain.errors import ProofRejected

SEED_BYTES = 32
PUBLIC_KEY_BYTES = 1_312
SIGNATURE_BYTES = 2_420


class LatticeKey:
    """A private ML-DSA-44 key. Never shown, never pickled."""

    __slots__ = ("_key", "_public")

    def __init__(self, seed: bytes) -> None:
        """Take a 32-byte seed.

        Raises:
            ValueError: not 32 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise ValueError("a signing seed is 32 bytes")
        self._key = MLDSA44PrivateKey.from_seed_bytes(seed)
        self._public = self._key.public_key().public_bytes_raw()

    @property
    def public_bytes(self) -> bytes:
        """The public key, 1,312 bytes."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return a signature, 2,420 bytes, with an empty context; another one each time."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return "LatticeKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def verify_lattice_signature(public: bytes, message: bytes, signature: bytes) -> None:
    """Accept a signature or raise.

    Raises:
        ProofRejected: the signature does not fit, or key or signature are no such thing.
    """
    if len(public) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        raise ProofRejected("a signature or public key of a wrong length")
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise ProofRejected("a signature does not verify") from None
