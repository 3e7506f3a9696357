"""How many postings the blind index has, and a keyed sum over them: a posting that somebody removed is missed.

A posting says nothing without its term, so nothing shows that one is gone; but the sum of keyed tags over all of them
cannot be made to fit without the key. It is kept under a guard in one row, raised with every transaction that stores
people, together with the ledger's size then: an earlier row put back with the earlier postings is older than entries
that the ledger has. ``registry audit verify`` adds up again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from registry.domain.errors import LedgerCorrupt
from registry.storage.guards import SUM_BYTES, SUM_MODULUS, RowGuard
from registry.storage.tables import index_state, ledger_head, postings

_SCAN_CHUNK = 10_000
_COLUMNS = ("k", "n", "count", "total")
_STATE = select(*(index_state.c[name] for name in (*_COLUMNS, "guard"))).where(index_state.c.k == 1)
_SIZE = select(ledger_head.c.n).where(ledger_head.c.k == 1)
_RAISE = update(index_state).where(index_state.c.k == 1)
_NEXT = (
    select(postings.c.label, postings.c.value)
    .where(postings.c.label > bindparam("after"))
    .order_by(postings.c.label)
    .limit(_SCAN_CHUNK)
)


class SqlIndexState:
    """The state of the blind index in one transaction."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard
        self._count = 0
        self._total = 0

    def create(self) -> None:
        """Begin with no postings: once, with the registry itself. A state that is missing later was removed."""
        self._connection.execute(insert(index_state), self._row(0, 0, 0))

    def added(self, rows: Sequence[tuple[bytes, bytes]]) -> None:
        """Take note of postings that this transaction adds."""
        self._count += len(rows)
        self._total += self._guard.sum_of(rows)

    def changed(self, before: Sequence[tuple[bytes, bytes]], after: Sequence[tuple[bytes, bytes]]) -> None:
        """Take note of postings that this transaction writes over or removes: as they were, and what stays of them."""
        self._count += len(after) - len(before)
        self._total += self._guard.sum_of(after) - self._guard.sum_of(before)

    def settle(self) -> None:
        """Store the new state, as the last thing before a commit: the ledger's head is held, so nobody is between.

        Raises:
            LedgerCorrupt: the state was removed or changed by somebody else than this program.
        """
        _, count, total = self._stored()
        size = int(self._connection.execute(_SIZE).scalar_one_or_none() or 0)
        self._connection.execute(_RAISE, self._row(size, count + self._count, total + self._total))

    def demand_whole(self) -> int:
        """Add up all postings.

        Returns:
            The ledger's size when people were stored last.

        Raises:
            LedgerCorrupt: some are missing, added or changed, or the state was.
        """
        size, count, total = self._stored()
        after, found, added = b"", 0, 0
        while rows := self._connection.execute(_NEXT, {"after": after}).all():
            found += len(rows)
            added += self._guard.sum_of([(row.label, row.value) for row in rows])
            after = rows[-1].label
        if (found, added % SUM_MODULUS) != (count, total):
            raise LedgerCorrupt("rows of the blind index are missing, added or changed by somebody else")
        return size

    def _stored(self) -> tuple[int, int, int]:
        row: Any = self._connection.execute(_STATE).one_or_none()
        if row is None:
            raise LedgerCorrupt("the state of the blind index was removed by somebody else than this program")
        self._guard.demand("index_state", [getattr(row, name) for name in _COLUMNS], row.guard)
        return row.n, row.count, int.from_bytes(row.total, "big")

    def _row(self, size: int, count: int, total: int) -> dict[str, object]:
        told = {"k": 1, "n": size, "count": count, "total": (total % SUM_MODULUS).to_bytes(SUM_BYTES, "big")}
        return self._guard.guarded("index_state", told)
