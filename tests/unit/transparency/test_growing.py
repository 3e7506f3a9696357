"""A tree that grows tile by tile."""

from __future__ import annotations

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.growing import GrowingTiles, TileMissing
from registry.transparency.leaf import leaf_hash
from registry.transparency.proofs import Tree
from registry.transparency.tiles import HEIGHT, WIDTH, Tile, tiles_of

HASHES = [leaf_hash(b"%d" % i) for i in range(66_000)]


def grown(*steps: int) -> tuple[GrowingTiles, dict[Tile, bytes]]:
    kept: dict[Tile, bytes] = {}
    tiles = GrowingTiles(kept.__setitem__, kept.get)
    at = 0
    for step in steps:
        tiles.extend(HASHES[at : at + step])
        at += step
    return tiles, kept


@pytest.mark.parametrize("steps", [(1,), (255,), (256,), (257,), (1, 255), (100, 200, 300, 400), (700, 1, 1, 67_000)])
def test_its_tiles_are_those_of_the_tree(steps: tuple[int, ...]) -> None:
    tiles, kept = grown(*steps)
    size = tiles.edge.size
    tree = Tree(HASHES[:size])
    assert tiles.edge.root() == tree.root() == tiles.tree().root()
    for tile in tiles_of(size):
        expected = [tree.complete(HEIGHT * (tile.level or 0), place) for place in range(tile.start, tile.stop)]
        assert list(tiles.hashes(tile)) == expected
        assert (tile in kept) == (tile.width == WIDTH)
    assert set(kept) <= set(tiles_of(size))


def test_a_partial_tile_of_earlier_is_still_given() -> None:
    tiles, _ = grown(600)
    for tile in (Tile(0, 0, 7), Tile(0, 2, 88), Tile(1, 0, 1)):
        assert tile.is_in(600)
        assert len(tiles.hashes(tile)) == tile.width
    assert list(tiles.hashes(Tile(0, 0, 7))) == HASHES[:7]


def test_a_full_tile_that_is_gone_or_cut_is_named() -> None:
    tiles, kept = grown(300)
    kept[Tile(0, 0)] = kept[Tile(0, 0)][:-32]
    with pytest.raises(ProofRejected, match="as wide"):
        tiles.hashes(Tile(0, 0))
    del kept[Tile(0, 0)]
    with pytest.raises(TileMissing):
        tiles.hashes(Tile(0, 0, 3))
