"""Made-up cosigners for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.crypto.sign import verify_signature
from registry.crypto.sign_lattice import LatticeKey, verify_lattice_signature
from registry.domain.errors import ProofRejected
from registry.transparency.checkpoint import Checkpoint
from registry.transparency.cosignature import (
    ED25519_COSIGNATURE,
    ML_DSA_44,
    Cosigner,
    CosignerKey,
    cosign,
    cosigner_key,
    format_cosigner,
)
from registry.transparency.note import SignatureCheck, VerifierKey


@dataclass(frozen=True)
class MadeUp:
    """A cosigner with its private key."""

    key: CosignerKey
    private_sign: Callable[[bytes], bytes]

    @property
    def vkey(self) -> str:
        return format_cosigner(self.key)

    @property
    def cosigner(self) -> Cosigner:
        return Cosigner(self.key, check_of(self.key))

    def line(self, checkpoint: Checkpoint, unix_s: int = 1_700_000_000) -> str:
        return cosign(self.key, checkpoint, unix_s, self.private_sign)


def check_of(key: VerifierKey | CosignerKey) -> SignatureCheck:
    verify = verify_signature
    if isinstance(key, CosignerKey) and key.kind == ML_DSA_44:
        verify = verify_lattice_signature

    def check(signature: bytes, message: bytes, /) -> bool:
        try:
            verify(key.public_key, message, signature)
        except ProofRejected:
            return False
        return True

    return check


def ed25519(name: str, seed: int) -> MadeUp:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return MadeUp(cosigner_key(name, ED25519_COSIGNATURE, private.public_key().public_bytes_raw()), private.sign)


def lattice(name: str, seed: int) -> MadeUp:
    private = LatticeKey(bytes([seed]) * 32)
    return MadeUp(cosigner_key(name, ML_DSA_44, private.public_bytes), private.sign)
