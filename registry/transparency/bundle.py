"""The evidence bundle: entries of a ledger that somebody without this package, or a network, can verify.

Everything in it is either proven by the ledger's signature (leaves, openings) or said to be unsigned (README.txt,
policy, reports). Equal content gives equal bytes, and a bundle has no second spelling: the container rules are those
of offline/verify_bundle.py, which this module shares so that writer and verifier cannot drift apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from registry.domain.errors import ProofRejected
from registry.transparency.leaf import SALT_BYTES, salt_of
from registry.transparency.note import VerifierKey, format_vkey, parse_vkey
from registry.transparency.offline import verifier_source
from registry.transparency.offline.verify_bundle import (
    FIXED_MEMBERS,
    Rejected,
    check_members,
    json_object,
    opened_field,
    read_zip,
    write_zip,
)
from registry.transparency.tlog_proof import TlogProof, format_tlog_proof, parse_tlog_proof

_POLICY_TAIL = "quorum none\n"

_README = """\
Evidence bundle of a protected-records registry

ledger:  {origin}
entries: {count}

What this is. entries/<n>.leaf is what entry n put into the ledger. entries/<n>.tlog-proof proves that it stands there
at its place in the tree that the file "checkpoint" signs. entries/<n>.open.json opens some of the entry's fields:
each value with the salt under which the leaf committed to it. Fields that are not opened stay secret.

How to verify. Get verify_bundle.py and the ledger's verifier key from a source that you trust, not from this bundle,
then run, offline, with Python 3.8 or later:

    python3 verify_bundle.py bundle.zip --key '<verifier key>'

What is not proven. This text, the file "policy" and any report.* are not signed; anyone could have written them. The
verifier prints what it checked and what it did not.

By hand. The first three lines of "checkpoint" are the signed text. Cut them into note.txt, the signature (base64,
without its first 4 bytes) into note.sig, and the key (DER, 302a300506032b6570032100 and the 32 bytes) into key.der:

    openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in note.txt -sigfile note.sig

