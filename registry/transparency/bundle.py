"""The evidence bundle: entries of a ledger that somebody without this package, or a network, can verify.

Everything in it is either proven by the ledger's signature (leaves, openings) or said to be unsigned (README.txt,
policy, reports). Equal content gives equal bytes, and a bundle has no second spelling: the container rules are those
of offline/verify_bundle.py, which this module shares so that writer and verifier cannot drift apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from registry.domain.errors import ProofRejected
from registry.transparency._codec import base64_bytes, base64_text
from registry.transparency.bundle_texts import CERTIFICATION, README
from registry.transparency.leaf import SALT_BYTES, salt_of
from registry.transparency.note import VerifierKey, format_vkey, split_note
from registry.transparency.offline import verifier_source
from registry.transparency.offline.verify_bundle import (
    FIXED_MEMBERS,
    MARKS,
    SECTIONS,
    Rejected,
    check_members,
    json_object,
    opened_field,
    read_zip,
    sections_of,
    write_zip,
)
from registry.transparency.tlog_proof import TlogProof, format_tlog_proof, parse_tlog_proof
from registry.transparency.trust_policy import parse_policy

_POLICY_TAIL = "quorum none\n"

_CERTIFICATION = "CERTIFICATION.md"
_CONSISTENCY = "consistency/v1"
_KEYS, _ORIGINS, _COMPROMISES = "keys", "origins", "compromises"


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
class OlderCheckpoint:
    """A checkpoint from before the bundle's: one that witnesses cosigned, or that was time-stamped.

    Attributes:
        size: entries that it signs, at least one.
        note: the complete signed note.
        hashes: proof that the bundle's checkpoint continues it, 32 bytes each.
    """

    size: int
    note: str
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Where another key took over from a former one.

    Attributes:
        checkpoint: signed by both, in both types.
        entry: the last one under that checkpoint, with its proof there; its opened ``request`` and ``detail`` name the
            keys.
        is_new_origin: the next key took over under a name of its own, after a loss; the entry's opened ``result`` says
            what was left.
        is_compromise: it did so because the former key was compromised; the entry's opened ``result`` says from when
            on.
        trusted: then, the checkpoint that others had dated before; None for none.
    """

    checkpoint: OlderCheckpoint
    entry: BundleEntry
    is_new_origin: bool = False
    is_compromise: bool = False
    trusted: OlderCheckpoint | None = None

    @property
    def part(self) -> str:
        """The folder of a bundle in which it stands."""
        if self.is_compromise:
            return _COMPROMISES
        return _ORIGINS if self.is_new_origin else _KEYS


