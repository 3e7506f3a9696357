"""Keys from passphrases: Argon2id (RFC 9106), so that each guess costs memory and time."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

SALT_BYTES = 16
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs: memory in KiB, passes over it, lanes."""

    memory: int = 1 << 18
    passes: int = 3
    lanes: int = 4


def stretch(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    """Return the 32 bytes that a passphrase gives with this salt, at this cost.

    Raises:
        ValueError: a salt or a cost outside of what RFC 9106 allows.
    """
    kdf = Argon2id(salt=salt, length=KEY_BYTES, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory)
    return kdf.derive(passphrase.encode())
