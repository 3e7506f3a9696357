"""The port behind which key-encryption keys live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from registry.crypto.sign import SigningKey
from registry.crypto.sign_lattice import LatticeKey
from registry.domain.errors import EnvelopeRejected, KeyUnavailable

ProviderPurpose = Literal["data", "bodies", "cases"]
SecretPurpose = Literal["index", "marks", "idempotency"]

PROVIDER_PURPOSES: tuple[ProviderPurpose, ...] = get_args(ProviderPurpose)
SECRET_PURPOSES: tuple[SecretPurpose, ...] = get_args(SecretPurpose)
LEDGER_PURPOSE = "ledger"
PURPOSES = (*PROVIDER_PURPOSES, *SECRET_PURPOSES, LEDGER_PURPOSE)

MIN_KEY_BYTES = 16
MAX_KEY_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key as it is stored beside what it protects.

    Attributes:
        key_id: which key-encryption key wrapped it.
        blob: the wrapped bytes, in the provider's own versioned form.
    """

    key_id: str
    blob: bytes = field(repr=False)


# One of several wrapped keys: the key, or why this one does not open. The others are not touched by it.
Opened = bytes | EnvelopeRejected | KeyUnavailable


class KeyProvider(Protocol):
    """Wraps and unwraps keys; the key-encryption key itself never leaves it."""

    def wrap(self, context: bytes, key: bytes) -> WrappedKey:
        """Wrap a key under the current key-encryption key.

        Args:
            context: what the key is for; the same bytes are needed to unwrap it.
            key: 16 to 4,096 bytes.

        Raises:
            KeyUnavailable: the provider cannot be used now.
        """
        ...

    def unwrap(self, context: bytes, wrapped: WrappedKey) -> bytes:
        """Give back a wrapped key.

        Raises:
            EnvelopeRejected: changed bytes, another context or an unknown version.
            KeyUnavailable: the provider cannot be used now, or no longer holds that key id.
        """
        ...

    def wrap_many(self, items: Sequence[tuple[bytes, bytes]]) -> tuple[WrappedKey, ...]:
        """Wrap several keys, each given as context and key, in as few calls as the provider needs.

        Raises:
            KeyUnavailable: the provider cannot be used now; none is wrapped.
        """
        ...

    def unwrap_many(self, items: Sequence[tuple[bytes, WrappedKey]]) -> tuple[Opened, ...]:
        """Give back several wrapped keys, each given with its context, in as few calls as the provider needs.

        Returns:
            For each, in order, the key, or what ``unwrap`` would have raised for it.

        Raises:
            KeyUnavailable: the provider cannot be used now; none is given back.
        """
        ...

    def current_key_id(self) -> str:
        """Name the key-encryption key that ``wrap`` uses."""
        ...

    def health(self) -> None:
        """Return if a key can be wrapped and unwrapped now.

        Raises:
            KeyUnavailable: it cannot; the cause is in words for an operator.
        """
        ...


class Keyring(Protocol):
    """All keys of one registry, wherever they are. Never shown, never pickled."""

    def provider(self, purpose: ProviderPurpose) -> KeyProvider:
        """Return the provider that wraps under the key of a purpose."""
        ...

    def secret(self, purpose: SecretPurpose) -> bytes:
        """Return the key of a purpose whose work is done in this process."""
        ...

    def signing_key(self) -> SigningKey:
        """Return the key that signs the ledger's checkpoints."""
        ...

    def lattice_key(self) -> LatticeKey:
        """Return the key of the second signature on published checkpoints, derived from that of the first."""
        ...

    def key_ids(self) -> dict[str, str]:
        """Return the key id of every purpose; fit to be shown."""
        ...

    def health(self) -> None:
        """Return if every key of the ring can be used now.

        Raises:
            KeyUnavailable: one cannot; the cause is in words for an operator.
        """
        ...

    def close(self) -> None:
        """Close what is open to a key service."""
        ...
