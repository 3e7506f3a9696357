"""The compact range."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import pytest

from registry.domain.errors import LedgerCorrupt
from registry.transparency.merkle import EMPTY_ROOT, Edge, edge_of, root_of

HASHES = [sha256(bytes([i])).digest() for i in range(40)]


def test_an_edge_grows_by_one_leaf_or_by_many() -> None:
    edges = [Edge.empty()]
    for leaf in HASHES:
        edges.append(edges[-1].append(leaf))
    assert [edge.size for edge in edges] == list(range(41))
    assert edges[-1] == Edge.empty().extend(HASHES) == edges[13].extend(iter(HASHES[13:]))
    assert all(before.root() != after.root() for before, after in pairwise(edges))


def test_appending_leaves_the_older_edge_alone() -> None:
    edge = Edge.empty().extend(HASHES[:7])
    before = edge.to_bytes()
    edge.append(HASHES[7])
    assert edge.to_bytes() == before


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Edge.empty().root() == EMPTY_ROOT == root_of([]) == sha256(b"").digest()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 21, 32])
def test_an_edge_survives_storage(size: int) -> None:
    edge = Edge.empty().extend(HASHES[:size])
    assert Edge.from_bytes(size, edge.to_bytes()) == edge


@pytest.mark.parametrize(("size", "length"), [(3, 32), (3, 96), (2, 31), (0, 32), (-1, 0), (2**63, 32), (1, 0)])
def test_a_stored_edge_must_fit_its_size(size: int, length: int) -> None:
    with pytest.raises(LedgerCorrupt):
        Edge.from_bytes(size, b"x" * length)


def test_an_edge_must_fit_its_size() -> None:
    with pytest.raises(ValueError):
        Edge(2, (HASHES[0], HASHES[1]))


def test_a_flipped_bit_in_a_stored_edge_changes_the_root() -> None:
    edge = Edge.empty().extend(HASHES[:21])
    raw = bytearray(edge.to_bytes())
    for position in range(len(raw)):
        raw[position] ^= 1
        assert Edge.from_bytes(21, bytes(raw)).root() != edge.root()
        raw[position] ^= 1


@pytest.mark.parametrize("wrong", [b"", b"x" * 31, b"x" * 33])
def test_a_leaf_hash_has_32_bytes(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Edge.empty().append(wrong)
    with pytest.raises(ValueError, match="32 bytes"):
        root_of([wrong])
    with pytest.raises(ValueError, match="32 bytes"):
        root_of([wrong] * 4096)


@pytest.mark.parametrize("size", [4095, 4096, 4097, 8191, 8192, 12_289])
def test_folding_whole_chunks_gives_the_same_root(size: int) -> None:
    hashes = [sha256(b"%d" % i).digest() for i in range(size)]
    assert root_of(iter(hashes)) == Edge.empty().extend(hashes).root()


@pytest.mark.parametrize("run", [1, 2, 8, 32])
def test_trees_over_runs_join_to_the_tree_over_all(run: int) -> None:
    for size in range(41):
        edge = Edge.empty()
        for start in range(0, size, run):
            edge = edge.joined(edge_of(HASHES[start : min(start + run, size)]))
        assert edge == Edge.empty().extend(HASHES[:size]) == edge_of(HASHES[:size])


def test_a_tree_that_is_no_part_of_the_whole_is_not_joined() -> None:
    with pytest.raises(ValueError):
        edge_of(HASHES[:3]).joined(edge_of(HASHES[3:5]))
    with pytest.raises(ValueError):
        edge_of([HASHES[0], HASHES[1][1:]])
