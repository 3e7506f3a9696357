"""Comparing holds with what the ledger says of them: one that is gone, moved or made up tells a subject too little."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.audit.kinds import Kind
from registry.domain.errors import LedgerCorrupt
from registry.domain.holds import HoldState
from registry.domain.ids import HoldId
from registry.services.check_petitions import MOST_APART_MS
from registry.services.ports import Work
from registry.services.ports_notices import HoldRow
from registry.transparency.leaf import parse_leaf

_PLACED = re.compile(r"^hold ([0-9a-f]{32}) until ([0-9]{1,16}) ")
_SETTLED = re.compile(r"^hold ([0-9a-f]{32}) of entry ([0-9]{1,16})(?:;|$)")
_Word = tuple[str, int]  # whose account, and when


@dataclass(slots=True)
class _Said:
    """What the entries say of one hold: who placed it where, when and until when, and how it was settled.

    ``until`` is None where the entry that placed it was erased with whom it was about.
    """

    placed: int
    entry: int
    by: _Word = ("", 0)
    until: int | None = None
    state: str = HoldState.PENDING.value
    settled: _Word | None = None
    confirmed: _Word | None = None


@dataclass(slots=True)
class StandingHolds:
    """What the entries say of holds, taken together."""

    said: dict[HoldId, _Said] = field(default_factory=dict)

    def take(self, index: int, unix_ms: int, values: Mapping[str, str]) -> None:
        """Add one entry of kind ``hold``; a refusal says nothing of any row."""
        word = (values["principal"].partition(" ")[0], unix_ms)
        if told := _PLACED.match(values["detail"]):
            self.said[HoldId(told[1])] = _Said(index, index, word, int(told[2]))
        elif told := _SETTLED.match(values["detail"]):
            said = self.said.setdefault(HoldId(told[1]), _Said(int(told[2]), index))
            said.state, said.settled, said.entry = values["result"], word, index
            if said.state == HoldState.CONFIRMED:
                said.confirmed = word

    def check(self, work: Work) -> None:
        """Compare every row.

        Raises:
            LedgerCorrupt: with the entry that says otherwise, where there is one.
        """
        left, named = dict(self.said), set()
        for row in work.holds.listing():
            said = left.pop(row.id, None)
            if said is None or said.until is None:
                said = _of_erased(work, row, said)
            if row.entry in named:
                raise LedgerCorrupt("two holds name it", row.entry)
            named.add(row.entry)
            _compare(said, row)
        if left:
            raise LedgerCorrupt("the hold that it speaks of is missing", min(said.entry for said in left.values()))


def _of_erased(work: Work, row: HoldRow, said: _Said | None) -> _Said:
    """Return what is known of a hold on somebody who was erased: how it was settled, and what a bare leaf says."""
    entries = work.entries.entries([row.entry])
    leaf = parse_leaf(entries[0].leaf) if entries and entries[0].sealed is None else None
    if leaf is None or leaf.kind != Kind.HOLD:
        raise LedgerCorrupt("a hold stands that no entry speaks of")
    said = said or _Said(row.entry, row.entry)
    said.by, said.until = (row.principal, leaf.unix_ms), row.until
    return said


def _compare(said: _Said, row: HoldRow) -> None:
    is_placed = (said.placed, said.until) == (row.entry, row.until)
    if not is_placed or not _agree(said.by, row.principal, row.created_at):
        raise LedgerCorrupt("a hold is not as it was placed", said.placed)
    if said.state != row.state or not _agree(said.settled, row.settled_by, row.settled_at):
        raise LedgerCorrupt("a hold does not stand as its entries left it", said.entry)
    # Of one that ended before that was kept (0027), no row says who had confirmed it.
    is_older = row.state == HoldState.ENDED and row.confirmed_by is None and row.confirmed_at is None
    if not is_older and not _agree(said.confirmed, row.confirmed_by, row.confirmed_at):
        raise LedgerCorrupt("a hold was not confirmed as its row says", said.entry)


def _agree(said: _Word | None, by: str | None, at_ms: int | None) -> bool:
    if said is None or by is None or at_ms is None:
        return said is None and by is None and at_ms is None
    return said[0] == by and abs(said[1] - at_ms) <= MOST_APART_MS
