"""Key derivation: one secret, many purposes."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MIN_KEY_BYTES = 16


def derive(key: bytes, label: str, *, length: int = 32) -> bytes:
    """Derive a key for one purpose with HKDF-SHA256.

    Args:
        key: a uniformly random secret of at least 16 bytes. Not a password.
        label: names the purpose, such as ``registry/marks/v1``; two labels give unrelated keys.
        length: bytes wanted, 1 to 8,160.

    Raises:
        ValueError: the key is too short, the label empty or the length out of range.

    Source: RFC 5869 (extract with an empty salt, expand with the label as ``info``).
    """
    if len(key) < MIN_KEY_BYTES:
        raise ValueError("the key is too short to derive from")
    if not label:
        raise ValueError("a derivation needs a label")
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=label.encode()).derive(key)
