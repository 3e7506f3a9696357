"""The names of units, sealed. They are no person's values, so no receipt is needed; a stolen database shows none."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from registry.crypto.derive import derive
from registry.crypto.envelope import Binding, DataKey, seal, unseal
from registry.domain.ids import UnitId


class UnitNames:
    """Seals and opens what HR systems call units."""

    def __init__(self, registry: str, index_secret: bytes) -> None:
        """Derive the key from the registry's index secret."""
        self._registry = registry
        self._key = DataKey(derive(index_secret, "registry/unit-names/v1"))

    def seal(self, unit: UnitId, version: int, names: Mapping[str, str]) -> bytes:
        """Seal the names of one version of a unit."""
        return seal(self._key, orjson.dumps(dict(names)), self._binding(unit, version))

    def open(self, unit: UnitId, version: int, sealed: bytes) -> dict[str, str]:
        """Open them.

        Raises:
            EnvelopeRejected: they were changed, or are another unit's or version's.
        """
        names: dict[str, str] = orjson.loads(unseal(self._key, sealed, self._binding(unit, version)))
        return names

    def _binding(self, unit: UnitId, version: int) -> Binding:
        return Binding(self._registry, unit, unit, "unit", version)
