"""Bundles with changes of the ledger's key, of a ledger whose keys sign anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from registry.transparency.bundle import (
    BundleEntry,
    EvidenceBundle,
    KeyChange,
    OlderCheckpoint,
    StampedCheckpoint,
    open_fields,
    write_bundle,
)
from registry.transparency.checkpoint import Checkpoint, checkpoint_text
from registry.transparency.offline import verify_bundle as offline
from registry.transparency.proofs import Tree
from tests.unit.transparency.cosigners import MadeUp, ed25519, lattice
from tests.unit.transparency.support import CHAIN, ORIGIN, Ledger, Signer, seed_of

SIZE, AT, LATER = 8, 4, 6
NEXT_ORIGIN = "registry.example/audit/e2-00112233"


class Pair(NamedTuple):
    """Both keys of a ledger for a time."""

    first: Signer
    second: MadeUp

    @property
    def words(self) -> str:
        return f"{self.first.vkey} {self.second.vkey}"

    @property
    def trust(self) -> offline.Trust:
        return offline.Trust([offline.parse_key(key) for key in self.words.split()])


def pair(seed: int, origin: str = ORIGIN) -> Pair:
    return Pair(Signer.named(origin, bytes([seed]) * 32), lattice(origin, seed))


A, B, C, STRANGER, OTHER_STRANGER = (pair(seed) for seed in range(40, 45))


@dataclass(frozen=True)
class Change:
    """A change of the key at a size; everything but the first three lets a dishonest ledger say something else.

    Where it ``is_forked``, both keys signed another first entry. At ``seen_at`` the witness saw what is trusted.
    """

    at: int
    former: Pair
    following: Pair
    part: str = "keys"
    result: str = ""
    following_words: str = ""
    opened: tuple[str, ...] = ("request", "detail", "result")
    stated: int = 0
    trusted: int = 0
    is_half_signed: bool = False
    kind: str = ""
    is_forked: bool = False
    trusted_root: bytes = b""
    seen_at: int = 0

    def values(self) -> dict[str, str]:
        words = self.following_words or self.following.words
        return {"request": self.former.words, "detail": words, "result": self.result}


WITNESS = ed25519("union.example/w1", 8)


def note(origin: str, size: int, root: bytes, *pairs: Pair) -> str:
    text, checkpoint = checkpoint_text(origin, size, root), Checkpoint(origin, size, root)
    lines = [one.first.sign(text).rpartition("\n\n")[2] + one.second.line(checkpoint) for one in pairs]
    return f"{text}\n{''.join(lines)}"


def seen(origin: str, size: int, root: bytes, who: Pair, at: int) -> str:
    """Return a note that the witness has cosigned, at a time other than 0."""
    return note(origin, size, root, who) + (WITNESS.line(Checkpoint(origin, size, root), at) if at else "")


def root_of(ledger: Ledger, size: int) -> bytes:
    return Tree(ledger.tree_hashes(size)).root()


def ledger_of(changes: Iterable[Change], size: int = SIZE) -> Ledger:
    """Return a ledger of so many entries in which these changes stand."""
    ledger = Ledger()
    by_index = {one.at - 1: one for one in changes}
    for index in range(size):
        change = by_index.get(index)
        if change is None:
            ledger.add({})
        else:
            ledger.add(change.values(), kind=change.kind or ("key" if change.part == "keys" else "epoch"))
    return ledger


@dataclass(frozen=True)
class Made:
    """What a bundle with changes has besides them.

    Attributes:
        size: how many entries its ledger has.
        opened: which of them it shows.
        signer: who signs its checkpoint; the last of the changes where it is None.
        history: older checkpoints by size, and who signs each.
        stamps: time-stamped checkpoints by size, and who signs each; the token is what follows the digest.
        seen_at: when the witness saw all of these; never, where it is 0.
    """

    size: int = SIZE
    opened: tuple[int, ...] = (0,)
    signer: Pair | None = None
    history: tuple[tuple[int, Pair], ...] = ()
    stamps: tuple[tuple[int, Pair, bytes], ...] = ()
    seen_at: int = 0


def bundle_of(*changes: Change, made: Made = Made()) -> bytes:
    """Return a bundle with these changes, as the last keys sign it."""
    ledger = ledger_of(changes, made.size)
    last = made.signer or changes[-1].following

    def older(size: int, who: Pair) -> OlderCheckpoint:
        signed = seen(who.first.key.name, size, root_of(ledger, size), who, made.seen_at)
        return OlderCheckpoint(size, signed, ledger.tree().consistency_proof(size, made.size))

    def stamped(old: OlderCheckpoint, token: bytes) -> StampedCheckpoint:
        return StampedCheckpoint(old, {"tsa": sha256(old.note.encode()).digest() + token})

    bundle = EvidenceBundle(
        last.first.key,
        note(last.first.key.name, made.size, ledger.tree().root(), last),
        tuple(ledger.entry(index, *CHAIN) for index in made.opened),
        history=tuple(older(size, who) for size, who in made.history),
        changes=tuple(_told(ledger, change) for change in changes),
        stamps=tuple(stamped(older(size, who), token) for size, who, token in made.stamps),
    )
    return write_bundle(bundle)


def _told(ledger: Ledger, change: Change) -> KeyChange:
    hashes, whole = ledger.tree_hashes(change.at), ledger.tree()
    tree = Tree([sha256(b"another").digest(), *hashes[1:]] if change.is_forked else hashes)
    signers = (change.former, change.following)
    signed = note(change.following.first.key.name, change.stated or change.at, tree.root(), *signers)
    if change.is_half_signed:
        lines = signed.splitlines(keepends=True)
        signed = "".join(line for number, line in enumerate(lines) if number != 5)  # the former ML-DSA-44 key's
    index = change.at - 1
    fields = open_fields(seed_of(index), ledger.values[index], change.opened)
    trusted = None
    if change.trusted:
        size = change.trusted
        root = change.trusted_root or root_of(ledger, size)
        of_before = seen(change.former.first.key.name, size, root, change.former, change.seen_at)
        trusted = OlderCheckpoint(size, of_before, whole.consistency_proof(size, len(ledger.leaves)))
    return KeyChange(
        OlderCheckpoint(change.at, signed, whole.consistency_proof(change.at, len(ledger.leaves))),
        BundleEntry(index, ledger.leaves[index], tree.inclusion_proof(index), fields),
        is_new_origin=change.part != "keys",
        is_compromise=change.part == "compromises",
        trusted=trusted,
    )
