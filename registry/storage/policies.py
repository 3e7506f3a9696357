"""Which policies are in force, in one guarded row."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from registry.services.ports_policy import PolicyRow
from registry.storage.guards import RowGuard
from registry.storage.tables import policy_in_force

_ROW = select(policy_in_force).where(policy_in_force.c.k == 1)


class SqlPolicies:
    """The policies in force on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def in_force(self) -> PolicyRow | None:
        """Return what is in force; None when nothing is known, or when somebody else changed what was known."""
        row = self._connection.execute(_ROW).one_or_none()
        if row is None or not self._guard.holds("policy_in_force", row[:3], row.guard):
            return None
        return PolicyRow(row.version, row.entry)

    def put(self, row: PolicyRow) -> None:
        values = {"k": 1, "version": row.version, "entry": row.entry}
        guarded = self._guard.guarded("policy_in_force", values)
        # Whoever writes it holds the ledger's head, so that nobody comes in between.
        if not self._connection.execute(update(policy_in_force).values(guarded)).rowcount:
            self._connection.execute(insert(policy_in_force), guarded)
