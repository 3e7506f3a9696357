"""What a ledger and a witness say to each other (c2sp.org/tlog-witness): the body of ``add-checkpoint``.

Decided on the strict side: LF only, canonical numbers and base64, at most 63 hashes, and a note that is well formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from registry.domain.errors import ProofRejected
from registry.transparency._codec import HASH_BYTES, MAX_SIZE, base64_bytes, base64_text, decimal
from registry.transparency.note import MAX_NOTE_BYTES, split_note
from registry.transparency.proofs import MAX_PROOF_HASHES

ADD_CHECKPOINT = "add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
MAX_BODY_BYTES = MAX_NOTE_BYTES + 8_192  # 63 hashes and the first line
MAX_ANSWER_BYTES = MAX_NOTE_BYTES
_OLD = "old "


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """One request for a cosignature, as read; nothing in it is verified.

    Attributes:
        old_size: size of the checkpoint that the witness last cosigned, as the ledger believes.
        proof: consistency proof from there, 32 bytes a hash.
        note: the complete signed note of the checkpoint.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: str


def format_add_checkpoint(asked: AddCheckpoint) -> bytes:
    """Return the body of a request."""
    if not 0 <= asked.old_size <= MAX_SIZE or len(asked.proof) > MAX_PROOF_HASHES:
        raise ValueError("size or proof out of shape")
    lines = [f"{_OLD}{asked.old_size}", *map(base64_text, asked.proof)]
    return ("\n".join(lines) + "\n\n" + asked.note).encode()


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Read the body of a request; the inverse of ``format_add_checkpoint``.

    Raises:
        ProofRejected: any other bytes.
    """
    try:
        head, blank, note = body.decode().partition("\n\n")
    except UnicodeDecodeError:
        raise ProofRejected("the request is not UTF-8") from None
    first, *rest = head.split("\n")
    old_size = decimal(first.removeprefix(_OLD)) if first.startswith(_OLD) else None
    if not blank or old_size is None:
        raise ProofRejected("the request does not begin with an old size")
    if len(rest) > MAX_PROOF_HASHES:
        raise ProofRejected("the proof is too long")
    hashes = tuple(base64_bytes(line) or b"" for line in rest)
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofRejected("a hash is not 32 bytes in canonical base64")
    split_note(note)
    return AddCheckpoint(old_size, hashes, note)


def size_answer(size: int) -> str:
    """Return the body of a 409: the size that the witness last cosigned."""
    return f"{size}\n"


def parse_size_answer(body: bytes) -> int:
    """Read the body of a 409.

    Raises:
        ProofRejected: not one canonical number and a line end.
    """
    text = body.decode("ascii", "replace")
    size = decimal(text[:-1]) if text.endswith("\n") else None
    if size is None:
        raise ProofRejected("the witness's size is not a canonical number")
    return size


def monitoring_path(origin: str) -> str:
    """Return where a witness shows the checkpoint that it last cosigned, below its monitoring prefix."""
    return f"{sha256(origin.encode()).hexdigest()}/checkpoint"
