"""The ledger's tables in memory, with the failures a database can have; passes tests/contract/test_entry_store.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from registry.audit.ports import Appended, EntryRow, HeadRow
from registry.domain.errors import AuditUnavailable, LedgerCorrupt
from registry.domain.ids import SubjectId
from registry.transparency.leaf import parse_leaf


class MemoryLedger:
    """Store and reader at once. A transaction is ``begin()`` ... ``commit()``; anything else rolls back.

    ``fail_next(persisted=...)`` makes the next commit report failure, with or without having kept the rows.
    """

    def __init__(self) -> None:
        self.rows: dict[int, EntryRow] = {}
        self.links: dict[bytes, bytes] = {}
        self.chains: dict[SubjectId, bytes] = {}
        self.head_row: HeadRow | None = None
        self._pending: list[Appended] = []
        self._failure: bool | None = None
        self.locks: list[str] = []

    def fail_next(self, *, persisted: bool) -> None:
        self._failure = persisted

    # EntryStore
    def lock_head(self) -> HeadRow:
        self.locks.append("head")
        return self._pending[-1].head if self._pending else self.head()

    def chains_of(self, subjects: Sequence[SubjectId]) -> Mapping[SubjectId, bytes]:
        self.locks += subjects
        pending = {subject: state for appended in self._pending for subject, state in appended.chains.items()}
        return {subject: pending.get(subject, self.chains[subject]) for subject in subjects}

    def write(self, appended: Appended) -> None:
        taken = {row.event for row in self.rows.values()}
        if any(row.index in self.rows or row.event in taken for row in appended.entries):
            raise AuditUnavailable("head_mismatch")
        if any(label in self.links for label, _ in appended.postings):
            raise LedgerCorrupt("a posting of a subject stands where the next one belongs")
        self._pending.append(appended)

    def commit(self) -> None:
        failure, self._failure = self._failure, None
        if failure is None or failure:
            for appended in self._pending:
                self.rows |= {row.index: row for row in appended.entries}
                self.links |= dict(appended.postings)
                self.chains |= appended.chains
                self.head_row = appended.head
        self._pending = []
        if failure is not None:
            raise AuditUnavailable("storage_error")

    def roll_back(self) -> None:
        self._pending = []

    # EntryReader
    def head(self) -> HeadRow:
        if self.head_row is None:
            raise AuditUnavailable("head_missing")
        return self.head_row

    def entries(self, indexes: Sequence[int]) -> Sequence[EntryRow]:
        return [self.rows[index] for index in sorted(indexes) if index in self.rows]

    def scan(self, start: int, stop: int) -> Iterator[EntryRow]:
        yield from (self.rows[index] for index in sorted(self.rows) if start <= index < stop)

    def leaves(self, start: int, stop: int) -> Sequence[tuple[int, bytes]]:
        return [(row.index, row.leaf) for row in self.scan(start, stop)]

    def leaves_of(self, kind: str, start: int, stop: int) -> Sequence[tuple[int, bytes]]:
        found = [(row.index, row.leaf) for row in self.scan(start, stop)]
        return [(index, leaf) for index, leaf in found if parse_leaf(leaf).kind == kind]

    def postings(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return {label: self.links[label] for label in labels if label in self.links}

    def states_of(self, subjects: Sequence[SubjectId]) -> Mapping[SubjectId, bytes]:
        return {subject: self.chains[subject] for subject in subjects if subject in self.chains}

    def all_states(self) -> Iterator[tuple[SubjectId, bytes]]:
        yield from self.chains.items()

    # What somebody with the database could do.
    def tamper(self, index: int, **changes: object) -> None:
        self.rows[index] = self.rows[index]._replace(**changes)  # type: ignore[arg-type]  # any column
