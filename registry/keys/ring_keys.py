"""What every keyring does alike with the keys that it read from its folder; see ``ports.Keyring``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from registry.crypto.derive import derive
from registry.crypto.sign import SigningKey
from registry.crypto.sign_lattice import LatticeKey
from registry.keys.key_files import KeyMaterial
from registry.keys.ports import LEDGER_PURPOSE, SECRET_PURPOSES, SecretPurpose
from registry.keys.ring_folder import one_of


class RingKeys:
    """The keys of a ring. Never shown, never pickled."""

    __slots__ = ("_folder", "_keys")

    def __init__(self, folder: Path, keys: Mapping[str, KeyMaterial]) -> None:
        self._folder = folder
        self._keys = keys

    def secret(self, purpose: SecretPurpose) -> bytes:
        """Return the 32 bytes of a purpose whose work is done in this process."""
        return self._keys[one_of(purpose, SECRET_PURPOSES)].secret

    def signing_key(self) -> SigningKey:
        """Return the key that signs the ledger's checkpoints."""
        return SigningKey(self._keys[LEDGER_PURPOSE].secret)

    def lattice_key(self) -> LatticeKey:
        """Return the key of the second signature on published checkpoints.

        Derived from the seed of the first: one file to keep. Who breaks Ed25519 learns its scalar, a hash of the seed,
        and from that neither the seed nor this key.
        """
        return LatticeKey(derive(self._keys[LEDGER_PURPOSE].secret, "registry/ledger-ml-dsa-44/v1"))

    def key_ids(self) -> dict[str, str]:
        """Return the key id of every purpose; fit to be shown."""
        return {purpose: material.key_id for purpose, material in self._keys.items()}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.key_ids().values())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")
