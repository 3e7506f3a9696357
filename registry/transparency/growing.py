"""A tree that grows and writes its full tiles; what is not full yet stays in memory, at most 255 hashes a level."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from registry.transparency.merkle import Edge, root_of
from registry.transparency.tiles import WIDTH, Tile, TiledTree, read_hashes

Keep = Callable[[Tile, bytes], None]
Find = Callable[[Tile], bytes | None]


class TileMissing(LookupError):
    """A full tile that was written is not there any more."""


class GrowingTiles:
    """The tiles of a tree from its first leaf on. After an exception in ``extend`` it is of no more use."""

    def __init__(self, keep: Keep, find: Find) -> None:
        """Begin with the empty tree.

        Args:
            keep: puts a full tile where it stays.
            find: gives a full tile back.
        """
        self._keep = keep
        self._find = find
        self._edge = Edge.empty()
        self._rows: list[list[bytes]] = []  # by level, the hashes that fill no tile yet
        self._full: list[int] = []  # by level, how many full tiles there are

    @property
    def edge(self) -> Edge:
        """The tree's right edge: size and root."""
        return self._edge

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Append leaves.

        Args:
            leaf_hashes: 32 bytes each, in order.
        """
        self._edge = self._edge.extend(leaf_hashes)
        self._fill(0, leaf_hashes)

    def hashes(self, tile: Tile) -> Sequence[bytes]:
        """Return the hashes of a tile that the tree has, or had as a partial one.

        Raises:
            TileMissing: it was written, and is gone.
            ProofRejected: what stands in its place is of another width.
        """
        level = tile.level or 0
        if tile.index == self._full[level]:
            return self._rows[level][: tile.width]
        raw = self._find(Tile(level, tile.index))
        if raw is None:
            raise TileMissing
        return read_hashes(raw, WIDTH)[: tile.width]

    def tree(self) -> TiledTree:
        """Return the tree as it is now, for proofs."""
        return TiledTree(self._edge.size, self.hashes)

    def _fill(self, level: int, hashes: Sequence[bytes]) -> None:
        if level == len(self._rows):
            self._rows.append([])
            self._full.append(0)
        row = [*self._rows[level], *hashes]
        above: list[bytes] = []
        for at in range(0, len(row) - WIDTH + 1, WIDTH):
            chunk = row[at : at + WIDTH]
            self._keep(Tile(level, self._full[level]), b"".join(chunk))
            self._full[level] += 1
            above.append(root_of(chunk))
        self._rows[level] = row[len(above) * WIDTH :]
        if above:
            self._fill(level + 1, above)
