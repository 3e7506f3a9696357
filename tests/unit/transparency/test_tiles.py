"""Tiles: names with one spelling, which tiles a tree has, bundles of entries, and proofs read from tiles."""

from __future__ import annotations

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.leaf import leaf_hash
from registry.transparency.proofs import OutOfTree, Tree
from registry.transparency.tiles import (
    MAX_LEVEL,
    WIDTH,
    Tile,
    TiledTree,
    bundles_of,
    parse_tile,
    read_bundle_of_entries,
    read_hashes,
    tiles_of,
    write_bundle_of_entries,
)

NAMES = {
    "0/000": Tile(0, 0),
    "0/000.p/1": Tile(0, 0, 1),
    "0/000.p/255": Tile(0, 0, 255),
    "0/999": Tile(0, 999),
    "0/x001/000": Tile(0, 1_000),
    "0/x001/x234/067": Tile(0, 1_234_067),
    "63/x009/x223/x372/x036/x854/x775/807": Tile(63, 2**63 - 1),
    "entries/x001/234.p/12": Tile(None, 1_234, 12),
}


@pytest.mark.parametrize(("path", "tile"), NAMES.items(), ids=NAMES)
def test_a_name_is_read_and_written(path: str, tile: Tile) -> None:
    assert parse_tile(path) == tile
    assert tile.path == path


HOSTILE = [
    *("", "/", "0", "0/", "/000", "0//000", "entries", "entries/", "tile/0/000", "0/000/", "0/000/000"),
    *("00/000", "01/000", "+0/000", " 0/000", "-1/000", "64/000", "8x/000", "\u0660/000", "data/000", "Entries/000"),
    *("0/0", "0/00", "0/0000", "0/1000", "0/x1/000", "0/x001", "0/x001/x000", "0/001/000", "0/X001/000"),
    *("0/x000/000", "0/x000/x001/000", "0/x001/00", "0/x0001/000", "0/x001/ 00", "0/\u0661\u0661\u0661"),
    *("0/000.p", "0/000.p/", "0/000.p/0", "0/000.p/256", "0/000.p/257", "0/000.p/01", "0/000.p/+1", "0/000.p/-1"),
    *("0/000.p/1/", "0/000.p/1.p/1", "0/000.P/1", "0/000.p/1 ", "0/000.p/\u0661", "0/000.p/1e1", "0/.p/1"),
    *("0/../0/000", "0/..%2f000", "0/%30%30%30", "0\\000", "0/000\n", "\n0/000", "0/000\0", "0/000?x", "0/000#"),
    *("63/x009/x223/x372/x036/x854/x775/808", "0/" + "x001/" * 7 + "000", "0/" + "9" * 70, "entries/000.p/256"),
]


@pytest.mark.parametrize("path", HOSTILE, ids=[repr(path) for path in HOSTILE])
def test_every_other_spelling_is_refused(path: str) -> None:
    with pytest.raises(ProofRejected, match="not the name"):
        parse_tile(path)


@pytest.mark.parametrize(
    ("level", "index", "width"), [(-1, 0, 1), (MAX_LEVEL + 1, 0, 1), (0, -1, 1), (0, 2**63, 1), (0, 0, 0), (0, 0, 257)]
)
def test_no_other_tile_can_be_made(level: int, index: int, width: int) -> None:
    with pytest.raises(ValueError, match="no such tile"):
        Tile(level, index, width)


def test_a_tree_of_70_000_has_the_tiles_of_the_specification() -> None:
    tiles = list(tiles_of(70_000))
    full = [sum(tile.level == level and tile.width == WIDTH for tile in tiles) for level in range(3)]
    partial = {tile.level: tile.width for tile in tiles if tile.width < WIDTH}
    assert (full, partial, len(tiles)) == ([273, 1, 0], {0: 112, 1: 17, 2: 1}, 277)
    assert [tile.width for tile in bundles_of(70_000)] == [WIDTH] * 273 + [112]


