"""Which policies are in force, which settings of control, and what was agreed on to come next: a guarded row each."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from registry.services.ports_policy import PolicyRow
from registry.storage.guards import RowGuard
from registry.storage.tables import policy_in_force

_POLICIES, _CONTROLS, _AGREED = 1, 2, 3


class SqlPolicies:
    """The policies and settings in force on SQL."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard

    def in_force(self) -> PolicyRow | None:
        """Return what is in force; None when nothing is known, or when somebody else changed what was known."""
        return self._known(_POLICIES)

    def put(self, row: PolicyRow) -> None:
        self._put(_POLICIES, row)

    def controls(self) -> PolicyRow | None:
        """Return the settings in force; None as above."""
        return self._known(_CONTROLS)

    def put_controls(self, row: PolicyRow) -> None:
        self._put(_CONTROLS, row)

    def agreed(self) -> PolicyRow | None:
        """Return what may come into force next; None as above."""
        return self._known(_AGREED)

    def put_agreed(self, row: PolicyRow) -> None:
        self._put(_AGREED, row)

    def _known(self, place: int) -> PolicyRow | None:
        row = self._connection.execute(select(policy_in_force).where(policy_in_force.c.k == place)).one_or_none()
        if row is None or not self._guard.holds("policy_in_force", row[:3], row.guard):
            return None
        return PolicyRow(row.version, row.entry)

    def _put(self, place: int, row: PolicyRow) -> None:
        values = {"k": place, "version": row.version, "entry": row.entry}
        guarded = self._guard.guarded("policy_in_force", values)
        # Whoever writes it holds the ledger's head, so that nobody comes in between.
        changed = update(policy_in_force).where(policy_in_force.c.k == place).values(guarded)
        if not self._connection.execute(changed).rowcount:
            self._connection.execute(insert(policy_in_force), guarded)
