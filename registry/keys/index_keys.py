"""Secrets of the blind index's later generations: made here, stored wrapped, bound to registry and generation."""

from __future__ import annotations

from typing import NoReturn

from registry.crypto.data_key import KEY_BYTES
from registry.crypto.random import random_bytes
from registry.domain.errors import EnvelopeRejected
from registry.domain.ids import PersonId, RegistryId
from registry.keys.data_keys import context_of
from registry.keys.ports import KeyProvider, WrappedKey


def index_owner(generation: int) -> PersonId:
    """Return whose a generation's secret is: nobody's, but a stored key is bound to somebody."""
    return PersonId(f"index-postings-{generation}")


class IndexKeys:
    """Makes and opens the secrets of one registry's blind index."""

    def __init__(self, provider: KeyProvider, registry: RegistryId) -> None:
        """Take the provider that wraps them, and the registry that they are bound to."""
        self._provider = provider
        self._registry = registry

    def new(self, generation: int) -> WrappedKey:
        """Make the secret of a generation, wrapped.

        Raises:
            KeyUnavailable: the provider cannot be used now.
        """
        return self._provider.wrap(context_of(self._registry, index_owner(generation)), random_bytes(KEY_BYTES))

    def open(self, number: int, key: WrappedKey) -> bytes:
        """Return the 32 bytes of a generation's secret.

        Raises:
            EnvelopeRejected: changed, or another generation's.
            KeyUnavailable: the provider cannot be used now, or no longer holds that key id.
        """
        secret = self._provider.unwrap(context_of(self._registry, index_owner(number)), key)
        if len(secret) != KEY_BYTES:
            raise EnvelopeRejected("a secret of the blind index does not open")
        return secret

    def __repr__(self) -> str:
        return f"IndexKeys({self._registry})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")
