"""Comparing what was added to cases with what the ledger says of it: one that is gone, put back or slipped in is found.

A reply that was dropped leaves a report without the other side; the last part of a case has no other behind it that
would miss it, so the entries tell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.audit.kinds import Kind
from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import TraceId
from registry.services.check_petitions import MOST_APART_MS
from registry.services.ports import Work
from registry.services.ports_cases import CasePartRow
from registry.transparency.leaf import parse_leaf
from registry.vault.cases import part_digest

_ADDED = re.compile(r"([a-z]{1,16}) part ([0-9]{1,4})")
_SEALED = re.compile(r"sealed ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class _Said:
    kind: str
    digest: str
    unix_ms: int
    entry: int


@dataclass(slots=True)
class StandingCases:
    """What the entries say of cases' parts, taken together."""

    said: dict[tuple[TraceId, int], _Said] = field(default_factory=dict)

    def take(self, index: int, unix_ms: int, values: Mapping[str, str]) -> None:
        """Add one entry of kind ``trace`` that speaks of a part; a refusal is an entry of another kind."""
        added, sealed = _ADDED.fullmatch(values["result"]), _SEALED.fullmatch(values["detail"])
        if added is not None and sealed is not None:
            said = _Said(added[1], sealed[1], unix_ms, index)
            self.said[TraceId(values["request"]), int(added[2])] = said

    def check(self, work: Work) -> None:
        """Compare every row. What is said of a trace that was erased is not compared.

        Raises:
            LedgerCorrupt: with the entry that says otherwise, where there is one.
        """
        left, unsaid = dict(self.said), []
        for row in work.traces.parts():
            said = left.pop((row.trace, row.part), None)
            if said is None:
                unsaid.append(row.entry)
            else:
                _compare(said, row)
        if not all(_is_removed(work, entry) for entry in unsaid):
            raise LedgerCorrupt("a part of a case stands that no entry speaks of")
        standing = work.traces.standing({trace for trace, _ in left})
        missing = [said.entry for (trace, _), said in left.items() if trace in standing]
        if missing:
            raise LedgerCorrupt("the part of a case that it speaks of is missing", min(missing))


def _compare(said: _Said, row: CasePartRow) -> None:
    is_same = (said.kind, said.digest) == (row.kind, part_digest(row.sealed).hex())
    # Rows of before migration 0031 name no entry.
    is_placed = row.entry in {None, said.entry} and abs(said.unix_ms - row.created_at) <= MOST_APART_MS
    if not is_same or not is_placed:
        raise LedgerCorrupt("a part of a case is not as it was added", said.entry)


def _is_removed(work: Work, entry: int | None) -> bool:
    """Tell whether the entry of a row says nothing any more: what such entries say is kept for a time."""
    entries = [] if entry is None else work.entries.entries([entry])
    return bool(entries) and entries[0].sealed is None and parse_leaf(entries[0].leaf).kind == Kind.TRACE
