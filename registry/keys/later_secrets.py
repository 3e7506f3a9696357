"""Secrets of later generations: made here, stored wrapped in the database, bound to registry, use and generation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from registry.crypto.data_key import KEY_BYTES
from registry.crypto.random import random_bytes
from registry.domain.errors import EnvelopeRejected
from registry.domain.ids import PersonId, RegistryId
from registry.keys.data_keys import context_of
from registry.keys.ports import KeyProvider, WrappedKey


class LaterSecrets:
    """Makes and opens the secrets of one use of one registry."""

    def __init__(self, provider: KeyProvider, registry: RegistryId, owner: Callable[[int], PersonId]) -> None:
        """Take the parts.

        Args:
            provider: what wraps them.
            registry: what they are bound to.
            owner: of a generation's number, whose its secret is: nobody's, but a stored key is bound to somebody.
        """
        self._provider = provider
        self._registry = registry
        self._owner = owner

    def new(self, generation: int) -> WrappedKey:
        """Make the secret of a generation, wrapped.

        Raises:
            KeyUnavailable: the provider cannot be used now.
        """
        return self._provider.wrap(context_of(self._registry, self._owner(generation)), random_bytes(KEY_BYTES))

    def open(self, number: int, key: WrappedKey) -> bytes:
        """Return the 32 bytes of a generation's secret.

        Raises:
            EnvelopeRejected: changed, another generation's, or of another use.
            KeyUnavailable: the provider cannot be used now, or no longer holds that key id.
        """
        secret = self._provider.unwrap(context_of(self._registry, self._owner(number)), key)
        if len(secret) != KEY_BYTES:
            raise EnvelopeRejected("a secret of a later generation does not open")
        return secret

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._registry})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")
