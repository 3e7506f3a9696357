"""A bundle with everything that a bundle can have: both signatures, two witnesses, older checkpoints."""

from __future__ import annotations

import json
import re
from hashlib import sha256

from registry.transparency.bundle import EvidenceBundle, OlderCheckpoint, write_bundle
from registry.transparency.checkpoint import Checkpoint, checkpoint_text
from registry.transparency.offline.verify_bundle import parse_policy, read_zip, sections_of
from registry.transparency.proofs import Tree
from tests.unit.transparency.bundles import Members, sealed_anew
from tests.unit.transparency.cosigners import ed25519, lattice
from tests.unit.transparency.support import CHAIN, LEDGER, ORIGIN, Ledger, example_ledger

SECOND = lattice(ORIGIN, 7)
W1, W2 = ed25519("union.example/w1", 8), lattice("inspector.example/w2", 9)
SEEN_AT = 1_700_000_100
# What a reader trusts: both keys of the ledger, and both witnesses.
POLICY = (
    f"log {LEDGER.vkey}\nlog {SECOND.vkey}\nwitness union {W1.vkey}\nwitness inspector {W2.vkey}\n"
    "group outside all union inspector\nquorum outside\n"
)
TRUST = parse_policy(POLICY)
# Words and reports: nobody signs them.
UNSIGNED = re.compile(r"README\.txt|CERTIFICATION\.md|policy|verify_bundle\.py|manifest\.sha256|report\.json")


def note_of(ledger: Ledger, size: int, *, root: bytes = b"") -> str:
    """Return the note of a checkpoint as all four have signed it."""
    checkpoint = Checkpoint(ORIGIN, size, root or Tree(ledger.tree_hashes(size)).root())
    note = LEDGER.sign(checkpoint_text(ORIGIN, size, checkpoint.root))
    return note + "".join(one.line(checkpoint, SEEN_AT) for one in (SECOND, W1, W2))


def older(ledger: Ledger, old: int, size: int) -> OlderCheckpoint:
    proof = Tree(ledger.tree_hashes(size)).consistency_proof(old, size)
    return OlderCheckpoint(old, note_of(ledger, old), proof)


def cosigned_bundle() -> bytes:
    """Three of ten entries under a cosigned checkpoint, with those of 4 and 7 entries."""
    ledger = example_ledger()
    entries = (ledger.entry(0, *CHAIN, "purpose"), ledger.entry(3, *CHAIN, "note"), ledger.entry(4))
    bundle = EvidenceBundle(
        key=LEDGER.key,
        checkpoint=note_of(ledger, 10),
        entries=entries,
        extras={"report.json": b"{}\n"},
        history=(older(ledger, 4, 10), older(ledger, 7, 10)),
        policy=POLICY,
    )
    return write_bundle(bundle)


def repaired(members: Members, name: str, changed: bytes) -> bytes:
    """Return the bundle of an attacker who changes a file and repairs everything else that need not be proven."""
    return sealed_anew(mended(members, name, changed))


def mended(members: Members, name: str, changed: bytes) -> Members:
    """Return the members of that bundle, of which the manifest is still to be written anew.

    The list of sections is written anew, the proofs get the changed checkpoint, an opening the digest of the changed
    leaf.
    """
    after = {**members, name: changed}
    if name == "checkpoint":
        for proof in (each for each in members if each.endswith(".tlog-proof")):
            after[proof] = members[proof].replace(members["checkpoint"], changed)
    if name.endswith(".leaf"):
        opening = name.replace(".leaf", ".open.json")
        document = {**json.loads(members[opening]), "leaf_sha256": sha256(changed).hexdigest()}
        after[opening] = (json.dumps(document, indent=1) + "\n").encode()
    if name != "sections":
        after["sections"] = sections_of(after)
    return after


MEMBERS = read_zip(cosigned_bundle())
PROVEN = sorted(name for name in MEMBERS if not UNSIGNED.fullmatch(name))
