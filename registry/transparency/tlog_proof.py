"""Offline proofs (c2sp.org/tlog-proof@v1): one entry's index, its inclusion proof and the signed checkpoint.

Decided on the strict side: LF only, canonical numbers and base64, at most 63 hashes, a note that is well formed.
The extra line is kept as it is and never trusted: nothing authenticates it.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.domain.errors import ProofRejected
from registry.transparency._codec import HASH_BYTES, MAX_SIZE, base64_bytes, base64_text, decimal
from registry.transparency.checkpoint import Checkpoint, open_checkpoint
from registry.transparency.note import Verifier, split_note
from registry.transparency.proofs import MAX_PROOF_HASHES, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
MAX_EXTRA_BYTES = 65_536

_EXTRA = "extra "
_INDEX = "index "


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as read; nothing in it is verified yet.

    Attributes:
        index: the entry's index.
        hashes: inclusion proof, 32 bytes each, from leaf to root.
        checkpoint: the complete signed note.
        extra: opaque bytes, or None without an extra line.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None


def format_tlog_proof(proof: TlogProof) -> str:
    """Return the text of a proof."""
    if not 0 <= proof.index <= MAX_SIZE or any(len(each) != HASH_BYTES for each in proof.hashes):
        raise ValueError("index or hashes out of shape")
    lines = [HEADER]
    if proof.extra is not None:
        lines.append(_EXTRA + base64_text(proof.extra))
    lines.append(f"{_INDEX}{proof.index}")
    lines.extend(base64_text(each) for each in proof.hashes)
    return "\n".join(lines) + "\n\n" + proof.checkpoint


def parse_tlog_proof(text: str) -> TlogProof:
    """Read a proof, **without verifying it**; the inverse of ``format_tlog_proof``.

    Raises:
        ProofRejected: any other text.
    """
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if not blank or lines[0] != HEADER:
        raise ProofRejected("not a tlog-proof of version 1")
    split_note(note)
    rest = lines[1:]
    extra = None
    if rest and rest[0].startswith(_EXTRA):
        extra = base64_bytes(rest.pop(0).removeprefix(_EXTRA))
        if extra is None or len(extra) > MAX_EXTRA_BYTES:
            raise ProofRejected("the extra line is not in canonical base64")
    if not rest or not rest[0].startswith(_INDEX):
        raise ProofRejected("the index line is missing")
    index = decimal(rest.pop(0).removeprefix(_INDEX))
    if index is None:
        raise ProofRejected("the index is not a canonical number")
    return TlogProof(index, _hashes(rest), note, extra)


def verify_tlog_proof(proof: TlogProof, leaf_hash: bytes, verifier: Verifier, origin: str) -> Checkpoint:
    """Verify a proof for one leaf.

    Args:
        proof: as read.
        leaf_hash: SHA-256(0x00 || leaf), computed from the leaf by the caller.
        verifier: the ledger's key.
        origin: the ledger.

    Returns:
        The verified checkpoint.

    Raises:
        ProofRejected: the checkpoint's signature or the inclusion proof does not verify.
    """
    checkpoint = open_checkpoint(proof.checkpoint, verifier, origin)
    verify_inclusion(
        index=proof.index, size=checkpoint.size, leaf_hash=leaf_hash, proof=proof.hashes, root=checkpoint.root
    )
    return checkpoint


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_PROOF_HASHES:
        raise ProofRejected("the proof is too long")
    hashes = []
    for line in lines:
        raw = base64_bytes(line)
        if raw is None or len(raw) != HASH_BYTES:
            raise ProofRejected("a hash is not 32 bytes in canonical base64")
        hashes.append(raw)
    return tuple(hashes)
