"""Which subject a principal is and whom a notice is for: sealed, so that a stolen database joins no two of them."""

from __future__ import annotations

from registry.crypto.derive import derive
from registry.crypto.envelope import Binding, DataKey, seal, unseal
from registry.domain.ids import EventId, PrincipalId

_OWN = "employee"
_SUPERVISOR = "supervisor"


class EmployeeLinks:
    """Seals the keyed tag of a principal's own employee number to that principal."""

    def __init__(self, registry: str, index_secret: bytes) -> None:
        """Derive the key from the registry's index secret."""
        self._registry = registry
        self._key = DataKey(derive(index_secret, "registry/employee-links/v1"))

    def seal(self, principal: PrincipalId, number_tag: bytes) -> bytes:
        """Seal a tag; the same tag looks different every time."""
        return seal(self._key, number_tag, self._binding(principal, _OWN))

    def open(self, principal: PrincipalId, sealed: bytes) -> bytes:
        """Open a tag.

        Raises:
            EnvelopeRejected: it was changed, or belongs to another principal.
        """
        return unseal(self._key, sealed, self._binding(principal, _OWN))

    def seal_supervisor(self, principal: PrincipalId, number_tag: bytes) -> bytes:
        """Seal the tag of the number of a principal's supervisor."""
        return seal(self._key, number_tag, self._binding(principal, _SUPERVISOR))

    def open_supervisor(self, principal: PrincipalId, sealed: bytes) -> bytes:
        """Open the tag of the number of a principal's supervisor.

        Raises:
            EnvelopeRejected: it was changed, or belongs to another principal.
        """
        return unseal(self._key, sealed, self._binding(principal, _SUPERVISOR))

    def _binding(self, principal: PrincipalId, whose: str) -> Binding:
        return Binding(self._registry, principal, whose, "link", 1)


class NoticeSeal:
    """Seals what a waiting notice says and to whom, to that notice and its entry."""

    def __init__(self, registry: str, index_secret: bytes) -> None:
        """Derive the key from the registry's index secret."""
        self._registry = registry
        self._key = DataKey(derive(index_secret, "registry/notices/v1"))

    def seal(self, notice: str, event: EventId, said: bytes) -> bytes:
        """Seal it; its length tells a class only."""
        return seal(self._key, said, self._binding(notice, event))

    def open(self, notice: str, event: EventId, sealed: bytes) -> bytes:
        """Open it.

        Raises:
            EnvelopeRejected: it was changed, or belongs to another notice or entry.
        """
        return unseal(self._key, sealed, self._binding(notice, event))

    def _binding(self, notice: str, event: EventId) -> Binding:
        return Binding(self._registry, notice, event, "notice", 1)