The leaf's node is SHA-256(00 || leaf), an inner node SHA-256(01 || left || right), a commitment
SHA-256("alog/v1/c" || 00 || salt || length of name || name || value).
"""


@dataclass(frozen=True, slots=True)
class FieldOpening:
    """One opened field.

    Attributes:
        salt: 32 bytes.
        value: the value that the leaf commits to; personal in general.
    """

    salt: bytes = field(repr=False)
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """One entry in a bundle.

    Attributes:
        index: its index in the ledger.
        leaf: its bytes.
        hashes: inclusion proof in the checkpoint's tree, 32 bytes each.
        fields: the opened fields by name; all others stay withheld.
    """

    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    fields: Mapping[str, FieldOpening] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class EvidenceBundle:
    """What a bundle holds. Reading one verifies nothing; ``offline.verify_bundle.verify`` does.

    Attributes:
        key: the ledger's key as the maker states it, for information only.
        checkpoint: the complete signed note.
        entries: at least one, no two of the same index.
        extras: further files by name (``report.json``, ``report.pdf``); unsigned.
    """

    key: VerifierKey
    checkpoint: str
    entries: tuple[BundleEntry, ...]
    extras: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def open_fields(seed: bytes, values: Mapping[str, bytes], names: Iterable[str]) -> dict[str, FieldOpening]:
    """Return the openings of some fields of an entry.

    The seed itself never goes into a bundle: it would open every field.

    Args:
        seed: the entry's 32 random bytes.
        values: value of every field by name.
        names: the fields to open.
    """
    return {name: FieldOpening(salt_of(seed, name), values[name]) for name in names}


def write_bundle(bundle: EvidenceBundle) -> bytes:
    """Return the zip file's bytes; equal bundles give equal bytes.

    Raises:
        ValueError: no entries, an index twice, or an extra file whose name a bundle cannot have.
    """
    if len({entry.index for entry in bundle.entries}) != len(bundle.entries):
        raise ValueError("an entry stands twice in the bundle")
    if set(bundle.extras) & set(FIXED_MEMBERS) or any("/" in name for name in bundle.extras):
        raise ValueError("an extra file has the name of another")
    readme = _README.format(origin=bundle.key.name, count=len(bundle.entries))
    members = {
        **bundle.extras,
        "README.txt": readme.encode(),
        "checkpoint": bundle.checkpoint.encode(),
        "policy": f"log {format_vkey(bundle.key)}\n{_POLICY_TAIL}".encode(),
        "verify_bundle.py": verifier_source(),
    }
    for entry in bundle.entries:
        proof = TlogProof(entry.index, entry.hashes, bundle.checkpoint)
        members[f"entries/{entry.index}.leaf"] = entry.leaf
        members[f"entries/{entry.index}.tlog-proof"] = format_tlog_proof(proof).encode()
        members[f"entries/{entry.index}.open.json"] = _opening_json(entry)
    lines = [f"{sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(members)]
    members["manifest.sha256"] = "".join(lines).encode()
    written = write_zip(members)
    try:
        check_members(read_zip(written))  # whatever the verifier would refuse is never handed out
    except Rejected as exc:
        raise ValueError(f"not a bundle: {exc}") from exc
    return written


def read_bundle(raw: bytes) -> EvidenceBundle:
    """Take a bundle apart, **without verifying signature, proofs or openings**.

    Container, manifest and every file's form are checked strictly; the bytes may be hostile.

    Raises:
        ProofRejected: not a well-formed bundle.
    """
    try:
        members = read_zip(raw)
        indexes = check_members(members)
        key = _policy_key(members["policy"].decode())
        checkpoint = members["checkpoint"].decode()
        entries = tuple(_read_entry(members, index, checkpoint) for index in indexes)
    except ValueError as exc:
        raise ProofRejected(f"not a bundle: {exc}" if isinstance(exc, Rejected) else "not a bundle") from exc
    extras = {name: data for name, data in members.items() if name not in FIXED_MEMBERS and "/" not in name}
    return EvidenceBundle(key, checkpoint, entries, extras)


def _opening_json(entry: BundleEntry) -> bytes:
    fields = {name: _field_json(opening) for name, opening in entry.fields.items()}
    document = {"index": entry.index, "leaf_sha256": sha256(entry.leaf).hexdigest(), "fields": fields}
    return (json.dumps(document, ensure_ascii=True, indent=1) + "\n").encode()


def _field_json(opening: FieldOpening) -> dict[str, str]:
    if len(opening.salt) != SALT_BYTES:
        raise ValueError("a salt is 32 bytes")
    try:
        return {"salt": opening.salt.hex(), "value": opening.value.decode()}
    except UnicodeDecodeError:
        return {"salt": opening.salt.hex(), "hex": opening.value.hex()}


def _policy_key(policy: str) -> VerifierKey:
    first, _, rest = policy.partition("\n")
    if not first.startswith("log ") or rest != _POLICY_TAIL:
        raise ProofRejected("the policy file of the bundle is malformed")
    return parse_vkey(first.removeprefix("log "))


def _read_entry(members: Mapping[str, bytes], index: int, checkpoint: str) -> BundleEntry:
    proof = parse_tlog_proof(members[f"entries/{index}.tlog-proof"].decode())
    if proof.index != index or proof.checkpoint != checkpoint or proof.extra is not None:
        raise ProofRejected("a proof is of another entry or checkpoint")
    fields = _read_fields(members[f"entries/{index}.open.json"])
    return BundleEntry(index, members[f"entries/{index}.leaf"], proof.hashes, fields)


def _read_fields(opening: bytes) -> dict[str, FieldOpening]:
    fields = json_object(opening).get("fields")
    if not isinstance(fields, dict):
        raise ProofRejected("an opening is malformed")
    return {name: FieldOpening(*opened_field(opened)[:2]) for name, opened in fields.items()}
