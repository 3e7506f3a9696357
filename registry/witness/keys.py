"""A witness's own key, one line as note tools write it: ``PRIVATE+KEY+<name>+<key id>+<base64(04 || seed)>``."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from registry.crypto.sign import SEED_BYTES, SigningKey, new_seed, verify_signature
from registry.crypto.sign_lattice import verify_lattice_signature
from registry.domain.errors import ProofRejected
from registry.transparency.cosignature import ED25519_COSIGNATURE, ML_DSA_44, CosignerKey, cosigner_key
from registry.transparency.note import SignatureCheck, split_vkey
from registry.transparency.trust_policy import LogKey

_PREFIX = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The key that a witness cosigns with: its public half, and the means to sign."""

    key: CosignerKey
    sign: Callable[[bytes], bytes]


def new_key(name: str) -> str:
    """Return the text of a fresh key.

    Raises:
        ProofRejected: the name cannot be a key's.
    """
    return _rendered(name, new_seed())


def read_key(text: str) -> WitnessKey:
    """Read a key.

    Raises:
        ProofRejected: any other text, or a key id that is not the key's.
    """
    if not text.startswith(_PREFIX):
        raise ProofRejected("not a witness's key")
    # The public part has the same form: name, id, type and bytes.
    name, _, kind, seed = split_vkey(text.removeprefix(_PREFIX))
    if kind != ED25519_COSIGNATURE or len(seed) != SEED_BYTES or _rendered(name, seed) != text:
        raise ProofRejected("not a witness's key")
    signing = SigningKey(seed)
    return WitnessKey(cosigner_key(name, ED25519_COSIGNATURE, signing.public_bytes), signing.sign)


def check_of(key: LogKey) -> SignatureCheck:
    """Return what checks the signatures of a key of any type."""
    is_lattice = isinstance(key, CosignerKey) and key.kind == ML_DSA_44
    verify = verify_lattice_signature if is_lattice else verify_signature

    def check(signature: bytes, message: bytes, /) -> bool:
        try:
            verify(key.public_key, message, signature)
        except ProofRejected:
            return False
        return True

    return check


def _rendered(name: str, seed: bytes) -> str:
    public = SigningKey(seed).public_bytes
    key = cosigner_key(name, ED25519_COSIGNATURE, public)
    encoded = base64.b64encode(bytes((ED25519_COSIGNATURE,)) + seed).decode()
    return f"{_PREFIX}{name}+{key.key_id.hex()}+{encoded}"
