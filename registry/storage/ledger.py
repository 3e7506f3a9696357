"""The ledger's tables, for writing inside a transaction and for reading what is committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from registry.audit.ports import Appended, EntryRow, HeadRow
from registry.domain.errors import AuditUnavailable, LedgerCorrupt
from registry.domain.ids import SubjectId
from registry.storage.rows import MANY, chunks
from registry.storage.tables import ledger_body, ledger_head, ledger_leaf, ledger_postings, subjects

_SCAN_CHUNK = 2_000
_ENTRIES = select(
    ledger_leaf.c.i, ledger_leaf.c.leaf, ledger_body.c.event, ledger_body.c.key_epoch, ledger_body.c.sealed
).join_from(ledger_leaf, ledger_body, ledger_leaf.c.i == ledger_body.c.i, isouter=True)
# Subject rows are locked by id, before the head row: the lock order of every transaction.
_CHAINS = (
    select(subjects.c.id, subjects.c.chain)
    .where(subjects.c.id.in_(MANY))
    .order_by(subjects.c.id)
    .with_for_update(key_share=True)
)
_SOME_ENTRIES = _ENTRIES.where(ledger_leaf.c.i.in_(MANY)).order_by(ledger_leaf.c.i)
_SPAN = _ENTRIES.where(ledger_leaf.c.i >= bindparam("start"), ledger_leaf.c.i < bindparam("stop")).order_by(
    ledger_leaf.c.i
)
_POSTINGS = select(ledger_postings.c.label, ledger_postings.c.value).where(ledger_postings.c.label.in_(MANY))
_HEAD = select(ledger_head)
_LOCKED_HEAD = _HEAD.with_for_update()
_INSERT_LEAF, _INSERT_BODY, _INSERT_POSTINGS = insert(ledger_leaf), insert(ledger_body), insert(ledger_postings)
_UPDATE_CHAIN = update(subjects).where(subjects.c.id == bindparam("who")).values(chain=bindparam("chain_state"))
_UPDATE_HEAD = update(ledger_head).values(
    {name: bindparam(f"new_{name}") for name in ("epoch", "n", "edge", "root", "checkpoint", "last_ms")}
)


class SqlEntryReader:
    """Committed ledger rows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def head(self) -> HeadRow:
        return _head(self._connection, for_update=False)

    def entries(self, indexes: Sequence[int]) -> Sequence[EntryRow]:
        return [
            EntryRow(row.i, row.leaf, row.event or "", row.key_epoch or 0, row.sealed)
            for part in chunks(indexes)
            for row in self._connection.execute(_SOME_ENTRIES, {"many": part})
        ]

    def scan(self, start: int, stop: int) -> Iterator[EntryRow]:
        while start < stop:
            end = min(start + _SCAN_CHUNK, stop)
            for row in self._connection.execute(_SPAN, {"start": start, "stop": end}):
                yield EntryRow(row.i, row.leaf, row.event or "", row.key_epoch or 0, row.sealed)
            start = end

    def postings(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return {
            row.label: row.value
            for part in chunks(labels)
            for row in self._connection.execute(_POSTINGS, {"many": part})
        }

    def chain_of(self, subject: SubjectId) -> bytes | None:
        found: bytes | None = self._connection.execute(
            select(subjects.c.chain).where(subjects.c.id == subject)
        ).scalar_one_or_none()
        return found

    def chains(self) -> Iterator[tuple[SubjectId, bytes]]:
        """Yield every subject's sealed chain state."""
        statement = select(subjects.c.id, subjects.c.chain).order_by(subjects.c.id)
        for row in self._connection.execute(statement, execution_options={"yield_per": _SCAN_CHUNK}):
            yield SubjectId(row.id), row.chain


class SqlEntryStore:
    """The ledger's tables inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock_head(self) -> HeadRow:
        return _head(self._connection, for_update=True)

    def chains_of(self, ids: Sequence[SubjectId]) -> Mapping[SubjectId, bytes]:
        return {
            SubjectId(row.id): row.chain
            for part in chunks(ids)
            for row in self._connection.execute(_CHAINS, {"many": part})
        }

    def write(self, appended: Appended) -> None:
        run = self._connection.execute
        self._write_entries(appended.entries)
        if appended.postings:
            try:
                run(_INSERT_POSTINGS, [{"label": label, "value": value} for label, value in appended.postings])
            except IntegrityError:
                # Their labels count up per subject, whose row is held: no other transaction can have written one.
                raise LedgerCorrupt("a posting of a subject stands where the next one belongs") from None
        if appended.chains:
            run(_UPDATE_CHAIN, [{"who": subject, "chain_state": state} for subject, state in appended.chains.items()])
        head = appended.head
        run(
            _UPDATE_HEAD,
            {
                "new_epoch": head.epoch,
                "new_n": head.size,
                "new_edge": head.edge,
                "new_root": head.root,
                "new_checkpoint": head.checkpoint,
                "new_last_ms": head.last_ms,
            },
        )

    def _write_entries(self, entries: Sequence[EntryRow]) -> None:
        leaves = [{"i": row.index, "leaf": row.leaf} for row in entries]
        bodies = [
            {"i": row.index, "event": row.event, "key_epoch": row.key_epoch, "sealed": row.sealed} for row in entries
        ]
        try:
            self._connection.execute(_INSERT_LEAF, leaves)
            self._connection.execute(_INSERT_BODY, bodies)
        except IntegrityError:
            # The head is held, so this is no race: somebody put a row where the head says that there is none.
            raise AuditUnavailable("head_mismatch") from None


def _head(connection: Connection, *, for_update: bool) -> HeadRow:
    row = connection.execute(_LOCKED_HEAD if for_update else _HEAD).one_or_none()
    if row is None:
        raise AuditUnavailable("head_missing")
    return HeadRow(row.epoch, row.n, row.edge, row.root, row.checkpoint, row.last_ms)
