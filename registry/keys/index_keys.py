"""Secrets of the blind index's later generations."""

from __future__ import annotations

from registry.domain.ids import PersonId, RegistryId
from registry.keys.later_secrets import LaterSecrets
from registry.keys.ports import KeyProvider


def index_owner(generation: int) -> PersonId:
    """Return what a generation's secret is bound to in place of a person."""
    return PersonId(f"index-postings-{generation}")


class IndexKeys(LaterSecrets):
    """Makes and opens the secrets of one registry's blind index."""

    def __init__(self, provider: KeyProvider, registry: RegistryId) -> None:
        """Take the provider that wraps them, and the registry that they are bound to."""
        super().__init__(provider, registry, index_owner)
