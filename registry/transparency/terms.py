"""The keys of one ledger in their order: each signs up to a size, where the next one takes over.

The checkpoint at which a key takes over is signed by both, over the tree whose last entry names both. So whoever trusts
one of them can trust the other, and knows up to which size the former signs: whatever is longer under it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from registry.domain.errors import ProofRejected
from registry.transparency._codec import base64_bytes, base64_text, decimal
from registry.transparency.checkpoint import Checkpoint, open_checkpoint
from registry.transparency.cosignature import (
    Cosigner,
    CosignerKey,
    format_cosigner,
    open_cosignatures,
    parse_cosigner,
)
from registry.transparency.note import Verifier, VerifierKey, format_vkey, parse_vkey
from registry.transparency.trust_policy import CheckOf

_FIELDS = ("size", "key", "second", "note")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The two public keys that sign for a ledger at a time, both under its name.

    Attributes:
        key: Ed25519, on every checkpoint.
        second: ML-DSA-44, on published ones.
    """

    key: VerifierKey
    second: CosignerKey

    def words(self) -> str:
        """Return both verifier keys with a space between them, as an entry of kind ``key`` names them."""
        return f"{format_vkey(self.key)} {format_cosigner(self.second)}"


@dataclass(frozen=True, slots=True)
class KeyTerm:
    """Keys that signed up to a size.

    Attributes:
        pair: the keys.
        size: of the checkpoint at which the next keys took over; the last one that these sign.
        note: that checkpoint, signed by these and the next ones, each in both types.
    """

    pair: KeyPair
    size: int
    note: str

    def render(self) -> str:
        """Return the text of a term, one fact a line; the inverse of ``parse_term``."""
        note = base64_text(self.note.encode())
        values = (self.size, format_vkey(self.pair.key), format_cosigner(self.pair.second), note)
        return "".join(f"{name}: {value}\n" for name, value in zip(_FIELDS, values, strict=True))


def parse_term(text: str) -> KeyTerm:
    """Read a term, **without verifying its note**; ``demand_succession`` does.

    Raises:
        ProofRejected: any other text than ``KeyTerm.render`` writes.
    """
    lines = [line.partition(": ") for line in text.split("\n")[:-1]]
    if tuple(name for name, _, _ in lines) != _FIELDS:
        raise ProofRejected("the term of a ledger's key is malformed")
    stated, key, second, encoded = (value for _, _, value in lines)
    size, note = decimal(stated), base64_bytes(encoded)
    if size is None or note is None:
        raise ProofRejected("the term of a ledger's key is malformed")
    pair = KeyPair(parse_vkey(key), parse_cosigner(second))
    term = KeyTerm(pair, size, note.decode("utf-8", "replace"))
    if term.render() != text:
        raise ProofRejected("the term of a ledger's key is malformed")
    return term


def demand_succession(term: KeyTerm, following: KeyPair, check_of: CheckOf) -> Checkpoint:
    """Check that a term's checkpoint is signed by its keys and by those that took over.

    Args:
        term: of the former keys.
        following: the next ones.
        check_of: gives the means to check the signatures of a key.

    Raises:
        ProofRejected: a signature lacks or does not verify, or the checkpoint is of another size or ledger.
    """
    origin = term.pair.key.name
    for pair in (term.pair, following):
        checkpoint = open_checkpoint(term.note, Verifier(pair.key, check_of(pair.key)), origin)
        if not open_cosignatures(term.note, (Cosigner(pair.second, check_of(pair.second)),), origin):
            raise ProofRejected("the checkpoint at which a key took over lacks a second signature")
    if checkpoint.size != term.size:
        raise ProofRejected("the checkpoint at which a key took over is of another size")
    return checkpoint


class KeyOrder:
    """The keys of one ledger, former and present; a ``LedgerKeys``."""

    def __init__(self, terms: Sequence[KeyTerm], current: KeyPair, check_of: CheckOf) -> None:
        """Check every succession.

        Raises:
            ProofRejected: one does not hold, or sizes do not grow.
        """
        nexts = [*(term.pair for term in terms), current][1:]
        since = 0
        self._spans: list[tuple[int, int, Verifier]] = []
        for term, following in zip(terms, nexts, strict=True):
            demand_succession(term, following, check_of)
            if term.size <= since or term.pair == following:
                raise ProofRejected("the terms of a ledger's keys are out of order")
            self._spans.append((since, term.size, Verifier(term.pair.key, check_of(term.pair.key))))
            since = term.size
        self._since = since
        self._current = Verifier(current.key, check_of(current.key))

    @property
    def key(self) -> VerifierKey:
        """The key that signs now."""
        return self._current.key

    def of_size(self, size: int) -> Sequence[Verifier]:
        """Return the keys that may sign a checkpoint of this size."""
        former = [verifier for since, until, verifier in self._spans if since <= size <= until]
        return (*former, self._current) if size >= self._since else former
