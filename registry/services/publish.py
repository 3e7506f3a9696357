"""Publishing the ledger: no checkpoint leaves before its root was made anew from the leaves as they are read back.

A memory that flips one bit, a row that somebody changed, an edge that does not belong: all of them end here, before
others hold a signature over them. The tiles that proofs need are written first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar

from registry.audit.high_water import mark_of
from registry.audit.ports import EntryReader, EntryRow, HeadRow
from registry.domain.clock import Clock, unix_ms
from registry.domain.errors import AuditUnavailable, LedgerCorrupt, NotFound, ProofRejected
from registry.services.ports import Database
from registry.transparency.checkpoint import Checkpoint
from registry.transparency.growing import GrowingTiles, TileMissing
from registry.transparency.leaf import leaf_hash
from registry.transparency.merkle import Edge
from registry.transparency.note import LedgerKeys
from registry.transparency.proofs import verify_consistency
from registry.transparency.tiles import WIDTH, Tile, read_hashes, write_bundle_of_entries

_AT_ONCE = 2_048

Given = TypeVar("Given")


class TileShelf(Protocol):
    """Where full tiles are kept."""

    def get(self, tile: Tile) -> bytes | None:
        """Return a full tile, or None."""
        ...

    def put(self, tile: Tile, raw: bytes) -> None:
        """Keep a full tile; ``LedgerCorrupt`` when another content has its name."""
        ...

    def set_aside(self) -> None:
        """Keep what is there under another name, and begin anew."""
        ...


# Gives the line of the second signature, of a checkpoint published at a moment (seconds since 1970 UTC).
SecondSignature = Callable[[Checkpoint, int], str]


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint that may leave.

    Attributes:
        checkpoint: what it says.
        note: the signed note, with the second signature.
    """

    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, slots=True)
class Signing:
    """How checkpoints are signed: the key that the ledger's first signature verifies with, and the second one."""

    verifier: LedgerKeys
    second: SecondSignature


class _OtherTree(Exception):
    """What was read gives another root than the head's."""