@pytest.mark.parametrize(
    ("size", "names"),
    [
        (0, []),
        (1, ["0/000.p/1"]),
        (255, ["0/000.p/255"]),
        (256, ["0/000", "1/000.p/1"]),
        (257, ["0/000", "0/001.p/1", "1/000.p/1"]),
        (65_536, [f"0/{n:03d}" for n in range(256)] + ["1/000", "2/000.p/1"]),
    ],
)
def test_the_tiles_at_the_boundaries(size: int, names: list[str]) -> None:
    assert [tile.path for tile in tiles_of(size)] == names
    assert all(tile.is_in(size) for tile in (*tiles_of(size), *bundles_of(size)))


def test_a_tree_has_no_tile_beyond_it() -> None:
    assert not Tile(0, 0, 2).is_in(1)
    assert not Tile(0, 1, 1).is_in(256)
    assert not Tile(1, 0, 2).is_in(511)
    assert Tile(1, 0, 2).is_in(512)
    assert not Tile(None, 2, 1).is_in(512)
    assert not Tile(63, 0, 1).is_in(2**63 - 1)
    assert Tile(7, 0, 127).is_in(2**63 - 1)


LEAVES = [b"", b"x", b"y" * 300, b"z" * 65_535]


def test_a_bundle_of_entries_is_read_back() -> None:
    raw = write_bundle_of_entries(LEAVES)
    assert raw[:2] == b"\0\0"
    assert raw[2:5] == b"\0\1x"
    assert read_bundle_of_entries(raw, 4) == tuple(LEAVES)


@pytest.mark.parametrize("width", [1, 3, 5, 256])
def test_a_bundle_holds_as_many_as_its_name_says(width: int) -> None:
    with pytest.raises(ProofRejected, match="bundle of entries"):
        read_bundle_of_entries(write_bundle_of_entries(LEAVES), width)


@pytest.mark.parametrize("cut", [1, 2, 300, 65_000])
def test_a_bundle_that_was_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ProofRejected, match="bundle of entries"):
        read_bundle_of_entries(write_bundle_of_entries(LEAVES)[:-cut], 4)
    with pytest.raises(ProofRejected, match="bundle of entries"):
        read_bundle_of_entries(write_bundle_of_entries(LEAVES) + bytes(1), 4)


@pytest.mark.parametrize("leaves", [[], [b"x"] * 257, [b"x" * 65_536]])
def test_no_other_bundle_is_written(leaves: list[bytes]) -> None:
    with pytest.raises(ValueError, match="a bundle holds"):
        write_bundle_of_entries(leaves)


def test_a_tile_of_hashes_is_as_wide_as_its_name_says() -> None:
    raw = bytes(range(64))
    assert read_hashes(raw, 2) == (raw[:32], raw[32:])
    for width in (1, 3):
        with pytest.raises(ProofRejected, match="as wide"):
            read_hashes(raw, width)


class Shelf:
    """Tiles of a tree, made anew by the words of the specification."""

    def __init__(self, count: int) -> None:
        self.tree = Tree([leaf_hash(b"%d" % i) for i in range(count)])
        self.asked: list[Tile] = []

    def __call__(self, tile: Tile) -> list[bytes]:
        self.asked.append(tile)
        assert tile.level is not None
        assert tile.is_in(self.tree.size)
        return [self.tree.complete(8 * tile.level, place) for place in range(tile.start, tile.stop)]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 513, 1_000])
def test_proofs_read_from_tiles_are_those_of_the_whole_tree(size: int) -> None:
    shelf = Shelf(size)
    tiled = TiledTree(size, shelf)
    assert tiled.root() == shelf.tree.root()
    for index in {0, size // 2, size - 1}:
        assert tiled.inclusion_proof(index) == shelf.tree.inclusion_proof(index)
    for old in range(0, size + 1, max(1, size // 7)):
        assert tiled.consistency_proof(old) == shelf.tree.consistency_proof(old)
        assert tiled.root(old) == shelf.tree.root(old)
    assert len(shelf.asked) == len(set(shelf.asked))


def test_a_proof_of_a_large_tree_reads_few_tiles() -> None:
    shelf = Shelf(70_000)
    tiled = TiledTree(70_000, shelf)
    assert tiled.inclusion_proof(68_000, 70_000) == shelf.tree.inclusion_proof(68_000)
    assert len(shelf.asked) <= 5
    with pytest.raises(OutOfTree):
        tiled.inclusion_proof(70_000)
