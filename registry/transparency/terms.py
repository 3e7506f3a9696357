"""The keys of one ledger in their order: each signs up to a size, where the next one takes over.

The checkpoint at which a key takes over is signed by both, over the tree whose last entry names both. So whoever trusts
one of them can trust the other, and knows up to which size the former signs: whatever is longer under it is refused.

After a loss a key takes over under a name of its own, a new origin: what the former signed beyond the entries that are
left stays true of the former origin and is no contradiction of this one. The two share the entries before the change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from registry.domain.errors import ProofRejected
from registry.transparency._codec import base64_bytes, base64_text, decimal
from registry.transparency.checkpoint import Checkpoint, parse_checkpoint
from registry.transparency.cosignature import (
    Cosigner,
    CosignerKey,
    format_cosigner,
    open_cosignatures,
    parse_cosigner,
)
from registry.transparency.note import Verifier, VerifierKey, format_vkey, open_note, parse_vkey
from registry.transparency.trust_policy import CheckOf

_FIELDS = ("size", "key", "second", "note")
_ORIGIN = re.compile(r"(.+)/e([1-9][0-9]{0,8})(?:-[0-9a-f]{8})?")
_DISTINCT = 8  # hexadecimal digits of the new key's id in the name of its origin


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
        size: of the checkpoint at which the next keys took over.
        note: that checkpoint, signed by these and the next ones, each in both types.
    """

    pair: KeyPair
    size: int
    note: str

    @property
    def next_origin(self) -> str:
        """The origin that the ledger has from then on."""
        return self.note.partition("\n")[0]

    @property
    def is_new_origin(self) -> bool:
        """Whether that is another one than before."""
        return self.next_origin != self.pair.key.name

    @property
    def last(self) -> int:
        """Size of the longest tree that these keys sign under their own origin."""
        return self.size - 1 if self.is_new_origin else self.size

    def render(self) -> str:
        """Return the text of a term, one fact a line; the inverse of ``parse_term``."""
        note = base64_text(self.note.encode())
        values = (self.size, format_vkey(self.pair.key), format_cosigner(self.pair.second), note)
        return "".join(f"{name}: {value}\n" for name, value in zip(_FIELDS, values, strict=True))


def origin_after(origin: str, key_id: str) -> str:
    """Return the name of the origin that follows another one.

    It ends in a part of the new key's id: so a ledger that is gone on with twice, from two copies, has two names.

    Args:
        origin: the one before, for example ``registry.example/audit/e1``.
        key_id: of the key that takes over; it ends in at least 8 hexadecimal digits.
    """
    base, number = _parts_of(origin)
    return f"{base}/e{number + 1}-{key_id[-_DISTINCT:]}"


def epoch_of(origin: str) -> int:
    """Return the number of an origin's epoch: 1 for a ledger that was never gone on with under another name."""
    return _parts_of(origin)[1]


def _parts_of(origin: str) -> tuple[str, int]:
    found = _ORIGIN.fullmatch(origin)
    return (found[1], int(found[2])) if found else (origin, 1)


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
    origin, former = following.key.name, term.pair.key.name
    base, number = _parts_of(former)
    if origin != former and _parts_of(origin) != (base, number + 1):
        raise ProofRejected("the origin that a key took over under does not follow the one before")
    for pair in (term.pair, following):
        checkpoint = parse_checkpoint(open_note(term.note, [Verifier(pair.key, check_of(pair.key))]).text, origin)
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
            self._spans.append((since, term.last, Verifier(term.pair.key, check_of(term.pair.key))))
            since = term.size
        self._since = since
        self._current = Verifier(current.key, check_of(current.key))

    @property
    def key(self) -> VerifierKey:
        """The key that signs now."""
        return self._current.key

    def of_size(self, size: int) -> Sequence[Verifier]:
        """Return the keys that may sign a checkpoint of this size, each under its own name."""
        former = [verifier for since, until, verifier in self._spans if since <= size <= until]
        return (*former, self._current) if size >= self._since else former
