"""The local keyring: a folder of key files beside the database, never inside it.

Each purpose has a key of its own, so that who gets one learns nothing of the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from registry.crypto.random import random_bytes
from registry.crypto.wrap import unwrap_key, wrap_key
from registry.domain.clock import Clock, SystemClock
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.key_files import KEY_BYTES, KeyMaterial, parse_key, render_key
from registry.keys.ports import (
    HEALTH_CONTEXT,
    PROVIDER_PURPOSES,
    Opened,
    ProviderPurpose,
    WrappedHead,
    WrappedKey,
)
from registry.keys.ring_folder import LOCAL_HEADER, create_ring, load_ring, one_of
from registry.keys.ring_keys import RingKeys


class LocalKeyProvider:
    """Wraps under the current key of one purpose of the local ring; unwraps under its earlier ones too."""

    __slots__ = ("_purpose", "_ring")

    def __init__(self, ring: LocalKeyring, purpose: ProviderPurpose) -> None:
        self._ring = ring
        self._purpose: ProviderPurpose = purpose

    def wrap(self, context: bytes, key: bytes) -> WrappedKey:
        """Wrap a key; see ``KeyProvider``."""
        material = self._ring.current_of(self._purpose)
        return WrappedKey(material.key_id, wrap_key(material.secret, key, context))

    def unwrap(self, context: bytes, wrapped: WrappedKey) -> bytes:
        """Give back a wrapped key; see ``KeyProvider``."""
        return unwrap_key(self._ring.key_of(self._purpose, wrapped.key_id).secret, wrapped.blob, context)

    def wrap_many(self, items: Sequence[tuple[bytes, bytes]]) -> tuple[WrappedKey, ...]:
        """Wrap several keys; see ``KeyProvider``."""
        return tuple(self.wrap(context, key) for context, key in items)

    def unwrap_many(self, items: Sequence[tuple[bytes, WrappedKey]]) -> tuple[Opened, ...]:
        """Give back several wrapped keys; see ``KeyProvider``."""
        return tuple(self._opened(context, wrapped) for context, wrapped in items)

    def current_key_id(self) -> str:
        """Name the key; see ``KeyProvider``."""
        return self._ring.current_of(self._purpose).key_id

    def generation(self) -> WrappedHead:
        """Return how everything begins that is wrapped now; see ``KeyProvider``."""
        return WrappedHead(self.current_key_id())

    def health(self) -> None:
        """Wrap and unwrap a throw-away key; see ``KeyProvider``."""
        probe = random_bytes(KEY_BYTES)
        try:
            intact = self.unwrap(HEALTH_CONTEXT, self.wrap(HEALTH_CONTEXT, probe)) == probe
        except EnvelopeRejected:
            intact = False
        if not intact:
            raise KeyUnavailable(f"{self.current_key_id()} does not unwrap what it wrapped")

    def _opened(self, context: bytes, wrapped: WrappedKey) -> Opened:
        try:
            return self.unwrap(context, wrapped)
        except (EnvelopeRejected, KeyUnavailable) as error:
            return error

    def __repr__(self) -> str:
        return f"LocalKeyProvider({self._purpose})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


class LocalForm:
    """Keys in the clear, in files of this user alone."""

    header = LOCAL_HEADER

    def render(self, material: KeyMaterial) -> bytes:
        """Return the text of a key's file; see ``RingForm``."""
        return render_key(material)

    def parse(self, content: bytes, purpose: str, name: str) -> KeyMaterial:
        """Read the text of a key's file; see ``RingForm``."""
        return parse_key(content, purpose, name)


class LocalKeyring(RingKeys):
    """The keys of a registry, read from a folder. Never shown, never pickled."""

    __slots__ = ()

    @classmethod
    def create(cls, folder: Path, *, clock: Clock | None = None) -> LocalKeyring:
        """Make a new ring, or complete one whose making was interrupted; see ``create_ring``."""
        return cls(folder, LocalForm(), create_ring(folder, LocalForm(), clock or SystemClock()))

    @classmethod
    def load(cls, folder: Path) -> LocalKeyring:
        """Read a finished ring; see ``load_ring``."""
        return cls(folder, LocalForm(), load_ring(folder, LocalForm()))

    def provider(self, purpose: ProviderPurpose) -> LocalKeyProvider:
        """Return the provider that wraps under the key of a purpose."""
        one_of(purpose, PROVIDER_PURPOSES)
        return LocalKeyProvider(self, purpose)

    def health(self) -> None:
        """Read the files again, and wrap and unwrap under each key; see ``Keyring``."""
        ring = LocalKeyring(self._folder, self._form, load_ring(self._folder, self._form))
        for purpose in PROVIDER_PURPOSES:
            ring.provider(purpose).health()

    def close(self) -> None:
        """Nothing is open; see ``Keyring``."""
