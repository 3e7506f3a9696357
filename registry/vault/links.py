"""Which subject a principal is: sealed, so that a stolen database does not join an account with its owner's records."""

from __future__ import annotations

from registry.crypto.derive import derive
from registry.crypto.envelope import Binding, DataKey, seal, unseal
from registry.domain.ids import PrincipalId

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
