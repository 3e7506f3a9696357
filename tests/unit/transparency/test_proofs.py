"""Inclusion and consistency proofs: the decided edge cases. Laws are in tests/property, known answers in vectors."""

from __future__ import annotations

from hashlib import sha256

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.leaf import node_hash
from registry.transparency.merkle import EMPTY_ROOT
from registry.transparency.proofs import (
    MAX_PROOF_HASHES,
    OutOfTree,
    Span,
    Tree,
    consistency_path,
    consistency_proof,
    inclusion_path,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)

HASHES = [sha256(bytes([i])).digest() for i in range(21)]
TREE = Tree(HASHES)


def test_a_path_names_the_siblings_from_leaf_to_root() -> None:
    assert inclusion_path(0, 1) == ()
    assert inclusion_path(4, 7) == (Span(5, 6), Span(6, 7), Span(0, 4))
    assert consistency_path(3, 7) == (Span(2, 3), Span(3, 4), Span(0, 2), Span(4, 7))
    assert consistency_path(4, 7) == (Span(4, 7),)


def test_paths_of_the_largest_trees_are_short() -> None:
    assert len(inclusion_path(0, 2**63 - 1)) == MAX_PROOF_HASHES
    assert len(consistency_path(1, 2**63 - 1)) == MAX_PROOF_HASHES
    assert len(consistency_path(2**63 - 3, 2**63 - 1)) <= MAX_PROOF_HASHES + 1


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (0, 2**63), (22, 21)])
def test_there_is_no_path_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(OutOfTree):
        inclusion_path(index, size)


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 1), (0, 2**63)])
def test_there_is_no_path_between_trees_out_of_order(old: int, new: int) -> None:
    with pytest.raises(OutOfTree):
        consistency_path(old, new)


def test_a_tree_proves_nothing_beyond_itself() -> None:
    with pytest.raises(OutOfTree):
        TREE.root(22)
    with pytest.raises(OutOfTree):
        TREE.inclusion_proof(0, -1)
    with pytest.raises(OutOfTree):
        TREE.consistency_proof(1, 22)
    with pytest.raises(ValueError, match="32 bytes"):
        Tree([*HASHES, b"short"])


def test_single_proofs_are_those_of_a_tree() -> None:
    assert inclusion_proof(5, 13, HASHES) == TREE.inclusion_proof(5, 13)
    assert consistency_proof(5, 13, HASHES) == TREE.consistency_proof(5, 13)
    assert Tree([]).root() == EMPTY_ROOT


def _check_inclusion(**changed: object) -> None:
    given = {
        "index": 6,
        "size": 21,
        "leaf_hash": HASHES[6],
        "proof": TREE.inclusion_proof(6),
        "root": TREE.root(),
        **changed,
    }
    verify_inclusion(**given)  # type: ignore[arg-type]  # one place for all cases


def test_the_example_is_included() -> None:
    assert len(TREE.inclusion_proof(6)) == 5
    _check_inclusion()


PROOF = TREE.inclusion_proof(6)


@pytest.mark.parametrize(
    "changed",
    [
        {"index": 7},
        {"index": -1},
        {"index": 21},
        {"index": 6 + 2**63},
        {"size": 0},
        {"size": 6},
        {"size": 33},
        {"size": 2**63},
        {"leaf_hash": HASHES[7]},
        {"leaf_hash": HASHES[6] + b"\0"},
        {"leaf_hash": b""},
        {"root": TREE.root(20)},
        {"root": b""},
        {"proof": ()},
        {"proof": PROOF[:-1]},
        {"proof": PROOF[1:]},
        {"proof": (*PROOF, HASHES[0])},
        {"proof": (HASHES[0], *PROOF)},
        {"proof": PROOF[::-1]},
        {"proof": (*PROOF[:-1], PROOF[-1] + b"\0")},
        {"proof": (*PROOF[:-1], PROOF[-1][:-1])},
        {"proof": PROOF * 100},
    ],
)
def test_a_wrong_inclusion_proof_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ProofRejected):
        _check_inclusion(**changed)


