"""Inclusion and consistency proofs (RFC 9162 section 2.1): made from leaf hashes, verified from nothing else.

Edge cases that libraries treat differently are decided here:

* Anything is consistent with the empty tree, with an empty proof (as the witness specification demands).
* A tree is consistent with itself, with an empty proof and equal roots only.
* A hash of any length but 32 bytes is refused, and so is a proof with one hash too many.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from registry.domain.errors import ProofRejected
from registry.transparency._codec import HASH_BYTES, MAX_SIZE
from registry.transparency.leaf import node_hash
from registry.transparency.merkle import EMPTY_ROOT, parents

MAX_PROOF_HASHES = 63  # the height of a tree of 2^63 - 1 leaves


class OutOfTree(ValueError):
    """An index or size that the tree does not have; the caller should have looked."""


class Span(NamedTuple):
    """A node, named by the leaves under it: ``begin <= index < end`` (MTH(D[begin:end]) in RFC 9162)."""

    begin: int
    end: int


def inclusion_path(index: int, size: int) -> tuple[Span, ...]:
    """Name the sibling nodes that prove one entry is in the tree.

    Args:
        index: 0-based, ``0 <= index < size``.
        size: entries in the tree, not bytes.

    Returns:
        Nodes from leaf to root, at most 63; none for a one-entry tree.

    Raises:
        OutOfTree: index is not below size, or size is not below 2^63.

    Source:
        RFC 9162 section 2.1.3.1.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise OutOfTree("no such entry in a tree of this size")
    path: list[Span] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(Span(middle, end))
            end = middle
        else:
            path.append(Span(begin, middle))
            begin = middle
    return tuple(reversed(path))