@dataclass(frozen=True, slots=True)
class StampedCheckpoint:
    """A checkpoint that authorities have time-stamped (RFC 3161).

    Attributes:
        checkpoint: the note exactly as it was stamped.
        tokens: what the authorities answered, by names of lower case, digits and hyphens.
    """

    checkpoint: OlderCheckpoint
    tokens: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EvidenceBundle:
    """What a bundle holds. Reading one verifies nothing; ``offline.verify_bundle.verify`` does.

    Attributes:
        key: the ledger's key as the maker states it, for information only.
        checkpoint: the complete signed note, with the witnesses' cosignatures.
        entries: at least one, no two of the same index.
        extras: further files by name (``report.json``, ``report.pdf``); unsigned.
        history: older checkpoints, no two of one size.
        policy: a tlog-policy with the ledger and its witnesses as the maker states them, for information only; empty
            for one that has the ledger's key alone.
        marks: all files about marks by name (``marks/reading.json``), or none.
        changes: every change of the ledger's key up to the checkpoint.
        stamps: time-stamped checkpoints, no two of one size.
    """

    key: VerifierKey
    checkpoint: str
    entries: tuple[BundleEntry, ...]
    extras: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    history: tuple[OlderCheckpoint, ...] = ()
    policy: str = ""
    marks: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    changes: tuple[KeyChange, ...] = ()
    stamps: tuple[StampedCheckpoint, ...] = ()


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
        ValueError: no entries, an index or size twice, or an extra file whose name a bundle cannot have.
    """
    if len({entry.index for entry in bundle.entries}) != len(bundle.entries):
        raise ValueError("an entry stands twice in the bundle")
    if len({old.size for old in bundle.history}) != len(bundle.history):
        raise ValueError("an older checkpoint stands twice in the bundle")
    if set(bundle.extras) & {*FIXED_MEMBERS, SECTIONS, _CERTIFICATION} or any("/" in name for name in bundle.extras):
        raise ValueError("an extra file has the name of another")
    size = _size_of(bundle.checkpoint)
    words = {"origin": bundle.key.name, "count": len(bundle.entries), "size": size}
    if set(bundle.marks) not in (set(), set(MARKS)):
        raise ValueError("a file about marks is missing, or one too many")
    members = {
        **bundle.extras,
        **bundle.marks,
        "README.txt": README.format(**words).encode(),
        _CERTIFICATION: CERTIFICATION.format(**words).encode(),
        "checkpoint": bundle.checkpoint.encode(),
        "policy": (bundle.policy or _policy_of(bundle.key)).encode(),
        "verify_bundle.py": verifier_source(),
    }
    for old in bundle.history:
        members |= _older_members("history", old, size)
    for change in bundle.changes:
        members |= _older_members(change.part, change.checkpoint, size)
        place = f"{change.part}/{change.checkpoint.size}"
        members |= _entry_members(place, change.entry, change.checkpoint.note)
        members |= {} if change.trusted is None else _checkpoint_members(f"{place}.trusted", change.trusted, size)
    for stamped in bundle.stamps:
        members |= _older_members("stamps", stamped.checkpoint, size)
        members |= {f"stamps/{stamped.checkpoint.size}.{name}.tsr": raw for name, raw in stamped.tokens.items()}
    for entry in bundle.entries:
        members |= _entry_members(f"entries/{entry.index}", entry, bundle.checkpoint)
    members[SECTIONS] = sections_of(members)
    lines = [f"{sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(members)]
    members["manifest.sha256"] = "".join(lines).encode()
    written = write_zip(members)
    try:
        check_members(read_zip(written))  # whatever the verifier would refuse is never handed out
    except Rejected as exc:
        raise ValueError(f"not a bundle: {exc}") from exc
    return written


def _older_members(part: str, old: OlderCheckpoint, size: int) -> dict[str, bytes]:
    return _checkpoint_members(f"{part}/{old.size}", old, size)


def _checkpoint_members(place: str, old: OlderCheckpoint, size: int) -> dict[str, bytes]:
    steps = (_CONSISTENCY, f"{old.size} {size}", *map(base64_text, old.hashes))
    proof = "".join(f"{line}\n" for line in steps).encode()
    return {f"{place}.checkpoint": old.note.encode(), f"{place}.proof": proof}


def _entry_members(place: str, entry: BundleEntry, checkpoint: str) -> dict[str, bytes]:
    proof = TlogProof(entry.index, entry.hashes, checkpoint)
    return {
        f"{place}.leaf": entry.leaf,
        f"{place}.tlog-proof": format_tlog_proof(proof).encode(),
        f"{place}.open.json": _opening_json(entry),
    }


def read_bundle(raw: bytes) -> EvidenceBundle:
    """Take a bundle apart, **without verifying signature, proofs or openings**.

    Container, manifest and every file's form are checked strictly; the bytes may be hostile.

    Raises:
        ProofRejected: not a well-formed bundle.
    """
    try:
        members = read_zip(raw)
        indexes = check_members(members)
        key = _policy_key(members["policy"])
        policy = "" if members["policy"].decode() == _policy_of(key) else members["policy"].decode()
        checkpoint = members["checkpoint"].decode()
        size = _size_of(checkpoint)
        history = tuple(_read_older(members, "history", size))
        entries = tuple(_read_entry(members, f"entries/{index}", index, checkpoint) for index in indexes)
        changes = tuple(sorted(_read_changes(members, size), key=lambda change: change.checkpoint.size))
        stamps = tuple(
            StampedCheckpoint(old, _read_tokens(members, old.size)) for old in _read_older(members, "stamps", size)
        )
    except ValueError as exc:
        raise ProofRejected(f"not a bundle: {exc}" if isinstance(exc, Rejected) else "not a bundle") from exc
    named = {*FIXED_MEMBERS, SECTIONS, _CERTIFICATION}
    extras = {name: data for name, data in members.items() if name not in named and "/" not in name}
    marks = {name: members[name] for name in MARKS if name in members}
    return EvidenceBundle(key, checkpoint, entries, extras, history, policy, marks, changes, stamps)


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


def _policy_of(key: VerifierKey) -> str:
    return f"log {format_vkey(key)}\n{_POLICY_TAIL}"


def _policy_key(policy: bytes) -> VerifierKey:
    for log in parse_policy(policy).logs:
        if isinstance(log.key, VerifierKey):
            return log.key
    raise ProofRejected("the policy file of the bundle names no Ed25519 key of a ledger")


def _size_of(checkpoint: str) -> int:
    """Return the size that a checkpoint states; 0 when it states none, which the verifier refuses."""
    try:
        return int(checkpoint.split("\n")[1])
    except (IndexError, ValueError):
        return 0


def _read_older(members: Mapping[str, bytes], part: str, size: int) -> Iterator[OlderCheckpoint]:
    begin, end = f"{part}/", ".proof"
    named = [name[len(begin) : -len(end)] for name in members if name.startswith(begin) and name.endswith(end)]
    for old in sorted(int(name) for name in named if name.isdecimal()):
        yield _read_checkpoint(members, f"{part}/{old}", old, size)


def _read_checkpoint(members: Mapping[str, bytes], place: str, old: int, size: int) -> OlderCheckpoint:
    note = members[f"{place}.checkpoint"].decode()
    split_note(note)
    lines = members[f"{place}.proof"].decode().split("\n")
    hashes = [base64_bytes(line) for line in lines[2:-1]]
    if lines[:2] != [_CONSISTENCY, f"{old} {size}"] or lines[-1] or None in hashes:
        raise ProofRejected("a consistency proof is malformed")
    return OlderCheckpoint(old, note, tuple(each for each in hashes if each is not None))


def _read_changes(members: Mapping[str, bytes], size: int) -> Iterator[KeyChange]:
    for part in (_KEYS, _ORIGINS, _COMPROMISES):
        for old in _read_older(members, part, size):
            entry = _read_entry(members, f"{part}/{old.size}", old.size - 1, old.note)
            place, trusted = f"{part}/{old.size}.trusted", None
            if f"{place}.checkpoint" in members:
                stated = _size_of(members[f"{place}.checkpoint"].decode())
                trusted = _read_checkpoint(members, place, stated, size)
            yield KeyChange(old, entry, part != _KEYS, part == _COMPROMISES, trusted)


def _read_tokens(members: Mapping[str, bytes], size: int) -> dict[str, bytes]:
    begin, end = f"stamps/{size}.", ".tsr"
    return {
        name[len(begin) : -len(end)]: members[name] for name in members if name.startswith(begin) and name.endswith(end)
    }


def _read_entry(members: Mapping[str, bytes], place: str, index: int, checkpoint: str) -> BundleEntry:
    proof = parse_tlog_proof(members[f"{place}.tlog-proof"].decode())
    if proof.index != index or proof.checkpoint != checkpoint or proof.extra is not None:
        raise ProofRejected("a proof is of another entry or checkpoint")
    fields = _read_fields(members[f"{place}.open.json"])
    return BundleEntry(index, members[f"{place}.leaf"], proof.hashes, fields)


def _read_fields(opening: bytes) -> dict[str, FieldOpening]:
    fields = json_object(opening).get("fields")
    if not isinstance(fields, dict):
        raise ProofRejected("an opening is malformed")
    return {name: FieldOpening(*opened_field(opened)[:2]) for name, opened in fields.items()}
