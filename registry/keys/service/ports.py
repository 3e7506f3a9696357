"""What a key service has to do for a keyring: name a key, and wrap 32 bytes under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from registry.keys.ports import Opened


@dataclass(frozen=True, slots=True)
class Binding:
    """What wrapped bytes are bound to; the service opens them for the same binding only.

    Attributes:
        key_id: which key of the ring they belong to; its purpose is in it.
        context: what the wrapped key is for.
    """

    key_id: str
    context: bytes


class KeyService(Protocol):
    """Keys that never leave the service. Safe to share between threads."""

    @property
    def header(self) -> str:
        """First line of the manifest of a ring that rests on this service; see ``RingForm``."""
        ...

    def name_for(self, key_id: str) -> str:
        """Return the service's own name of the key that a new key of the ring is to rest on, made if need be.

        Raises:
            KeyUnavailable: it cannot be had now.
        """
        ...

    def present(self, key_id: str) -> str:
        """Return what ``name_for`` would, and make nothing.

        Raises:
            KeyUnavailable: it cannot be had now.
        """
        ...

    @property
    def asked_as(self) -> str:
        """What the settings call the key, or where keys are."""
        ...

    def retire(self, name: str) -> tuple[str, ...]:
        """Return the commands after which the named key opens nothing; empty where ``destroy`` does that."""
        ...

    def wrap(self, name: str, items: Sequence[tuple[Binding, bytes]]) -> tuple[bytes, ...]:
        """Wrap 32 bytes each under the named key.

        Raises:
            KeyUnavailable: the service cannot be used now; nothing is wrapped.
        """
        ...

    def unwrap(self, name: str, items: Sequence[tuple[Binding, bytes]]) -> tuple[Opened, ...]:
        """Give back what the named key wrapped; see ``KeyProvider.unwrap_many``.

        Raises:
            KeyUnavailable: the service cannot be used now; nothing is given back.
        """
        ...

    def destroy(self, name: str) -> None:
        """Destroy the named key where this registry may do that; elsewhere its administrator does, later.

        Raises:
            KeyUnavailable: it should have been, and was not.
        """
        ...

    def look(self) -> str:
        """Look whether the service can be asked at all, and say what was found.

        Raises:
            KeyUnavailable: it cannot be had now, or has what a registry must not rest on.
        """
        ...

    def close(self) -> None:
        """Close what is open to the service."""
        ...
