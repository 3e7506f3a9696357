"""The ledger's tables, for writing inside a transaction and for reading what is committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Integer, LargeBinary, bindparam, func, literal_column, select, update

from registry.audit.ports import Appended, EntryRow, HeadRow
from registry.domain.errors import AuditUnavailable, Contended, LedgerCorrupt
from registry.domain.ids import SubjectId
from registry.storage.bulk import COPY_FROM, BulkInsert
from registry.storage.failures import is_constraint
from registry.storage.mark_generations import SqlMarkGenerations
from registry.storage.prepared import Prepared, together
from registry.storage.rows import MANY
from registry.storage.tables import ledger_body, ledger_head, ledger_leaf, ledger_postings, subjects

_SCAN_CHUNK = 2_000
# In the order of ``EntryRow``; an entry without a row of its opening has an empty event.
_ENTRIES = select(
    ledger_leaf.c.i,
    ledger_leaf.c.leaf,
    func.coalesce(ledger_body.c.event, literal_column("''")),
    func.coalesce(ledger_body.c.key_epoch, literal_column("0")),
    ledger_body.c.sealed,
).join_from(ledger_leaf, ledger_body, ledger_leaf.c.i == ledger_body.c.i, isouter=True)
# Subject rows are locked by id, before the head row: the lock order of every transaction.
_CHAINS = Prepared(
    select(subjects.c.id, subjects.c.chain)
    .where(subjects.c.id.in_(MANY))
    .order_by(subjects.c.id)
    .with_for_update(key_share=True)
)
_STATES = Prepared(select(subjects.c.id, subjects.c.chain).where(subjects.c.id.in_(MANY)))
_SOME_ENTRIES = Prepared(_ENTRIES.where(ledger_leaf.c.i.in_(MANY)).order_by(ledger_leaf.c.i))
_IN_SPAN = (ledger_leaf.c.i >= bindparam("start"), ledger_leaf.c.i < bindparam("stop"))
_SPAN = Prepared(_ENTRIES.where(*_IN_SPAN).order_by(ledger_leaf.c.i))
_LEAVES = Prepared(select(ledger_leaf.c.i, ledger_leaf.c.leaf).where(*_IN_SPAN).order_by(ledger_leaf.c.i))
# The kind follows the version's line and thirteen digits of milliseconds (until the year 2286).
_KIND_AT = len("alog/v1\n") + 13 + len("\n") + 1
_OF_KIND = (
    select(ledger_leaf.c.i, ledger_leaf.c.leaf)
    .where(
        *_IN_SPAN,
        func.substr(ledger_leaf.c.leaf, _KIND_AT, bindparam("length", type_=Integer))
        == bindparam("kind", type_=LargeBinary),
    )
    .order_by(ledger_leaf.c.i)
)
_POSTINGS = Prepared(select(ledger_postings.c.label, ledger_postings.c.value).where(ledger_postings.c.label.in_(MANY)))
_HEAD_COLUMNS = ("epoch", "n", "edge", "root", "checkpoint", "last_ms")
_THE_HEAD = select(*(ledger_head.c[name] for name in _HEAD_COLUMNS))
_HEAD = Prepared(_THE_HEAD)
_LOCKED_HEAD = Prepared(_THE_HEAD.add_columns(ledger_head.c.mark_generation).with_for_update())
_LEAF = BulkInsert(ledger_leaf, ("i", "leaf"))
_BODY = BulkInsert(ledger_body, ("i", "event", "key_epoch", "sealed"))
_POSTING = BulkInsert(ledger_postings, ("label", "value"))
_UPDATE_CHAIN = Prepared(
    update(subjects).where(subjects.c.id == bindparam("who")).values(chain=bindparam("chain_state"))
)
_UPDATE_HEAD = Prepared(
    update(ledger_head).values({name: bindparam(f"new_{name}") for name in (*_HEAD_COLUMNS, "mark_generation")})
)


class SqlEntryReader:
    """Committed ledger rows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def head(self) -> HeadRow:
        return _head(_HEAD.rows(self._connection))

    def entries(self, indexes: Sequence[int]) -> Sequence[EntryRow]:
        return list(map(EntryRow._make, _SOME_ENTRIES.rows_of(self._connection, indexes)))

    def scan(self, start: int, stop: int) -> Iterator[EntryRow]:
        while start < stop:
            end = min(start + _SCAN_CHUNK, stop)
            yield from map(EntryRow._make, _SPAN.rows(self._connection, {"start": start, "stop": end}))
            start = end

    def leaves(self, start: int, stop: int) -> Sequence[tuple[int, bytes]]:
        return _LEAVES.rows(self._connection, {"start": start, "stop": stop})

    def leaves_of(self, kind: str, start: int, stop: int) -> Sequence[tuple[int, bytes]]:
        line = f"{kind}\n".encode()
        given = {"start": start, "stop": stop, "length": len(line), "kind": line}
        return [(row.i, row.leaf) for row in self._connection.execute(_OF_KIND, given)]

    def postings(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return dict(_POSTINGS.rows_of(self._connection, labels))

    def states_of(self, ids: Sequence[SubjectId]) -> Mapping[SubjectId, bytes]:
        return dict(_STATES.rows_of(self._connection, ids))

    def all_states(self) -> Iterator[tuple[SubjectId, bytes]]:
        statement = select(subjects.c.id, subjects.c.chain).order_by(subjects.c.id)
        for row in self._connection.execute(statement, execution_options={"yield_per": _SCAN_CHUNK}):
            yield SubjectId(row.id), row.chain


class SqlEntryStore:
    """The ledger's tables inside a transaction."""

    def __init__(
        self, connection: Connection, held: MutableMapping[SubjectId, bytes], marks: SqlMarkGenerations
    ) -> None:
        """Work inside a transaction.

        Args:
            connection: the transaction's.
            held: sealed chain states of subjects whose rows this transaction holds and has read already.
            marks: the exchanges of the secret of marks that it goes by.
        """
        self._connection = connection
        self._held = held
        self._marks = marks
        self.size = 0  # of the ledger, once entries were written

    def lock_head(self) -> HeadRow:
        rows = _LOCKED_HEAD.rows(self._connection)
        head = _head([row[:-1] for row in rows])
        if not self._marks.is_current(rows[0][-1]):
            raise Contended  # the secret of marks was exchanged since this was begun
        return head

    def chains_of(self, ids: Sequence[SubjectId]) -> Mapping[SubjectId, bytes]:
        unread = [subject for subject in ids if subject not in self._held]
        self._held.update(_CHAINS.rows_of(self._connection, unread))
        if not self._held.keys() >= set(ids):
            raise Contended  # somebody was erased since this was begun: to be run again without them
        return {subject: self._held[subject] for subject in ids}

    def write(self, appended: Appended) -> None:
        # Many rows are copied, which PostgreSQL does not take between other statements. One entry of many subjects, as
        # the trace of a dump has, is many postings.
        is_copied = max(len(appended.entries), len(appended.postings)) >= COPY_FROM
        with _place_taken():
            if is_copied:
                self._insert(appended)
            with together(self._connection):
                if not is_copied:
                    self._insert(appended)
                if appended.chains:
                    states = [{"who": subject, "chain_state": state} for subject, state in appended.chains.items()]
                    _UPDATE_CHAIN.run_each(self._connection, states)
                self._write_head(appended.head)
        self.size = appended.head.size
        self._held.update(appended.chains)

    def _write_head(self, head: HeadRow) -> None:
        _UPDATE_HEAD.run(
            self._connection,
            {
                "new_epoch": head.epoch,
                "new_n": head.size,
                "new_edge": head.edge,
                "new_root": head.root,
                "new_checkpoint": head.checkpoint,
                "new_last_ms": head.last_ms,
                "new_mark_generation": self._marks.number,
            },
        )

    def _insert(self, appended: Appended) -> None:
        _LEAF.run(self._connection, [(row.index, row.leaf) for row in appended.entries])
        bodies = [(row.index, row.event, row.key_epoch, row.sealed) for row in appended.entries]
        _BODY.run(self._connection, bodies)
        _POSTING.run(self._connection, appended.postings)


@contextmanager
def _place_taken() -> Iterator[None]:
    """Name what it means that a row stands already where one is inserted: neither is a race."""
    try:
        yield
    except Exception as exc:
        if not is_constraint(exc):
            raise
        if is_constraint(exc, ledger_postings.name):
            # Their labels count up per subject, whose row is held: no other transaction can have written one.
            raise LedgerCorrupt("a posting of a subject stands where the next one belongs") from None
        # The head is held: somebody put a row where the head says that there is none.
        raise AuditUnavailable("head_mismatch") from None


def _head(rows: Sequence[Sequence[Any]]) -> HeadRow:
    if len(rows) != 1:
        raise AuditUnavailable("head_missing")
    return HeadRow(*rows[0])
