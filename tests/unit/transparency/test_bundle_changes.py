"""Changes of the ledger's key in a bundle: what a dishonest one, whose keys sign anything, cannot say with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import NamedTuple

import pytest

from registry.transparency.bundle import (
    BundleEntry,
    EvidenceBundle,
    KeyChange,
    OlderCheckpoint,
    open_fields,
    write_bundle,
)
from registry.transparency.checkpoint import Checkpoint, checkpoint_text
from registry.transparency.offline import verify_bundle as offline
from registry.transparency.proofs import Tree
from tests.unit.transparency.cosigners import MadeUp, lattice
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
    """A change of the key at a size; everything but the first three lets a dishonest ledger say something else."""

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

    def values(self) -> dict[str, str]:
        words = self.following_words or self.following.words
        return {"request": self.former.words, "detail": words, "result": self.result}


def note(origin: str, size: int, root: bytes, *pairs: Pair) -> str:
    text, checkpoint = checkpoint_text(origin, size, root), Checkpoint(origin, size, root)
    lines = [one.first.sign(text).rpartition("\n\n")[2] + one.second.line(checkpoint) for one in pairs]
    return f"{text}\n{''.join(lines)}"


def root_of(ledger: Ledger, size: int) -> bytes:
    return Tree(ledger.tree_hashes(size)).root()


def bundle_of(*changes: Change) -> bytes:
    """Return a bundle of the first of 8 entries with these changes, as the last keys sign it."""
    ledger = Ledger()
    by_index = {one.at - 1: one for one in changes}
    for index in range(SIZE):
        change = by_index.get(index)
        kind = "disclose" if change is None else "key" if change.part == "keys" else "epoch"
        ledger.add({} if change is None else change.values(), kind=kind)
    last = changes[-1].following
    signed = note(last.first.key.name, SIZE, ledger.tree().root(), last)
    told = tuple(_told(ledger, change) for change in changes)
    return write_bundle(EvidenceBundle(last.first.key, signed, (ledger.entry(0, *CHAIN),), changes=told))


def _told(ledger: Ledger, change: Change) -> KeyChange:
    tree, whole = Tree(ledger.tree_hashes(change.at)), ledger.tree()
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
        of_before = note(change.former.first.key.name, size, root_of(ledger, size), change.former)
        trusted = OlderCheckpoint(size, of_before, whole.consistency_proof(size, SIZE))
    return KeyChange(
        OlderCheckpoint(change.at, signed, whole.consistency_proof(change.at, SIZE)),
        BundleEntry(index, ledger.leaves[index], tree.inclusion_proof(index), fields),
        is_new_origin=change.part != "keys",
        is_compromise=change.part == "compromises",
        trusted=trusted,
    )


def problems(trust: offline.Trust, *changes: Change) -> str:
    return "\n".join(offline.verify(bundle_of(*changes), trust).problems)


FIRST, SECOND = Change(AT, A, B), Change(LATER, B, C)


@pytest.mark.parametrize("trusted", [A, B, C])
def test_who_trusts_one_key_can_follow_to_the_others(trusted: Pair) -> None:
    assert problems(trusted.trust, FIRST, SECOND) == ""


def test_a_change_follows_the_one_before() -> None:
    """Strangers hand over among themselves, after a change that the reader can follow: it does not lead to them."""
    strangers = Change(LATER, STRANGER, OTHER_STRANGER)
    found = problems(A.trust, FIRST, strangers)
    assert found == "change of the ledger's key at 6 entries: it does not follow the one before"


def test_a_limit_on_a_key_holds_for_all_that_follows_from_it() -> None:
    trust = replace(A.trust, until={A.first.key.key_id.hex(): AT - 1})
    assert (
        problems(trust, FIRST, SECOND) == "the key that you trust may not sign the change to the ledger's present key"
    )
    assert problems(replace(trust, until={A.first.key.key_id.hex(): AT}), FIRST, SECOND) == ""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (replace(FIRST, opened=("request",)), "its entry does not name the keys"),
        (replace(FIRST, opened=("detail",)), "its entry does not name the keys"),
        (replace(FIRST, following_words=B.first.vkey), "its entry names other keys"),
        (replace(FIRST, following_words=f"{B.second.vkey} {B.first.vkey}"), "its entry names other keys"),
        (replace(FIRST, following=pair(41, NEXT_ORIGIN)), "its entry names other keys"),
        (replace(FIRST, stated=5), "it is of another size"),
    ],
)
def test_a_change_names_both_keys_of_both_times(change: Change, problem: str) -> None:
    assert problems(A.trust, change) == f"change of the ledger's key at 4 entries: {problem}"


def _roots() -> dict[int, str]:
    """Return roots of a ledger whose first three entries are those of each bundle here."""
    ledger = Ledger()
    for _ in range(AT):
        ledger.add({})
    return {size: root_of(ledger, size).hex() for size in (1, 2, 3)}


ROOTS = _roots()
LOSS = f"behind; found 3 {ROOTS[3]}; kept 9 {'00' * 32}"
NEW = Change(AT, A, pair(41, NEXT_ORIGIN), "origins", LOSS)


def test_a_new_origin_is_told() -> None:
    verdict = offline.verify(bundle_of(NEW), A.trust)
    assert verdict.problems == []
    assert f"after 3 entries {ORIGIN} went on as {NEXT_ORIGIN}" in "\n".join(verdict.checked)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (replace(NEW, opened=("request", "detail")), "its entry names other entries than those before it"),
        (replace(NEW, result="behind"), "its entry names other entries than those before it"),
        (replace(NEW, result=LOSS.replace("found 3", "found 2")), "its entry names other entries than those before it"),
        (replace(NEW, result=LOSS.replace(ROOTS[3], ROOTS[2])), "its entry names other entries than those before it"),
        (replace(NEW, following=pair(41, "registry.example/audit/e3-00112233")), "does not follow the former one"),
        (replace(NEW, following=pair(41, "elsewhere.example/audit/e2-00112233")), "does not follow the former one"),
        (replace(NEW, following=pair(41)), "does not follow the former one"),
    ],
)
def test_a_new_origin_says_what_both_share(change: Change, problem: str) -> None:
    found = problems(A.trust, change)
    assert found.startswith("new origin of the ledger at 4 entries: ")
    assert problem in found


@pytest.mark.parametrize("change", [FIRST, NEW])
def test_both_types_of_both_keys_sign_a_change(change: Change) -> None:
    found = problems(A.trust, replace(change, is_half_signed=True))
    assert found.endswith("the checkpoint lacks the Ed25519 or the ML-DSA-44 signature")


def test_every_key_that_is_given_of_a_former_origin_is_one_of_its_keys() -> None:
    given = offline.Trust([A.trust.keys[0], STRANGER.trust.keys[1]])
    assert problems(given, NEW) == "you gave a key that is none of those which the bundle shows the ledger to have had"


THEFT = replace(
    NEW,
    part="compromises",
    result=f"compromised; found 3 {ROOTS[3]}; since 2023-11-14T22:13:20.000Z; trusted 2 {ROOTS[2]}",
    trusted=2,
)


def test_the_checkpoint_from_before_a_theft_is_the_one_that_the_entry_names() -> None:
    """The thief has the former key, and signs one that suits him."""
    present = THEFT.following.trust
    assert problems(present, THEFT) == ""
    assert problems(present, replace(THEFT, trusted=1)).endswith("it is not the one that the entry names")
    other_root = replace(THEFT, result=THEFT.result.replace(ROOTS[2], sha256(b"").hexdigest()))
    assert problems(present, other_root).endswith("it is not the one that the entry names")


def test_only_what_is_dated_before_the_suspicion_holds_an_entry_up() -> None:
    terms = [offline.Term(0, 9, []), offline.Term(10, 2**63, [], "compromises", "", suspected=1_000)]

    def is_held(index: int, size: int, at: int) -> bool:
        standing = offline.standing_of(index, terms, [(size, at, "somebody")])
        assert "the key that signed it was compromised later" in standing
        return not standing.endswith(offline._BARE)

    assert is_held(3, size=4, at=999)
    assert not is_held(3, size=4, at=1_000)
    assert not is_held(3, size=3, at=999)
    assert is_held(8, size=9, at=999)
    assert offline.standing_of(9, terms, []) == ""
