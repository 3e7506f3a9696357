"""Comparing an HR system's units with what the ledger says of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import UnitId
from registry.services.check_petitions import MOST_APART_MS
from registry.services.ports import Work

_UNIT = re.compile(r"; unit ([0-9a-f]{32});")
_REMOVED = "unit removed"


@dataclass(slots=True)
class _Said:
    """What the entries say of one unit: when it was made, how often it was written, whether it is kept."""

    made_ms: int
    entry: int
    version: int = 0
    is_kept: bool = True


@dataclass(slots=True)
class StandingUnits:
    """What the entries say of units, taken together."""

    said: dict[UnitId, _Said] = field(default_factory=dict)

    def take(self, index: int, unix_ms: int, values: Mapping[str, str]) -> None:
        """Add one entry that tells of a unit: each is one version of it."""
        told = _UNIT.search(values["detail"])
        if told is None:
            return
        unit = self.said.setdefault(UnitId(told[1]), _Said(unix_ms, index))
        unit.version, unit.entry, unit.is_kept = unit.version + 1, index, values["result"] != _REMOVED

    def check(self, work: Work) -> None:
        """Compare every row. Names are sealed to unit and version, so the version tells an older row from the last.

        Raises:
            LedgerCorrupt: with the entry that says otherwise, where there is one.
        """
        left = dict(self.said)
        for row in work.units.listing():
            said = left.pop(row.id, None)
            if said is None:
                raise LedgerCorrupt("a unit stands that no entry speaks of")
            if (said.version, said.is_kept) != (row.version, row.name_tag is not None):
                raise LedgerCorrupt("a unit is not as it says", said.entry)
            if abs(said.made_ms - row.created_at) > MOST_APART_MS:
                raise LedgerCorrupt("a unit is not as old as its entries say", said.entry)
        if left:
            raise LedgerCorrupt("the unit that it speaks of is missing", min(said.entry for said in left.values()))