def test_a_proof_that_is_too_long_is_refused_though_it_leads_to_the_root() -> None:
    """A dishonest ledger may sign any root for any size; the shape of the proof must fit the size all the same."""
    with pytest.raises(ProofRejected, match="too long"):
        verify_inclusion(index=0, size=1, leaf_hash=HASHES[1], proof=(HASHES[0],), root=TREE.root(2))
    old, new = node_hash(HASHES[0], TREE.root(6)), node_hash(HASHES[0], TREE.root())
    with pytest.raises(ProofRejected, match="too long"):
        verify_consistency(old_size=6, new_size=21, old_root=old, new_root=new, proof=(*STEPS, HASHES[0]))


def test_an_inner_node_is_not_a_leaf() -> None:
    """The second preimage that RFC 6962's prefixes rule out: a node offered as a leaf of a smaller tree."""
    left, right = TREE.root(2), Tree(HASHES[2:4]).root()
    with pytest.raises(ProofRejected):
        verify_inclusion(index=0, size=4, leaf_hash=left, proof=(right,), root=TREE.root(4))


def _check_consistency(**changed: object) -> None:
    given = {
        "old_size": 6,
        "new_size": 21,
        "old_root": TREE.root(6),
        "new_root": TREE.root(),
        "proof": TREE.consistency_proof(6),
        **changed,
    }
    verify_consistency(**given)  # type: ignore[arg-type]  # one place for all cases


def test_the_examples_are_consistent() -> None:
    _check_consistency()
    _check_consistency(old_size=8, old_root=TREE.root(8), proof=TREE.consistency_proof(8))
    assert TREE.consistency_proof(21) == ()


def test_everything_continues_the_empty_tree() -> None:
    assert TREE.consistency_proof(0) == ()
    _check_consistency(old_size=0, old_root=EMPTY_ROOT, proof=())
    _check_consistency(old_size=0, new_size=0, old_root=EMPTY_ROOT, new_root=EMPTY_ROOT, proof=())


def test_a_tree_continues_itself() -> None:
    _check_consistency(old_size=21, old_root=TREE.root(), proof=())


STEPS = TREE.consistency_proof(6)


@pytest.mark.parametrize(
    "changed",
    [
        {"old_size": 0, "old_root": TREE.root(1), "proof": ()},
        {"old_size": 0, "old_root": EMPTY_ROOT, "proof": (HASHES[0],)},
        {"old_size": 0, "new_size": 0, "old_root": EMPTY_ROOT, "new_root": TREE.root(), "proof": ()},
        {"old_size": 21, "old_root": TREE.root(20), "proof": ()},
        {"old_size": 21, "old_root": TREE.root(), "proof": (HASHES[0],)},
        {"old_size": 21, "new_size": 6, "old_root": TREE.root(), "new_root": TREE.root(6)},
        {"old_size": 2, "new_size": 1, "old_root": HASHES[0], "new_root": HASHES[0], "proof": ()},
        {"old_size": -1},
        {"new_size": 2**63},
        {"old_size": 5},
        {"old_size": 7},
        {"new_size": 33},
        {"old_root": TREE.root(5)},
        {"new_root": TREE.root(20)},
        {"old_root": b""},
        {"proof": ()},
        {"old_size": 8, "old_root": TREE.root(8), "proof": ()},
        {"proof": STEPS[:-1]},
        {"proof": STEPS[1:]},
        {"proof": (*STEPS, HASHES[0])},
        {"proof": (HASHES[0], *STEPS)},
        {"proof": STEPS[::-1]},
        {"proof": (*STEPS[:-1], STEPS[-1] + b"\0")},
        {"proof": STEPS * 100},
    ],
)
def test_a_wrong_consistency_proof_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ProofRejected):
        _check_consistency(**changed)
