"""How many postings the blind index has, and a keyed sum over them: a posting that somebody removed is missed.

A posting says nothing without its term, so nothing shows that one is gone; but the sum of keyed tags over all of them
cannot be made to fit without the key. It is kept under a guard in one row for each generation of the index, raised with
every transaction that stores people, together with the ledger's size then: an earlier row put back with the earlier
postings is older than entries that the ledger has. ``registry audit verify`` adds up again.

Which generation is looked up in is read here too, in the same snapshot as the postings: no process has to be told.
So is with which terms it was made: by the oldest version of them that may stand in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from registry.domain.errors import LedgerCorrupt
from registry.keys.ports import WrappedKey
from registry.storage.guards import SUM_BYTES, SUM_MODULUS, RowGuard
from registry.storage.prepared import Prepared
from registry.storage.tables import index_generations, index_state, index_terms, ledger_head, postings
from registry.vault.generations import FIRST, Generation, Part

_SCAN_CHUNK = 10_000
_STATES = Prepared(
    select(
        *(index_state.c[name] for name in ("k", "n", "count", "total", "guard")),
        *(index_generations.c[name] for name in ("state", "cursor", "key_id", "wrapped_key")),
        index_generations.c.guard.label("generation_guard"),
        select(func.max(index_generations.c.k)).scalar_subquery().label("newest"),
    )
    .select_from(index_state.outerjoin(index_generations, index_generations.c.k == index_state.c.k))
    .order_by(index_state.c.k)
)
_SIZE = select(ledger_head.c.n).where(ledger_head.c.k == 1)
_RAISE = update(index_state).where(index_state.c.k == bindparam("at"))
_SET = update(index_generations).where(index_generations.c.k == bindparam("at"))
_NEXT = (
    select(postings.c.label, postings.c.value, postings.c.generation)
    .where(postings.c.label > bindparam("after"))
    .order_by(postings.c.label)
    .limit(_SCAN_CHUNK)
)
# Copied from the one before, or made of the values: being filled, or looked up in.
_FILLING, _SERVING, _MAKING, _MADE = "filling", "serving", "making", "made"
_UNFINISHED = (_FILLING, _MAKING)
# Of an index that was made before this was kept.
_FIRST_TERMS = 1
_NOT_WHOLE = "rows of the blind index are missing, added or changed by somebody else"


class _State(NamedTuple):
    """One generation as stored, the columns of ``_STATES``."""

    k: int
    n: int
    many: int
    total: bytes
    guard: bytes
    state: str | None
    cursor: str | None
    key_id: str | None
    wrapped_key: bytes | None
    generation_guard: bytes | None
    newest: int | None


class SqlIndexState:
    """The state of the blind index in one transaction."""

    def __init__(self, connection: Connection, guard: RowGuard) -> None:
        self._connection = connection
        self._guard = guard
        self._counts: Counter[int] = Counter()
        self._totals: Counter[int] = Counter()
        # Which generation is looked up in, by what was read to settle: nobody changes it before the commit.
        self.settled: int | None = None

    def create(self, terms: int) -> None:
        """Begin with no postings: once, with the registry itself. A state that is missing later was removed.

        Args:
            terms: the version of the terms that people are stored with.
        """
        self._connection.execute(insert(index_state), self._row(FIRST, 0, 0, 0))
        self._put_terms(FIRST, terms)

    def terms(self) -> Mapping[int, int]:
        """Return by generation the oldest version of terms that stands in it.

        Raises:
            LedgerCorrupt: it was changed.
        """
        rows = self._connection.execute(select(index_terms)).all()
        told = {row.k: row.terms for row in self._guard.demanded("index_terms", rows)}
        return {one.k: told.get(one.k, _FIRST_TERMS) for one in self._stored()}

    def standing(self) -> tuple[Generation, ...]:
        """Return the generations that stand now, the one to be looked up in first.

        Raises:
            LedgerCorrupt: a state was removed or changed by somebody else than this program.
        """
        return tuple(sorted(self._standing(self._stored()), key=lambda one: one.part is not Part.CURRENT))

    def added(self, rows: Sequence[tuple[bytes, bytes]], generation: int) -> None:
        """Take note of postings that this transaction adds."""
        self._counts[generation] += len(rows)
        self._totals[generation] += self._guard.sum_of(rows)

    def changed(
        self, before: Sequence[tuple[bytes, bytes]], after: Sequence[tuple[bytes, bytes]], generation: int
    ) -> None:
        """Take note of postings that this transaction writes over or removes: as they were, and what stays of them."""
        self._counts[generation] += len(after) - len(before)
        self._totals[generation] += self._guard.sum_of(after) - self._guard.sum_of(before)

    def settle(self) -> None:
        """Store the new state, as the last thing before a commit: the ledger's head is held, so nobody is between.

        Raises:
            LedgerCorrupt: the state was removed or changed by somebody else than this program.
        """
        size = int(self._connection.execute(_SIZE).scalar_one_or_none() or 0)
        stored = self._stored()
        if not {one.k for one in stored}.issuperset(self._counts):
            raise LedgerCorrupt("the state of the blind index was removed by somebody else than this program")
        for one in stored:
            total = int.from_bytes(one.total, "big") + self._totals[one.k]
            row = self._row(one.k, size, one.many + self._counts[one.k], total)
            self._connection.execute(_RAISE, {"at": one.k, **row})
        self._counts.clear()
        self._totals.clear()
        self.settled = (stored[-2] if stored[-1].state in _UNFINISHED else stored[-1]).k

    def demand_whole(self) -> int:
        """Add up all postings.

        Returns:
            The ledger's size when people were stored last.

        Raises:
            LedgerCorrupt: some are missing, added or changed, or the state was.
        """
        stored = self._stored()
        self._standing(stored)
        found, added = self._sums()
        told = {one.k: (one.many, one.total) for one in stored}
        sums = {k: (found[k], (added[k] % SUM_MODULUS).to_bytes(SUM_BYTES, "big")) for k in told}
        if sums != told or not told.keys() >= found.keys():
            raise LedgerCorrupt(_NOT_WHOLE)
        return min(one.n for one in stored)

    def begin(self, number: int, key: WrappedKey, terms: int, *, is_made: bool = False) -> None:
        """Begin another generation, without any postings.

        Args:
            number: the one behind the highest that stands.
            key: its secret, wrapped.
            terms: the oldest version of terms that will stand in it.
            is_made: it is made of the values, and not copied.
        """
        told = {"k": number, "state": _MAKING if is_made else _FILLING, "cursor": ""}
        row = self._guard.guarded("index_generations", told)
        self._connection.execute(insert(index_generations), {**row, "key_id": key.key_id, "wrapped_key": key.blob})
        size = int(self._connection.execute(_SIZE).scalar_one_or_none() or 0)
        self._connection.execute(insert(index_state), self._row(number, size, 0, 0))
        self._put_terms(number, terms)

    def advance(self, number: int, cursor: str) -> None:
        """Note up to which subject the values were read for a generation."""
        self._set(number, self._state_of(number), cursor)

    def switch(self, number: int) -> None:
        """Let a generation be looked up in from this transaction on."""
        self._set(number, _MADE if self._state_of(number) == _MAKING else _SERVING, "")

    def end(self, number: int) -> None:
        """Take away a generation that has no postings left, and its secret.

        Raises:
            LedgerCorrupt: what was removed is not what was there.
        """
        self.settle()
        row = next((one for one in self._stored() if one.k == number), None)
        if row is None or row.many != 0 or any(row.total):
            raise LedgerCorrupt(_NOT_WHOLE)
        self._connection.execute(delete(index_state).where(index_state.c.k == number))
        self._connection.execute(delete(index_generations).where(index_generations.c.k == number))
        self._connection.execute(delete(index_terms).where(index_terms.c.k == number))

    def _put_terms(self, number: int, terms: int) -> None:
        row = self._guard.guarded("index_terms", {"k": number, "terms": terms})
        self._connection.execute(insert(index_terms), row)

    def _state_of(self, number: int) -> str:
        """Return the state of a generation, as this program wrote it."""
        return next(str(one.state) for one in self._stored() if one.k == number)

    def _set(self, number: int, state: str, cursor: str) -> None:
        told = {"k": number, "state": state, "cursor": cursor}
        self._connection.execute(_SET, {"at": number, **self._guard.guarded("index_generations", told)})

    def _sums(self) -> tuple[Mapping[int, int], Mapping[int, int]]:
        """Return by generation how many postings there are, and the sum of their tags."""
        found: Counter[int] = Counter()
        added: Counter[int] = Counter()
        after = b""
        while rows := self._connection.execute(_NEXT, {"after": after}).all():
            for generation in {row.generation for row in rows}:
                group = [(row.label, row.value) for row in rows if row.generation == generation]
                found[generation] += len(group)
                added[generation] += self._guard.sum_of(group)
            after = rows[-1].label
        return found, added

    def _stored(self) -> list[_State]:
        stored = [_State(*row) for row in _STATES.rows(self._connection)]
        if not stored or (stored[-1].newest or FIRST) > stored[-1].k:
            raise LedgerCorrupt("the state of the blind index was removed by somebody else than this program")
        for one in stored:
            self._guard.demand("index_state", (one.k, one.n, one.many, one.total), one.guard)
            if one.k > FIRST:
                told = (one.k, one.state, one.cursor)
                self._guard.demand("index_generations", told, one.generation_guard or b"")
        return stored

    def _standing(self, stored: Sequence[_State]) -> list[Generation]:
        newest = stored[-1]
        is_filling = newest.state in _UNFINISHED
        if len(stored) > 2 or (is_filling and len(stored) == 1):
            raise LedgerCorrupt("the state of the blind index was changed by somebody else than this program")
        parts = (Part.CURRENT, Part.NEXT) if is_filling else (Part.FORMER, Part.CURRENT)
        return [_generation(one, part) for one, part in zip(stored, parts[-len(stored) :], strict=True)]

    def _row(self, number: int, size: int, count: int, total: int) -> dict[str, object]:
        told = {"k": number, "n": size, "count": count, "total": (total % SUM_MODULUS).to_bytes(SUM_BYTES, "big")}
        return self._guard.guarded("index_state", told)


def _generation(row: _State, part: Part) -> Generation:
    key = None if row.key_id is None or row.wrapped_key is None else WrappedKey(row.key_id, bytes(row.wrapped_key))
    return Generation(row.k, part, row.many, key, row.cursor or "", is_made=row.state in (_MAKING, _MADE))
