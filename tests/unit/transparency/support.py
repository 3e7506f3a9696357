"""A small made-up ledger with its key, for the tests of this room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from registry.transparency.bundle import BundleEntry, EvidenceBundle, open_fields, write_bundle
from registry.transparency.checkpoint import checkpoint_text
from registry.transparency.fields import field_names
from registry.transparency.leaf import encode_joined, join_commitments, leaf_hash
from registry.transparency.note import Verifier, VerifierKey, format_vkey, sign_note, verifier_key
from registry.transparency.proofs import Tree

ORIGIN = "registry.example/audit/e1"
START_MS = 1_700_000_000_000
SUBJECT = "5d" * 16
CHAIN = ("subject", "counter", "previous")


@dataclass(frozen=True)
class Signer:
    """A note key for tests."""

    private: Ed25519PrivateKey
    key: VerifierKey

    @classmethod
    def named(cls, name: str, seed: bytes) -> Signer:
        private = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(private, verifier_key(name, private.public_key().public_bytes_raw()))

    @property
    def vkey(self) -> str:
        return format_vkey(self.key)

    @property
    def verifier(self) -> Verifier:
        return verifier_of(self.key)

    def sign(self, text: str) -> str:
        return sign_note(text, self.key.name, self.key.key_id, self.private.sign)


def verifier_of(key: VerifierKey) -> Verifier:
    public = Ed25519PublicKey.from_public_bytes(key.public_key)

    def check(signature: bytes, message: bytes, /) -> bool:
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return Verifier(key, check)


LEDGER = Signer.named(ORIGIN, bytes(range(32)))
STRANGER = Signer.named(ORIGIN, bytes(range(1, 33)))
WITNESS = Signer.named("witness.example/w1", bytes(range(2, 34)))


def seed_of(index: int) -> bytes:
    return sha256(b"seed %d" % index).digest()


class Ledger:
    """A ledger in memory; entries get seeds from ``seed_of``."""

    def __init__(self) -> None:
        self.values: list[dict[str, bytes]] = []
        self.leaves: list[bytes] = []

    def add(self, values: Mapping[str, str | bytes], *, kind: str = "disclose", records: int = 0, ms: int = 0) -> None:
        index = len(self.leaves)
        given = {name: value.encode() if isinstance(value, str) else value for name, value in values.items()}
        every = {name: given.pop(name, b"") for name in field_names(records)}
        assert not given
        self.values.append(every)
        unix_ms = START_MS + 1_000 * index + ms
        commitments = join_commitments(seed_of(index), tuple(every), list(every.values()))
        self.leaves.append(encode_joined(unix_ms, kind, commitments))

    def tree_hashes(self, size: int) -> list[bytes]:
        return [leaf_hash(leaf) for leaf in self.leaves[:size]]

    def tree(self) -> Tree:
        return Tree(self.tree_hashes(len(self.leaves)))

    def checkpoint(self, signer: Signer = LEDGER) -> str:
        return signer.sign(checkpoint_text(ORIGIN, len(self.leaves), self.tree().root()))

    def entry(self, index: int, *names: str) -> BundleEntry:
        proof = self.tree().inclusion_proof(index)
        return BundleEntry(index, self.leaves[index], proof, open_fields(seed_of(index), self.values[index], names))

    def bundle(self, *entries: BundleEntry, **extras: bytes) -> EvidenceBundle:
        files = {name.replace("__", "."): data for name, data in extras.items()}
        return EvidenceBundle(LEDGER.key, self.checkpoint(), entries, files)


def example_ledger() -> Ledger:
    """Ten entries: SUBJECT's chain is 1, 2, 3, 4 at indexes 0, 3, 4 and 8."""
    ledger = Ledger()
    place = {0: ("1", "-"), 3: ("2", "0"), 4: ("3", "3"), 8: ("4", "4")}
    for index in range(10):
        values = {"event": f"{index:032x}", "purpose": "payroll", "note": "caf\u00e9 \u202e\n"}
        if index in place:
            values |= {"subject": SUBJECT, "counter": place[index][0], "previous": place[index][1]}
        ledger.add(values, records=index % 3)
    return ledger


def example_bundle() -> bytes:
    ledger = example_ledger()
    entries = (ledger.entry(0, *CHAIN, "purpose"), ledger.entry(3, *CHAIN, "note"), ledger.entry(4))
    return write_bundle(ledger.bundle(*entries, report__json=b"{}\n"))
