"""Later secrets of marks and receipt codes."""

from __future__ import annotations

from registry.domain.ids import PersonId, RegistryId
from registry.keys.later_secrets import LaterSecrets
from registry.keys.ports import KeyProvider


def marks_owner(generation: int) -> PersonId:
    """Return what a generation's secret is bound to in place of a person."""
    return PersonId(f"marks-{generation}")


class MarkKeys(LaterSecrets):
    """Makes and opens the later secrets of one registry's marks."""

    def __init__(self, provider: KeyProvider, registry: RegistryId) -> None:
        """Take the provider that wraps them, and the registry that they are bound to."""
        super().__init__(provider, registry, marks_owner)