class Publisher:
    """Gives out the ledger's checkpoints, tiles and proofs. One a process; its threads take turns."""

    def __init__(self, database: Database, clock: Clock, signing: Signing, shelf: TileShelf) -> None:
        self._database = database
        self._clock = clock
        self._signing = signing
        self._shelf = shelf
        self._lock = threading.Lock()
        self._tiles: GrowingTiles | None = None
        self._published: Published | None = None

    def publish(self) -> Published:
        """Return the newest checkpoint.

        Raises:
            AuditUnavailable: ``head_mismatch`` when leaves and head do not fit, ``rolled_back`` when the ledger is
                shorter than it was; or the tiles cannot be written.
        """
        with self._lock:
            return self._publish()

    def tile(self, tile: Tile) -> bytes:
        """Return a tile of hashes, or a bundle of entries.

        Raises:
            NotFound: the ledger is not as long.
            LedgerCorrupt: an entry is not the one that was published.
            AuditUnavailable: as for ``publish``.
        """
        with self._lock:
            return self._from_tiles(lambda tiles: self._tile(tiles, tile))

    def proof(self, old_size: int, checkpoint: Checkpoint) -> tuple[bytes, ...]:
        """Return the proof that a published checkpoint continues the tree of ``old_size``.

        Raises:
            NotFound: that tree is longer than the checkpoint's.
            AuditUnavailable: as for ``publish``.
        """
        with self._lock:
            return self._from_tiles(lambda tiles: _proof(tiles, old_size, checkpoint))

    def inclusion(self, index: int, checkpoint: Checkpoint) -> tuple[bytes, ...]:
        """Return the proof that an entry stands in the tree of a published checkpoint.

        Raises:
            NotFound: that tree is longer than what is published.
            AuditUnavailable: as for ``publish``.
        """
        with self._lock:
            return self._from_tiles(
                lambda tiles: _within(tiles, checkpoint.size).tree().inclusion_proof(index, checkpoint.size)
            )

    def root(self, size: int) -> bytes:
        """Return the root that the ledger had at a size.

        Raises:
            NotFound: the ledger is not as long.
            AuditUnavailable: as for ``publish``.
        """
        with self._lock:
            return self._from_tiles(lambda tiles: _within(tiles, size).tree().root(size))

    def _publish(self) -> Published:
        with self._database.reader() as reader:
            head = reader.head()
            known = self._published
            if known is not None and self._tiles is not None and known.note.startswith(head.checkpoint):
                return known
            self._demand_own(head)
            self._tiles = self._follow(reader, head)
        checkpoint = Checkpoint(self._signing.verifier.key.name, head.size, head.root)
        line = self._signing.second(checkpoint, unix_ms(self._clock.now()) // 1000)
        self._published = Published(checkpoint, head.checkpoint + line)
        return self._published

    def _demand_own(self, head: HeadRow) -> None:
        try:
            mark_of(head, self._signing.verifier)
        except (ProofRejected, LedgerCorrupt):
            raise AuditUnavailable("head_mismatch") from None
        if self._published is not None and head.size < self._published.checkpoint.size:
            raise AuditUnavailable("rolled_back")

    def _follow(self, reader: EntryReader, head: HeadRow) -> GrowingTiles:
        """Grow the tiles to the head. What fails is dropped and made anew: nothing half done is gone on with."""
        tiles, self._tiles = self._tiles, None
        try:
            return _grown(tiles or self._from_shelf(head.size), reader, head)
        except (_OtherTree, LedgerCorrupt, ProofRejected):
            pass  # tiles or leaves are at fault: the leaves alone tell which
        edge = Edge.empty().extend(leaf_hash(row.leaf) for row in reader.scan(0, head.size))
        if (edge.size, edge.root()) != (head.size, head.root):
            raise AuditUnavailable("head_mismatch")
        self._shelf.set_aside()
        return _grown(GrowingTiles(self._shelf.put, self._shelf.get), reader, head)

    def _from_shelf(self, size: int) -> GrowingTiles:
        tiles = GrowingTiles(self._shelf.put, self._shelf.get)
        for index in range(size // WIDTH):
            raw = self._shelf.get(Tile(0, index))
            if raw is None:
                break
            tiles.extend(read_hashes(raw, WIDTH))
        return tiles

    def _from_tiles(self, give: Callable[[GrowingTiles], Given]) -> Given:
        """Give something of the published tree; once more from the leaves when a tile turns out to be gone or wrong."""
        for is_last in (False, True):
            self._publish()
            if self._tiles is None:
                raise AuditUnavailable("head_mismatch")
            try:
                return give(self._tiles)
            except (TileMissing, ProofRejected):
                self._tiles = self._published = None
                if is_last:
                    raise AuditUnavailable("storage_error") from None
        raise AssertionError("unreachable")

    def _tile(self, tiles: GrowingTiles, tile: Tile) -> bytes:
        if not tile.is_in(tiles.edge.size):
            raise NotFound
        if tile.level is not None:
            return b"".join(tiles.hashes(tile))
        with self._database.reader() as reader:
            rows = list(reader.scan(tile.start, tile.stop))
        expected = tiles.hashes(Tile(0, tile.index, tile.width))
        if len(rows) != tile.width:
            raise LedgerCorrupt("an entry is missing", tile.start)
        for row, published in zip(rows, expected, strict=True):
            if leaf_hash(row.leaf) != published:
                raise LedgerCorrupt("it is not the one that was published", row.index)
        return write_bundle_of_entries([row.leaf for row in rows])


def _proof(tiles: GrowingTiles, old_size: int, new: Checkpoint) -> tuple[bytes, ...]:
    if old_size > new.size:
        raise NotFound
    tree = _within(tiles, new.size).tree()
    proof = tree.consistency_proof(old_size, new.size)
    # A changed tile must not make us accuse ourselves of a second history.
    old_root = tree.root(old_size)
    verify_consistency(old_size=old_size, new_size=new.size, old_root=old_root, new_root=new.root, proof=proof)
    return proof


def _within(tiles: GrowingTiles, size: int) -> GrowingTiles:
    if size > tiles.edge.size:
        raise NotFound
    return tiles


def _grown(tiles: GrowingTiles, reader: EntryReader, head: HeadRow) -> GrowingTiles:
    rows: Iterable[EntryRow] = iter(reader.scan(tiles.edge.size, head.size))
    while hashes := [leaf_hash(row.leaf) for row in islice(rows, _AT_ONCE)]:
        tiles.extend(hashes)
    if (tiles.edge.size, tiles.edge.root()) != (head.size, head.root):
        raise _OtherTree
    return tiles
