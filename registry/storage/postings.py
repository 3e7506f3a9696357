"""Postings of the blind index: two opaque columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, select, update

from registry.storage.bulk import BulkInsert
from registry.storage.index_state import SqlIndexState
from registry.storage.prepared import Prepared, driver_cursor
from registry.storage.rows import MANY, chunks
from registry.storage.tables import postings, records, subjects
from registry.vault.generations import Generation

_VALUES = Prepared(select(postings.c.label, postings.c.value).where(postings.c.label.in_(MANY)))
# An import asks for thousands at once: as one array, and not as thousands of parameters in a text of their own.
_VALUES_OF_ARRAY = "SELECT label, value FROM postings WHERE label = ANY(%b)"
_OVERWRITE = update(postings).where(postings.c.label == bindparam("at")).values(value=bindparam("with_value"))
_INSERT = BulkInsert(postings, ("label", "value", "generation"))
_OWNED_UNTIL = (
    select(records.c.id)
    .where(records.c.id.in_(MANY), records.c.subject <= bindparam("cursor"))
    .union_all(select(subjects.c.id).where(subjects.c.id.in_(MANY), subjects.c.id <= bindparam("cursor")))
)
_OF_GENERATION = (
    select(postings.c.label, postings.c.value)
    .where(postings.c.generation == bindparam("number"), postings.c.label > bindparam("after"))
    .order_by(postings.c.label)
    .limit(bindparam("most"))
)


class SqlPostings:
    """Postings on SQL."""

    def __init__(self, connection: Connection, state: SqlIndexState) -> None:
        self._connection = connection
        self._state = state

    def standing(self) -> tuple[Generation, ...]:
        return self._state.standing()

    def values(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        if self._connection.dialect.name == "postgresql":
            found = driver_cursor(self._connection).execute(_VALUES_OF_ARRAY, (list(labels),), binary=True)
            return dict(found.fetchall())
        # In the order of the table, whose pages are then read once: SQLite takes a thousand at a time.
        return dict(_VALUES.rows_of(self._connection, sorted(labels)))

    def add(self, rows: Sequence[tuple[bytes, bytes]], generation: int) -> None:
        self._state.added(rows, generation)
        _INSERT.run(self._connection, [(*row, generation) for row in rows])

    def owned_until(self, targets: Iterable[str], cursor: str) -> frozenset[str]:
        """Return those of some records and subjects whose subject's id is at most the cursor."""
        asked = ({"many": part, "cursor": cursor} for part in chunks(list(targets)))
        return frozenset(row.id for one in asked for row in self._connection.execute(_OWNED_UNTIL, one))

    def of_generation(self, number: int, after: bytes, most: int) -> Sequence[tuple[bytes, bytes]]:
        """Return postings of a generation in the order of their labels, from the one behind ``after``."""
        asked = {"number": number, "after": after, "most": most}
        return [(bytes(row.label), bytes(row.value)) for row in self._connection.execute(_OF_GENERATION, asked)]

    def overwrite(
        self, before: Sequence[tuple[bytes, bytes]], after: Sequence[tuple[bytes, bytes]], generation: int
    ) -> None:
        """Write over postings, and remove those that have nothing afterwards.

        Args:
            before: rows as they are, all of them.
            after: those that stay, with other values.
            generation: whose they are.
        """
        self._state.changed(before, after, generation)
        kept = {label for label, _ in after}
        if after:
            self._connection.execute(_OVERWRITE, [{"at": label, "with_value": value} for label, value in after])
        for part in chunks([label for label, _ in before if label not in kept]):
            self._connection.execute(delete(postings).where(postings.c.label.in_(MANY)), {"many": part})
