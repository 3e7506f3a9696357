"""Exchanges of the secret of marks, on SQL: few rows, read once by each process and whenever there is another one.

Their number stands in the ledger's head row too, which everybody who appends an entry reads and holds: whoever went by
fewer loses its transaction and is run again. So an entry is never made by a secret that was exchanged before it.
"""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import EntryIndex
from registry.keys.ports import WrappedKey
from registry.services.ports_marks import MarkGeneration
from registry.storage.guards import RowGuard
from registry.storage.tables import ledger_head, mark_generations

_ROWS = select(mark_generations).order_by(mark_generations.c.k)
_HEAD = select(ledger_head.c.n, ledger_head.c.mark_generation)
_CHANGED = "the exchanges of the secret of marks were removed or changed by somebody else than this program"
Known = tuple[MarkGeneration, ...]


class KnownMarks:
    """What one process knows of the exchanges, and of which entries it knows it."""

    def __init__(self) -> None:
        self._state: tuple[Known, int] | None = None
        self._most = 0

    @property
    def state(self) -> Known | None:
        """The exchanges; None where they are to be read."""
        return None if self._state is None else self._state[0]

    def of_entry(self, index: int) -> Known | None:
        """Return all exchanges before an entry, and maybe later ones; None where they are to be read."""
        state = self._state
        return None if state is None or index >= state[1] else state[0]

    def learned(self, known: Known, size: int) -> Known:
        """Take what was read in a snapshot with a ledger of that size.

        Raises:
            LedgerCorrupt: there were more before: they do not go away.
        """
        if len(known) < self._most:
            raise LedgerCorrupt(_CHANGED)
        self._most = len(known)
        state = self._state
        if state is None or size >= state[1]:
            self._state = (known, size)
        return known

    def covers(self, known: Known, size: int) -> None:
        """Note that a transaction which went by these was committed, with a ledger of that size."""
        state = self._state
        if state is not None and state[0] == known and size > state[1]:
            self._state = (known, size)

    def forget(self) -> None:
        """Read them again when they are needed next."""
        self._state = None


class SqlMarkGenerations:
    """The exchanges in one transaction."""

    def __init__(self, connection: Connection, guard: RowGuard, process: KnownMarks) -> None:
        self._connection = connection
        self._guard = guard
        self._process = process
        self._known: Known | None = None
        self._begun: int | None = None

    @property
    def number(self) -> int:
        """How many exchanges there are once this transaction is committed."""
        return len(self.known()) if self._begun is None else self._begun

    def known(self) -> Known:
        """Return the exchanges that this transaction goes by, oldest first."""
        if self._known is None:
            self._known = self._process.state
        if self._known is None:
            self._known = self.stored()
        return self._known

    def stored(self) -> Known:
        """Return the exchanges as they are stored in this snapshot, oldest first.

        Raises:
            LedgerCorrupt: their rows were removed or changed.
        """
        size, many = self._connection.execute(_HEAD).one()
        found = []
        for row in self._guard.demanded("mark_generations", self._connection.execute(_ROWS)):
            key = WrappedKey(row.key_id, bytes(row.wrapped_key))
            found.append(MarkGeneration(row.k, EntryIndex(row.entry), bool(row.redraws), key))
        if [one.number for one in found] != list(range(1, many + 1)):
            raise LedgerCorrupt(_CHANGED)
        return self._process.learned(tuple(found), size)

    def is_current(self, many: int) -> bool:
        """Tell whether this transaction goes by all exchanges there are, by their number in the head that it holds."""
        if len(self.known()) == many:
            return True
        self._process.forget()
        return False

    def begin(self, generation: MarkGeneration) -> None:
        """Store an exchange, in the transaction of its entry and before that; the head's row tells of it with it."""
        told = {"k": generation.number, "entry": int(generation.entry), "redraws": int(generation.redraws)}
        row = self._guard.guarded("mark_generations", told)
        key = generation.key
        self._connection.execute(insert(mark_generations), {**row, "key_id": key.key_id, "wrapped_key": key.blob})
        self._begun = generation.number

    def committed(self, size: int) -> None:
        """Note that this transaction was committed, with a ledger of that size."""
        if self._begun is None:
            self._process.covers(self.known(), size)
        else:
            self._process.forget()
