"""The RFC 6962 Merkle tree as a compact range: all that is needed to append and to know the root.

A tree of ``size`` leaves is a row of perfect subtrees, one per set bit of ``size``, largest first. Their roots are
the edge: at most 63 hashes, however large the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from registry.domain.errors import LedgerCorrupt
from registry.transparency._codec import HASH_BYTES, MAX_SIZE
from registry.transparency.leaf import node_hash

EMPTY_ROOT = sha256(b"").digest()  # RFC 6962 section 2.1: the hash of an empty list

_CHUNK = 2**12  # leaves reduced level by level; bounds memory to about 0.5 MB


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: the roots of its perfect subtrees. Immutable; every change gives a new one.

    Attributes:
        size: number of leaves, below 2^63.
        hashes: one 32-byte root per set bit of ``size``, largest subtree first.
    """

    size: int
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE or len(self.hashes) != self.size.bit_count():
            raise ValueError("an edge has one hash per set bit of its size")

    @classmethod
    def empty(cls) -> Edge:
        """Return the edge of the empty tree."""
        return cls(0, ())

    def append(self, leaf_hash: bytes) -> Edge:
        """Return the edge after one more leaf.

        Args:
            leaf_hash: 32 bytes.
        """
        return self.extend((leaf_hash,))

    def extend(self, leaf_hashes: Iterable[bytes]) -> Edge:
        """Return the edge after more leaves, in order.

        Args:
            leaf_hashes: 32 bytes each.
        """
        stack, size = list(self.hashes), self.size
        for leaf_hash in leaf_hashes:
            if len(leaf_hash) != HASH_BYTES:
                raise ValueError("a leaf hash is 32 bytes")
            node, carry = leaf_hash, size
            while carry & 1:  # like a binary counter: each full pair moves up one level
                node = sha256(b"\x01" + stack.pop() + node).digest()
                carry >>= 1
            stack.append(node)
            size += 1
        return Edge(size, tuple(stack))

    def joined(self, later: Edge) -> Edge:
        """Return the edge after all leaves of another tree, which was made elsewhere.

        Args:
            later: of the leaves that come next. This tree's size is a multiple of each of its perfect subtrees' sizes,
                as where leaves are parted into runs of one power of two.

        Raises:
            ValueError: the other tree's subtrees are none of the tree of both.
        """
        stack, size = list(self.hashes), self.size
        for node, step in zip(later.hashes, _subtrees(later.size), strict=True):
            carry, left = divmod(size, step)
            if left:
                raise ValueError("a subtree begins at a multiple of its size")
            while carry & 1:
                node = node_hash(stack.pop(), node)  # noqa: PLW2901 - the subtree that this one completes
                carry >>= 1
            stack.append(node)
            size += step
        return Edge(size, tuple(stack))

    def root(self) -> bytes:
        """Return the root hash, 32 bytes; that of the empty list for the empty tree."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            root = node_hash(left, root)
        return root

    def to_bytes(self) -> bytes:
        """Return the hashes one after the other, 32 bytes each; the size is stored beside them."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, raw: bytes) -> Edge:
        """Read a stored edge; the inverse of ``to_bytes``.

        Raises:
            LedgerCorrupt: the length does not fit the size.
        """
        if not 0 <= size <= MAX_SIZE or len(raw) != HASH_BYTES * size.bit_count():
            raise LedgerCorrupt("the stored edge does not fit the tree size")
        return cls(size, tuple(raw[i : i + HASH_BYTES] for i in range(0, len(raw), HASH_BYTES)))


def _subtrees(size: int) -> list[int]:
    """Return the sizes of a tree's perfect subtrees, largest first."""
    return [1 << height for height in reversed(range(size.bit_length())) if size >> height & 1]


def edge_of(hashes: Sequence[bytes]) -> Edge:
    """Return the edge of the tree over some leaf hashes (32 bytes each), level by level: faster than one by one."""
    if any(len(leaf_hash) != HASH_BYTES for leaf_hash in hashes):
        raise ValueError("a leaf hash is 32 bytes")
    level, alone = list(hashes), list[bytes]()
    while level:
        if len(level) % 2:
            alone.append(level[-1])  # the whole of its subtree: nothing comes behind it
        level = parents(level)
    return Edge(len(hashes), tuple(reversed(alone)))


def root_of(hashes: Iterable[bytes]) -> bytes:
    """Return the root over many leaf hashes (32 bytes each), in bounded memory."""
    leaves, edge = iter(hashes), Edge.empty()
    while chunk := list(islice(leaves, _CHUNK)):
        edge = edge.joined(edge_of(chunk))
    return edge.root()


def parents(level: list[bytes]) -> list[bytes]:
    """Return the nodes above the complete pairs of a level; a last single node has no parent yet."""
    nodes = iter(level)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes, nodes, strict=False)]
