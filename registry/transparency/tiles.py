"""Tiles (c2sp.org/tlog-tiles): a tree as files of 256 hashes, and its entries in bundles of 256.

A tile's name has exactly one spelling: three digits an element, an ``x`` before all but the last, no leading zeros
in level and width, no element that only pads. Whatever is spelled otherwise is no tile. A width of 256 is written by
leaving it out; sizes and indexes end at 2^63 - 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from registry.domain.errors import ProofRejected
from registry.transparency._codec import HASH_BYTES, MAX_SIZE, decimal
from registry.transparency.leaf import MAX_LEAF_BYTES
from registry.transparency.merkle import root_of
from registry.transparency.proofs import ProvableTree

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_LEVEL = 63
ENTRIES = "entries"
_LENGTH_BYTES = 2
_INDEX = re.compile(r"(?:x[0-9]{3}/){0,6}[0-9]{3}")
_MAX_PATH = 64


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile of hashes, or one bundle of entries.

    Attributes:
        level: 0 for the leaves' hashes, 1 for those of full tiles of level 0, and so on; None for a bundle of entries.
        index: which one of its level, from 0.
        width: hashes or entries in it, 1 to 256; a partial one has fewer than 256.
    """

    level: int | None
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        is_level = self.level is None or 0 <= self.level <= MAX_LEVEL
        if not is_level or not 0 <= self.index <= MAX_SIZE or not 1 <= self.width <= WIDTH:
            raise ValueError("no such tile")

    @property
    def start(self) -> int:
        """Place of its first hash in its level, or index of its first entry."""
        return self.index * WIDTH

    @property
    def stop(self) -> int:
        """Place after its last one."""
        return self.start + self.width

    @property
    def path(self) -> str:
        """Its name under ``tile/``; the inverse of ``parse_tile``."""
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        elements = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        index = "/".join([*(f"x{element}" for element in elements[:-1]), elements[-1]])
        level = ENTRIES if self.level is None else str(self.level)
        return f"{level}/{index}" + (f".p/{self.width}" if self.width < WIDTH else "")

    def is_in(self, size: int) -> bool:
        """Tell whether a tree of that many entries has this tile, or had it as a partial one on its way there."""
        return self.stop <= size >> (HEIGHT * (self.level or 0))


def parse_tile(path: str) -> Tile:
    """Read a tile's name.

    Args:
        path: what stands after ``tile/``.

    Raises:
        ProofRejected: any spelling that ``Tile.path`` would not write.
    """
    level, _, rest = path.partition("/") if len(path) <= _MAX_PATH else ("", "", "")
    index, partial, width = rest.partition(".p/")
    number = None if level == ENTRIES else decimal(level)
    columns = decimal(width) if partial else WIDTH
    if (number is None) != (level == ENTRIES) or columns is None or _INDEX.fullmatch(index) is None:
        raise ProofRejected("not the name of a tile")
    try:
        tile = Tile(number, int(index.replace("x", "").replace("/", "")), columns)
    except ValueError:
        raise ProofRejected("not the name of a tile") from None
    if tile.path != path:
        raise ProofRejected("not the name of a tile")
    return tile


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every tile of hashes of a tree, level by level, each level's partial one last.

    Args:
        size: entries in the tree, not negative.
    """
    level, count = 0, size
    while count:
        yield from (Tile(level, index) for index in range(count // WIDTH))
        if count % WIDTH:
            yield Tile(level, count // WIDTH, count % WIDTH)
        level, count = level + 1, count // WIDTH


def bundles_of(size: int) -> Iterator[Tile]:
    """Yield every bundle of entries of a tree; a partial one last."""
    yield from (Tile(None, index) for index in range(size // WIDTH))
    if size % WIDTH:
        yield Tile(None, size // WIDTH, size % WIDTH)


def write_bundle_of_entries(leaves: Sequence[bytes]) -> bytes:
    """Return a bundle: each leaf after its length in two bytes."""
    if not 1 <= len(leaves) <= WIDTH or any(len(leaf) > MAX_LEAF_BYTES for leaf in leaves):
        raise ValueError("a bundle holds 1 to 256 entries of at most 65,535 bytes")
    return b"".join(len(leaf).to_bytes(_LENGTH_BYTES, "big") + leaf for leaf in leaves)


def read_bundle_of_entries(raw: bytes, width: int) -> tuple[bytes, ...]:
    """Read a bundle; the inverse of ``write_bundle_of_entries``.

    Args:
        raw: its bytes, uncompressed.
        width: how many entries there must be.

    Raises:
        ProofRejected: more, fewer, or cut off in one.
    """
    leaves: list[bytes] = []
    at = 0
    while at < len(raw):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(raw[at:start], "big")
        leaves.append(raw[start:at])
        if start > len(raw) or at > len(raw) or len(leaves) > width:
            raise ProofRejected("the bundle of entries is cut off or holds too many")
    if len(leaves) != width:
        raise ProofRejected("the bundle of entries holds too few")
    return tuple(leaves)


def read_hashes(raw: bytes, width: int) -> tuple[bytes, ...]:
    """Read a tile of hashes.

    Raises:
        ProofRejected: it is not exactly as wide as its name says.
    """
    if len(raw) != width * HASH_BYTES:
        raise ProofRejected("the tile is not as wide as its name says")
    return tuple(raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES))


class TiledTree(ProvableTree):
    """A tree read from tiles, each at most once. **Proves nothing by itself**: compare its root with a signed one."""

    __slots__ = ("_read", "_seen", "_size")

    def __init__(self, size: int, read: Callable[[Tile], Sequence[bytes]]) -> None:
        """Keep how to read.

        Args:
            size: entries in the tree.
            read: gives the hashes of a tile that the tree has, as many as it is wide.
        """
        self._size = size
        self._read = read
        self._seen: dict[Tile, Sequence[bytes]] = {}

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def complete(self, level: int, index: int) -> bytes:
        """Return a complete node, 32 bytes."""
        tile_level, height = divmod(level, HEIGHT)
        first = index << height
        count = self._size >> (HEIGHT * tile_level)
        place = first // WIDTH
        tile = Tile(tile_level, place, min(WIDTH, count - place * WIDTH))
        if tile not in self._seen:
            self._seen[tile] = self._read(tile)
        offset = first - tile.start
        return root_of(self._seen[tile][offset : offset + (1 << height)])
