"""Cosignatures (c2sp.org/tlog-cosignature v1): the statement of somebody else that a checkpoint was seen, and when.

Two types: Ed25519 (0x04) over the checkpoint's text, and ML-DSA-44 (0x06) over a binary message that also holds the
cosigner's name. The ledger itself signs what it publishes with a key of the second type beside its Ed25519 key, so
that evidence outlives the day on which Ed25519 falls.

Decided on the strict side, each with a test:

* A known cosigner stands in a note once; a second line, identical or forged, refuses the note.
* A vkey of type 0x01 is no cosigner's, though some libraries convert it: one key must not serve two types.
* A time of zero states nothing about when; ``open_cosignatures`` refuses it.
* Names and origins of ML-DSA-44 messages are 1 to 255 bytes. Extension lines are refused with the checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from registry.domain.errors import ProofRejected
from registry.transparency._codec import MAX_SIZE, base64_text
from registry.transparency.checkpoint import Checkpoint, checkpoint_text, parse_checkpoint
from registry.transparency.note import (
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    SignatureCheck,
    SignatureLine,
    demand_point,
    is_key_name,
    key_id_of,
    line_of,
    split_note,
    split_vkey,
)

ED25519_COSIGNATURE = 0x04
ML_DSA_44 = 0x06
_TIME_BYTES = 8
# Bytes of public key and signature, by type.
_WIDTHS = {ED25519_COSIGNATURE: (PUBLIC_KEY_BYTES, SIGNATURE_BYTES), ML_DSA_44: (1_312, 2_420)}
_SUBTREE_LABEL = b"subtree/v1\n\0"
_MAX_NAME_BYTES = 255


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """Who cosigns, and with which public key.

    Attributes:
        name: the key's name.
        kind: ``ED25519_COSIGNATURE`` or ``ML_DSA_44``.
        key_id: 4 bytes, bound to name, type and public key.
        public_key: 32 or 1,312 bytes.
    """

    name: str
    kind: int
    key_id: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A cosigner's key with the means to check its signatures; ``crypto`` gives the means."""

    key: CosignerKey
    check: SignatureCheck


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One verified cosignature.

    Attributes:
        key: whose it is.
        unix_s: when the cosigner says that it saw the checkpoint, seconds since 1970 UTC; above zero.
    """

    key: CosignerKey
    unix_s: int


def cosigner_key(name: str, kind: int, public_key: bytes) -> CosignerKey:
    """Name a cosigner's public key.

    Raises:
        ProofRejected: the name, the type or the key is none that a cosigner can have.
    """
    if not is_key_name(name):
        raise ProofRejected("a key name is empty or holds a space, plus or control character")
    if kind not in _WIDTHS or len(public_key) != _WIDTHS[kind][0]:
        raise ProofRejected("not a cosigner's key: Ed25519 (04) or ML-DSA-44 (06)")
    if kind == ED25519_COSIGNATURE:
        demand_point(public_key)
    elif len(name.encode()) > _MAX_NAME_BYTES:
        raise ProofRejected("the name of an ML-DSA-44 cosigner is at most 255 bytes")
    return CosignerKey(name, kind, key_id_of(name, public_key, kind), public_key)


def format_cosigner(key: CosignerKey) -> str:
    """Return the verifier key: ``<name>+<key id>+<base64(type || public key)>``."""
    return f"{key.name}+{key.key_id.hex()}+{base64_text(bytes((key.kind,)) + key.public_key)}"


def parse_cosigner(vkey: str) -> CosignerKey:
    """Read a cosigner's verifier key; the inverse of ``format_cosigner``.

    Raises:
        ProofRejected: any other text, a key id that is not the key's, or a key of another type.
    """
    name, key_id, kind, public_key = split_vkey(vkey)
    key = cosigner_key(name, kind, public_key)
    if key.key_id != key_id:
        raise ProofRejected("the verifier key's id does not belong to it")
    return key


def message_of(key: CosignerKey, checkpoint: Checkpoint, unix_s: int) -> bytes:
    """Return the bytes that a cosignature is over.

    Args:
        key: whose; the message depends on its type, and for ML-DSA-44 on its name.
        checkpoint: what was seen.
        unix_s: when, 1 to 2^63 - 1.

    Raises:
        ProofRejected: the origin is longer than an ML-DSA-44 message can hold.
    """
    if not 0 < unix_s <= MAX_SIZE:
        raise ValueError("the time of a cosignature is above zero and below 2^63")
    text = checkpoint_text(checkpoint.origin, checkpoint.size, checkpoint.root)
    if key.kind == ED25519_COSIGNATURE:
        return f"cosignature/v1\ntime {unix_s}\n{text}".encode()
    origin = checkpoint.origin.encode()
    if len(origin) > _MAX_NAME_BYTES:
        raise ProofRejected("the origin is too long for an ML-DSA-44 signature")
    parts = (
        *(_SUBTREE_LABEL, _prefixed(key.name.encode()), _u64(unix_s), _prefixed(origin)),
        *(_u64(0), _u64(checkpoint.size), checkpoint.root),
    )
    return b"".join(parts)


def cosign(key: CosignerKey, checkpoint: Checkpoint, unix_s: int, sign: Callable[[bytes], bytes]) -> str:
    """Return the signature line of a cosignature, with its line end.

    Args:
        key: the cosigner's.
        checkpoint: what was seen, verified by the caller.
        unix_s: when, seconds since 1970 UTC.
        sign: gives the signature of a message, 64 or 2,420 bytes.
    """
    signature = sign(message_of(key, checkpoint, unix_s))
    if len(signature) != _WIDTHS[key.kind][1]:
        raise ValueError("the signature is not as long as those of its type")
    return line_of(SignatureLine(key.name, key.key_id, _u64(unix_s) + signature))


def open_cosignatures(note: str | bytes, cosigners: Sequence[Cosigner], origin: str) -> tuple[Cosignature, ...]:
    """Verify the cosignatures in a note; **the ledger's own signature is not looked at** (``open_checkpoint``).

    Args:
        note: the complete note of a checkpoint.
        cosigners: the known ones, no two of the same name and key id.
        origin: the ledger.

    Returns:
        The cosignatures of known cosigners, in their order in the note; perhaps none.

    Raises:
        ProofRejected: not a checkpoint of that ledger, or a known cosigner's line is bad or repeated.
    """
    text, lines = split_note(note)
    checkpoint = parse_checkpoint(text, origin)
    known = {(cosigner.key.name, cosigner.key.key_id): cosigner for cosigner in cosigners}
    if len(known) != len(cosigners):
        raise ValueError("two cosigners share a name and key id")
    found: dict[tuple[str, bytes], Cosignature] = {}
    for line in lines:
        place = (line.name, line.key_id)
        if place in found:
            raise ProofRejected("a known cosigner appears more than once")
        if place in known:
            found[place] = _verified(line, known[place], checkpoint)
    return tuple(found.values())


def _verified(line: SignatureLine, cosigner: Cosigner, checkpoint: Checkpoint) -> Cosignature:
    unix_s = int.from_bytes(line.signature[:_TIME_BYTES], "big")
    signature = line.signature[_TIME_BYTES:]
    is_shaped = len(signature) == _WIDTHS[cosigner.key.kind][1] and 0 < unix_s <= MAX_SIZE
    if not is_shaped or cosigner.check(signature, message_of(cosigner.key, checkpoint, unix_s)) is not True:
        raise ProofRejected("a known cosigner's signature does not verify")
    return Cosignature(cosigner.key, unix_s)


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _prefixed(raw: bytes) -> bytes:
    return bytes((len(raw),)) + raw
