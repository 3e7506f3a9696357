"""The port behind which key-encryption keys live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key as it is stored beside what it protects.

    Attributes:
        key_id: which key-encryption key wrapped it.
        blob: the wrapped bytes, in the provider's own versioned form.
    """

    key_id: str
    blob: bytes = field(repr=False)


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

    def current_key_id(self) -> str:
        """Name the key-encryption key that ``wrap`` uses."""
        ...

    def health(self) -> None:
        """Return if a key can be wrapped and unwrapped now.

        Raises:
            KeyUnavailable: it cannot; the cause is in words for an operator.
        """
        ...
