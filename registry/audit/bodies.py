"""Openings of entries: the seed and values that the commitments in a leaf commit to, sealed apart from the leaf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from registry.crypto.envelope import Binding, DataKey, seal, unseal
from registry.domain.errors import EnvelopeRejected, LedgerCorrupt
from registry.transparency.leaf import SEED_BYTES, encode_joined, join_commitments, parse_leaf, salt_of


@dataclass(frozen=True, slots=True)
class Opening:
    """What one entry says.

    Attributes:
        seed: 32 random bytes from which the salt of every field follows.
        values: field name to text, in the order of the leaf's commitments.
    """

    seed: bytes = field(repr=False)
    values: Mapping[str, str] = field(repr=False)

    def salt(self, name: str) -> bytes:
        """Return the salt of one field."""
        return salt_of(self.seed, name)

    def encode(self) -> bytes:
        """Return the opening as it is sealed."""
        return orjson.dumps([self.seed.hex(), self.values])

    def commitments(self) -> bytes:
        """Return the commitments that the leaf must hold, one after the other."""
        return join_commitments(self.seed, tuple(self.values), [value.encode() for value in self.values.values()])


class BodyKeys:
    """The keys that openings are sealed under, by epoch."""

    def __init__(self, registry: str, keys: Mapping[int, DataKey]) -> None:
        self._registry = registry
        self._keys = dict(keys)
        self.current = max(self._keys)

    def seal(self, said: bytes, *, index: int, leaf_hash: bytes) -> bytes:
        """Seal an encoded opening to its place: index and leaf hash are bound, so it opens nowhere else."""
        return seal(self._keys[self.current], said, self._binding(index, leaf_hash))

    def open(self, sealed: bytes, *, key_epoch: int, index: int, leaf_hash: bytes) -> Opening:
        """Open what ``seal`` made.

        Raises:
            LedgerCorrupt: the opening does not belong to this entry, was changed, or its key epoch is unknown.
        """
        key = self._keys.get(key_epoch)
        if key is None:
            raise LedgerCorrupt(f"its opening is under unknown key epoch {key_epoch}", index)
        try:
            seed, values = orjson.loads(unseal(key, sealed, self._binding(index, leaf_hash)))
        except EnvelopeRejected as exc:
            raise LedgerCorrupt("its opening was changed or belongs to another entry", index) from exc
        return Opening(bytes.fromhex(seed), values)

    def _binding(self, index: int, leaf_hash: bytes) -> Binding:
        return Binding(
            registry=self._registry, person="ledger", record=leaf_hash.hex(), category="entry", version=index
        )


def new_opening(seed: bytes, values: Mapping[str, str]) -> Opening:
    """Make an opening from a fresh seed."""
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed has 32 bytes")
    return Opening(seed, values)


def check_opening(opening: Opening, leaf: bytes, claimed: tuple[int, str], index: int) -> None:
    """Check that a leaf is the one of its opening: written anew from time, kind and what was opened, it is the same.

    Args:
        opening: what the entry says.
        leaf: as stored.
        claimed: the time and kind that the leaf claims.
        index: of the entry.

    Raises:
        LedgerCorrupt: the leaf has another form, or some field differs from its commitment.
    """
    try:
        written = encode_joined(*claimed, opening.commitments())
    except ValueError:  # it says nothing that a leaf could commit to
        written = b""
    if written != leaf:
        parse_leaf(leaf)
        raise LedgerCorrupt("its opening is not what the leaf commits to", index)