def consistency_path(old_size: int, new_size: int) -> tuple[Span, ...]:
    """Name the nodes that prove a tree is the continuation of an older one.

    Args:
        old_size: entries in the older tree, not negative.
        new_size: entries in the newer tree, not less.

    Returns:
        Nodes in proof order, at most 64; none if the trees are the same or the older one is empty.

    Raises:
        OutOfTree: the sizes are not in order.

    Source:
        RFC 9162 section 2.1.4.1.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise OutOfTree("the older tree is not the smaller one")
    if old_size in {0, new_size}:
        return ()
    path: list[Span] = []
    begin, end = 0, new_size
    while old_size != end:
        middle = begin + _split(end - begin)
        if old_size <= middle:
            path.append(Span(middle, end))
            end = middle
        else:
            path.append(Span(begin, middle))
            begin = middle
    if begin:  # the older tree's own root is known to the verifier and left out
        path.append(Span(begin, end))
    return tuple(reversed(path))


class ProvableTree(ABC):
    """A tree whose complete nodes can be looked up; makes any number of proofs, of any size up to its own."""

    __slots__ = ()

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of leaves."""

    @abstractmethod
    def complete(self, level: int, index: int) -> bytes:
        """Return the node over the leaves ``index * 2**level`` up to ``(index + 1) * 2**level``, 32 bytes."""

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first ``size`` leaves (all of them by default), 32 bytes."""
        wanted = self._sized(size)
        return self._node(Span(0, wanted)) if wanted else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that leaf ``index`` is in the tree of the first ``size`` leaves.

        Raises:
            OutOfTree: no such leaf or tree.
        """
        return tuple(self._node(span) for span in inclusion_path(index, self._sized(size)))

    def consistency_proof(self, old_size: int, new_size: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that the tree of ``new_size`` leaves continues that of ``old_size``.

        Raises:
            OutOfTree: no such trees.
        """
        return tuple(self._node(span) for span in consistency_path(old_size, self._sized(new_size)))

    def _sized(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise OutOfTree("no tree of this size")
        return size

    def _node(self, span: Span) -> bytes:
        """Return the hash over a span that some tree has as a node: complete parts are there, the rest is folded."""
        begin, end = span
        parts: list[bytes] = []
        while begin < end:
            level = (end - begin).bit_length() - 1
            parts.append(self.complete(level, begin >> level))
            begin += 1 << level
        node = parts.pop()
        while parts:
            node = node_hash(parts.pop(), node)
        return node


class Tree(ProvableTree):
    """All complete nodes over a list of leaf hashes, built once. Needs about twice the memory of the leaf hashes."""

    __slots__ = ("_levels",)

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        """Build the levels.

        Args:
            leaf_hashes: 32 bytes each, in order.
        """
        if any(len(leaf_hash) != HASH_BYTES for leaf_hash in leaf_hashes):
            raise ValueError("a leaf hash is 32 bytes")
        self._levels = [list(leaf_hashes)]
        while len(self._levels[-1]) > 1:
            self._levels.append(parents(self._levels[-1]))

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0])

    def complete(self, level: int, index: int) -> bytes:
        """Return a complete node, 32 bytes."""
        return self._levels[level][index]


def inclusion_proof(index: int, size: int, leaf_hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return one inclusion proof; for several over the same leaves, build a ``Tree``.

    Args:
        index: the entry's index.
        size: size of the tree to prove it in.
        leaf_hashes: at least the first ``size`` leaf hashes, 32 bytes each.
    """
    return Tree(leaf_hashes[:size]).inclusion_proof(index, size)


def consistency_proof(old_size: int, new_size: int, leaf_hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return one consistency proof; for several over the same leaves, build a ``Tree``.

    Args:
        old_size: the older tree's size.
        new_size: the newer tree's size.
        leaf_hashes: at least the first ``new_size`` leaf hashes, 32 bytes each.
    """
    return Tree(leaf_hashes[:new_size]).consistency_proof(old_size, new_size)


def verify_inclusion(*, index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf is in a tree.

    Args:
        index: the leaf's index.
        size: the tree's size.
        leaf_hash: SHA-256(0x00 || leaf).
        proof: 32-byte hashes from leaf to root.
        root: the tree's root, from a verified checkpoint.

    Raises:
        ProofRejected: it does not follow.

    Source:
        RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofRejected("the index is not below the tree size")
    _demand_hashes([*proof, leaf_hash, root])
    position, last = index, size - 1
    node = leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofRejected("the inclusion proof is too long")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:  # the right edge has no sibling on these levels
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last or node != root:
        raise ProofRejected("the inclusion proof does not lead to the root")


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that a tree continues an older one.

    Args:
        old_size: the older tree's size.
        new_size: the newer tree's size.
        old_root: the older tree's root, from a verified checkpoint.
        new_root: the newer tree's root, from a verified checkpoint.
        proof: 32-byte hashes.

    Raises:
        ProofRejected: it does not follow.

    Source:
        RFC 9162 section 2.1.4.2.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise ProofRejected("the newer tree is the smaller one")
    _demand_hashes([*proof, old_root, new_root])
    if old_size in {0, new_size}:
        if proof or old_root != (EMPTY_ROOT if old_size == 0 else new_root):
            raise ProofRejected("trees of one size or none have equal roots and an empty proof")
        if new_size == 0 and new_root != EMPTY_ROOT:
            raise ProofRejected("the root of the empty tree is another one")
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # a power of two: the older root is a node of the newer tree
        path.insert(0, old_root)
    if not path or _replayed(old_size, new_size, path) != (old_root, new_root):
        raise ProofRejected("the consistency proof does not lead to both roots")


def _replayed(old_size: int, new_size: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the roots of the older and the newer tree that a path leads to."""
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for node in path[1:]:
        if last == 0:
            raise ProofRejected("the consistency proof is too long")
        if position & 1 or position == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, node)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofRejected("the consistency proof is too short")
    return old, new


def _split(count: int) -> int:
    """Return the largest power of two below ``count`` (count > 1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _demand_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofRejected("a hash is not 32 bytes")
