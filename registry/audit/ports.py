"""What the ledger needs of a database. storage/ledger.py has it on SQL, tests/fakes/ledger.py in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from registry.domain.ids import SubjectId


@dataclass(frozen=True, slots=True)
class HeadRow:
    """The ledger's one head row.

    Attributes:
        epoch: number of the origin's epoch, from 1.
        size: entries in the tree.
        edge: compact range of the tree, 32 bytes a node; a cache that verification recomputes.
        root: root hash, 32 bytes.
        checkpoint: signed note over (origin, size, root).
        last_ms: time of the newest entry.
    """

    epoch: int
    size: int
    edge: bytes
    root: bytes
    checkpoint: str
    last_ms: int


class EntryRow(NamedTuple):
    """One entry as stored: leaf bytes verbatim, and its sealed opening (None once removed).

    Without a row of its opening, its event is empty.
    """

    index: int  # type: ignore[assignment]  # it hides where a tuple has a value, which nobody asks a row
    leaf: bytes
    event: str
    key_epoch: int
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Appended:
    """Everything that one append writes, in one transaction."""

    entries: tuple[EntryRow, ...]
    postings: tuple[tuple[bytes, bytes], ...]
    chains: Mapping[SubjectId, bytes]
    head: HeadRow


class EntryStore(Protocol):
    """The ledger's tables inside the transaction that an entry describes."""

    def lock_head(self) -> HeadRow:
        """Lock and return the head row. Always the last lock that a transaction takes."""
        ...

    def chains_of(self, subjects: Sequence[SubjectId]) -> Mapping[SubjectId, bytes]:
        """Return the sealed chain state of subjects whose rows the transaction holds."""
        ...

    def write(self, appended: Appended) -> None:
        """Insert entries and postings; replace head and chain states."""
        ...


class EntryReader(Protocol):
    """Committed rows, over a read-only connection that shares nothing with any writer."""

    def head(self) -> HeadRow:
        """Return the committed head row."""
        ...

    def entries(self, indexes: Sequence[int]) -> Sequence[EntryRow]:
        """Return the committed entries with these indexes that exist, in one select, in index order."""
        ...

    def scan(self, start: int, stop: int) -> Iterator[EntryRow]:
        """Yield committed entries with ``start <= index < stop`` in index order."""
        ...

    def leaves(self, start: int, stop: int) -> Sequence[tuple[int, bytes]]:
        """Return index and leaf of committed entries with ``start <= index < stop`` in index order: nothing else."""
        ...

    def leaves_of(self, kind: str, start: int, stop: int) -> Sequence[tuple[int, bytes]]:
        """Return index and leaf of the committed entries of a kind with ``start <= index < stop``, in index order."""
        ...

    def postings(self, labels: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return the values of those subject postings that exist."""
        ...

    def states_of(self, subjects: Sequence[SubjectId]) -> Mapping[SubjectId, bytes]:
        """Return the committed sealed chain states of those subjects that exist."""
        ...

    def all_states(self) -> Iterator[tuple[SubjectId, bytes]]:
        """Yield every subject with its committed sealed chain state."""
        ...
