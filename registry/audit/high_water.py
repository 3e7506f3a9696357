"""The high-water mark: how far the ledger had come, kept outside the database, so that an older database shows.

A text of three parts, the last one a signed checkpoint as it is::

    registry-high-water/v1
    edge <base64 of the tree's edge>
    <blank line>
    <signed note over (origin, size, root)>

The edge makes checking cheap: extended by the leaves that came after the mark it must give the head's root, so a start
reads only what was appended since. It needs no signature of its own, because its root is the signed one.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from enum import StrEnum

from registry.audit.ports import EntryReader, HeadRow
from registry.domain.errors import LedgerCorrupt, ProofRejected
from registry.transparency.checkpoint import Checkpoint, open_checkpoint, open_own
from registry.transparency.leaf import leaf_hash
from registry.transparency.merkle import Edge
from registry.transparency.note import LedgerKeys

_HEADER = "registry-high-water/v1"
_EDGE = "edge "


@dataclass(frozen=True, slots=True)
class HighWater:
    """One mark.

    Attributes:
        edge: edge of the tree at that size.
        checkpoint: the signed note over it.
    """

    edge: Edge
    checkpoint: str

    @property
    def size(self) -> int:
        """Entries that the ledger had."""
        return self.edge.size

    def render(self) -> bytes:
        """Return the text of the file; the inverse of ``read_mark``."""
        edge = binascii.b2a_base64(self.edge.to_bytes(), newline=False).decode("ascii")
        return f"{_HEADER}\n{_EDGE}{edge}\n\n{self.checkpoint}".encode()


class Standing(StrEnum):
    """How a database stands to the mark."""

    FOLLOWS = "follows"  # at the mark, or grown from it
    BEHIND = "behind"  # shorter than the mark: entries are lost
    DIFFERS = "differs"  # as long or longer, but another history
    MISSING = "missing"  # there is no mark
    NOT_OURS = "not_ours"  # the mark is damaged, or not signed by this ledger's key


@dataclass(frozen=True, slots=True)
class Compared:
    """What comparing gave: the standing, the mark where it could be read, the database's head."""

    standing: Standing
    mark: HighWater | None
    head: HeadRow

    @property
    def what(self) -> str:
        """Say in words what is the matter."""
        kept = 0 if self.mark is None else self.mark.size
        return {
            Standing.FOLLOWS: f"the database follows its high-water mark of {kept} entries",
            Standing.BEHIND: f"the database has {self.head.size} entries where {kept} were kept: it is an older state",
            Standing.DIFFERS: f"the database's first {kept} entries are not those that were kept: another history",
            Standing.MISSING: "there is no high-water mark, so nothing shows whether the database is an older state",
            Standing.NOT_OURS: "the high-water mark is damaged, or not signed by this ledger's key",
        }[self.standing]


def mark_of(head: HeadRow, verifier: LedgerKeys) -> HighWater:
    """Return the mark over a committed head.

    Raises:
        ProofRejected: the head's checkpoint is not signed by this ledger, or over another tree.
        LedgerCorrupt: the head's edge does not fit its size.
    """
    checkpoint = open_checkpoint(head.checkpoint, verifier, verifier.key.name)
    return _mark(Edge.from_bytes(head.size, head.edge), head.checkpoint, checkpoint)


def read_mark(raw: bytes, verifier: LedgerKeys) -> HighWater:
    """Read a mark, of the present origin or of what it shares with a former one.

    Raises:
        ProofRejected: damaged, of an unknown version, or not signed by this ledger's key.
    """
    top, _, note = raw.partition(b"\n\n")
    try:
        header, edge_line = top.decode("ascii").split("\n")
        edge = binascii.a2b_base64(edge_line.removeprefix(_EDGE), strict_mode=True)
        checkpoint = open_own(note, verifier)
        mark = _mark(Edge.from_bytes(checkpoint.size, edge), note.decode(), checkpoint)
    except (ValueError, LedgerCorrupt):
        raise ProofRejected("the high-water mark is damaged") from None
    if header != _HEADER or mark.render() != raw:
        raise ProofRejected("the high-water mark is damaged or of an unknown version")
    return mark


def compare(raw: bytes | None, reader: EntryReader, verifier: LedgerKeys) -> Compared:
    """Compare a database with the mark.

    Args:
        raw: the mark as kept; None when there is none.
        reader: committed rows, of one moment.
        verifier: the ledger's key.
    """
    head = reader.head()
    if raw is None:
        return Compared(Standing.MISSING, None, head)
    try:
        mark = read_mark(raw, verifier)
    except ProofRejected:
        return Compared(Standing.NOT_OURS, None, head)
    if head.size < mark.size:
        return Compared(Standing.BEHIND, mark, head)
    if not head.checkpoint.startswith(f"{verifier.key.name}\n"):
        return Compared(Standing.DIFFERS, mark, head)  # the database is from before the ledger got its present name
    since = (leaf_hash(row.leaf) for row in reader.scan(mark.size, head.size))
    grown = mark.edge.extend(since)
    is_same = (grown.size, grown.root()) == (head.size, head.root)
    return Compared(Standing.FOLLOWS if is_same else Standing.DIFFERS, mark, head)


def _mark(edge: Edge, note: str, checkpoint: Checkpoint) -> HighWater:
    if (checkpoint.size, checkpoint.root) != (edge.size, edge.root()):
        raise ProofRejected("the checkpoint is over another tree than the edge")
    return HighWater(edge, note)
