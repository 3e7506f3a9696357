"""Keyed tags over the columns that policy decides by, so that whoever can write the database cannot decide for it.

Values and entries are sealed; roles, tiers, states and who a row belongs to stand in the clear, because decisions read
them without opening anything. Each such row carries a tag over them, checked whenever it is read. An earlier row with
its own earlier tag passes here; ``registry audit verify`` compares the rows with what the ledger says of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from registry.crypto.tags import equal, keyed_tag
from registry.domain.errors import LedgerCorrupt

# What is guarded, by table; order and names are part of the tag.
GUARDED: Mapping[str, tuple[str, ...]] = {
    "principals": ("id", "issuer", "sub", "roles", "employee", "unit", "state"),
    "subjects": ("id", "person", "number_tag", "state"),
    "records": ("id", "subject", "person", "category", "slot_tag", "version", "state", "tier", "mark_version"),
}


class RowGuard:
    """Makes and checks the tags of one registry."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def tag(self, table: str, row: Mapping[str, Any]) -> bytes:
        """Return the tag of a row, given at least its guarded columns."""
        parts = [part.hex() if isinstance(part := row[name], bytes) else part for name in GUARDED[table]]
        return keyed_tag(self._key, f"registry/row/{table}/v1", json.dumps(parts).encode())

    def guarded(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row to store, with its tag."""
        return {**row, "guard": self.tag(table, row)}

    def holds(self, table: str, row: Mapping[str, Any], guard: bytes) -> bool:
        """Tell whether a stored row is as this program wrote it."""
        return equal(self.tag(table, row), guard)

    def demand(self, table: str, row: Mapping[str, Any], guard: bytes) -> None:
        """Check a stored row.

        Raises:
            LedgerCorrupt: somebody changed it.
        """
        if not self.holds(table, row, guard):
            raise LedgerCorrupt(f"a row of {table} was changed by somebody else than this program")

    def __repr__(self) -> str:
        return "RowGuard(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")
