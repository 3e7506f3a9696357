"""Signed notes (c2sp.org/signed-note v1): text with signature lines, and the keys that verify them.

What the specification leaves open is decided here on the strict side; each decision has a test:

* A known key signs a note once. A second line of the same name and key id, identical or forged, refuses the note
  (the specification says SHOULD for forged ones; the Go library skips duplicates).
* Lines of unknown keys must be well formed but are otherwise ignored, as the specification demands.
* At most 64 signature lines and 256 KiB (the specification demands at least 16 lines).
* Base64 is canonical: no line ends, no missing padding, no stray bits.
* Only Ed25519 keys (type 0x01). Keys of small order or with a non-canonical encoding are refused: under them,
  signatures verify that nobody made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from registry.domain.errors import ProofRejected
from registry.transparency._codec import base64_bytes, base64_text

MAX_NOTE_BYTES = 262_144
MAX_SIGNATURES = 64
ED25519 = 0x01
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
KEY_ID_BYTES = 4

_SIGNATURE_PREFIX = "— "  # U+2014 and a space
_BLANK_LINE = "\n\n"
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _P - 1,
        int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
        int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    }
)


class SignatureCheck(Protocol):
    """Verifies one signature under a key it holds.

    It must return True for a good signature and False for any other bytes, and raise nothing; only the value True
    itself is taken as good, so a function that reports failure by raising cannot be passed in by mistake.
    """

    def __call__(self, signature: bytes, message: bytes, /) -> bool:
        """Tell whether the signature is over the message."""
        ...


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A verifier key ("vkey"): who signs, and the Ed25519 public key.

    Attributes:
        name: the key's name; for a ledger's key, its origin.
        key_id: 4 bytes, bound to name and public key.
        public_key: 32 bytes, RFC 8032.
    """

    name: str
    key_id: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key with the means to check its signatures; ``crypto`` gives the means.

    Attributes:
        key: the key.
        check: verifies signatures under it.
    """

    key: VerifierKey
    check: SignatureCheck

    def of_size(self, size: int) -> Sequence[Verifier]:
        """Return itself: this one key signs whatever size; see ``LedgerKeys``."""
        del size
        return (self,)


class LedgerKeys(Protocol):
    """The keys of one ledger in their order, each with the sizes that it signs."""

    @property
    def key(self) -> VerifierKey:
        """The key that signs now; its name is the origin."""
        ...

    def of_size(self, size: int) -> Sequence[Verifier]:
        """Return the keys that may sign a checkpoint of this size: one, or two where a key took over from another."""
        ...


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature line of a note.

    Attributes:
        name, key_id: which key claims to have signed.
        signature: the bytes after the key id.
    """

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note that at least one known key has signed, and no known key's line is bad.

    Attributes:
        text: the signed text with its final line end.
        signed_by: lines of known keys, verified, in their order.
        unverified: lines of unknown keys; they prove nothing.
    """

    text: str
    signed_by: tuple[SignatureLine, ...]
    unverified: tuple[SignatureLine, ...]


def key_id_of(name: str, public_key: bytes, kind: int = ED25519) -> bytes:
    """Return the id of a key: the first 4 bytes of SHA-256(name || LF || type || public key).

    Args:
        name: the key's name.
        public_key: as its type encodes it; 32 bytes of Ed25519.
        kind: the signature type's byte.
    """
    digest = sha256(name.encode() + b"\n" + bytes((kind,)) + public_key).digest()
    return digest[:KEY_ID_BYTES]


def verifier_key(name: str, public_key: bytes) -> VerifierKey:
    """Name a public key.

    Raises:
        ProofRejected: the name is empty or holds a space, plus or control character, or the key is not a
            canonical point of large order.
    """
    _demand_name(name)
    demand_point(public_key)
    return VerifierKey(name, key_id_of(name, public_key), public_key)


def demand_point(public_key: bytes) -> None:
    """Check that an Ed25519 public key is a canonical point of large order: under others, nobody's signatures verify.

    Raises:
        ProofRejected: it is not.
    """
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise ProofRejected("an Ed25519 public key is 32 bytes")
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    if y >= _P or y in _SMALL_ORDER_Y or not _is_on_curve(y):
        raise ProofRejected("the public key is of small order or not a point in canonical form")


def is_key_name(name: str) -> bool:
    """Tell whether a text can be a key name, and with it an origin: not empty, no Unicode space, plus or control."""
    return bool(name) and not any(c.isspace() or c < " " or c == "+" or "\ud800" <= c <= "\udfff" for c in name)


def format_vkey(key: VerifierKey) -> str:
    """Return ``<name>+<key id>+<base64(0x01 || public key)>``."""
    return f"{key.name}+{key.key_id.hex()}+{base64_text(bytes((ED25519,)) + key.public_key)}"


def parse_vkey(vkey: str) -> VerifierKey:
    """Read a verifier key; the inverse of ``format_vkey``.

    Raises:
        ProofRejected: any other text, a key id that is not the key's, or a key type other than Ed25519.
    """
    name, key_id, kind, public_key = split_vkey(vkey)
    if kind != ED25519 or len(public_key) != PUBLIC_KEY_BYTES:
        raise ProofRejected("the verifier key is not an Ed25519 key")
    key = verifier_key(name, public_key)
    if key.key_id != key_id:
        raise ProofRejected("the verifier key's id does not belong to it")
    return key


def split_vkey(vkey: str) -> tuple[str, bytes, int, bytes]:
    """Take a verifier key of any type apart: name, key id, type and public key, **none of them checked**.

    Raises:
        ProofRejected: the text is no verifier key.
    """
    parts = vkey.split("+", 2)  # base64 may hold a plus itself
    if len(parts) != 3 or _KEY_ID.fullmatch(parts[1]) is None:
        raise ProofRejected("the verifier key is malformed")
    raw = base64_bytes(parts[2])
    if not raw:
        raise ProofRejected("the verifier key is not an Ed25519 key")
    return parts[0], bytes.fromhex(parts[1]), raw[0], raw[1:]


def sign_note(text: str, name: str, key_id: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Return the text with one signature.

    Args:
        text: ends in a line end; no other control characters.
        name: the signing key's name.
        key_id: its id, 4 bytes.
        sign: gives the Ed25519 signature (64 bytes) of a message.

    Raises:
        ProofRejected: the text or name cannot stand in a note.
    """
    _demand_text(text)
    if not text.endswith("\n"):
        raise ProofRejected("the text of a note ends in a line end")
    signature = sign(text.encode())
    return text + "\n" + signature_line(name, key_id, signature)


def signature_line(name: str, key_id: bytes, signature: bytes) -> str:
    """Return one signature line with its line end, as can be appended to a note."""
    if len(signature) != SIGNATURE_BYTES:
        raise ProofRejected("an Ed25519 signature is 64 bytes and a key id 4")
    return line_of(SignatureLine(name, key_id, signature))


def line_of(line: SignatureLine) -> str:
    """Return a signature line of any type as it stands in a note, with its line end."""
    _demand_name(line.name)
    if not line.signature or len(line.key_id) != KEY_ID_BYTES:
        raise ProofRejected("an Ed25519 signature is 64 bytes and a key id 4")
    return f"{_SIGNATURE_PREFIX}{line.name} {base64_text(line.key_id + line.signature)}\n"


def open_note(note: str | bytes, verifiers: Sequence[Verifier]) -> OpenedNote:
    """Verify a note.

    Args:
        note: the complete note.
        verifiers: the known keys, no two of the same name and id.

    Raises:
        ProofRejected: the note is malformed, a known key's line is bad or repeated, or no known key signed.
    """
    text, lines = split_note(note)
    known = {(verifier.key.name, verifier.key.key_id): verifier for verifier in verifiers}
    if len(known) != len(verifiers):
        raise ValueError("two verifiers share a name and key id")
    message = text.encode()
    signed_by: list[SignatureLine] = []
    unverified: list[SignatureLine] = []
    for line in lines:
        verifier = known.pop((line.name, line.key_id), None)
        if verifier is None:
            unverified.append(line)
        elif len(line.signature) == SIGNATURE_BYTES and verifier.check(line.signature, message) is True:
            signed_by.append(line)
        else:
            raise ProofRejected("a known key's signature does not verify")
    if not signed_by:
        raise ProofRejected("no known key has signed the note")
    seen = {(line.name, line.key_id) for line in signed_by}
    if any((line.name, line.key_id) in seen for line in unverified):
        raise ProofRejected("a known key appears more than once")
    return OpenedNote(text, tuple(signed_by), tuple(unverified))


def split_note(note: str | bytes) -> tuple[str, tuple[SignatureLine, ...]]:
    """Take a note apart **without verifying it**.

    Returns:
        The text with its final line end, and the signature lines.

    Raises:
        ProofRejected: not a well-formed note.
    """
    whole = _decoded(note)
    text, blank, signatures = whole.rpartition(_BLANK_LINE)
    if not blank or not signatures.endswith("\n"):
        raise ProofRejected("the note has no signatures or no final line end")
    lines = signatures[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise ProofRejected("the note has too many signatures")
    return text + "\n", tuple(_parse_line(line) for line in lines)


def _is_on_curve(y: int) -> bool:
    """Tell whether x^2 = (y^2 - 1) / (d y^2 + 1) has a root (RFC 8032 section 5.1.3), by Euler's criterion."""
    return pow((y * y - 1) * pow(_D * y * y + 1, -1, _P), (_P - 1) // 2, _P) <= 1


def _parse_line(line: str) -> SignatureLine:
    name, space, encoded = line.removeprefix(_SIGNATURE_PREFIX).partition(" ")
    if not line.startswith(_SIGNATURE_PREFIX) or not space:
        raise ProofRejected("a signature line is malformed")
    _demand_name(name)
    raw = base64_bytes(encoded)
    if raw is None or len(raw) <= KEY_ID_BYTES:
        raise ProofRejected("a signature is not in canonical base64")
    return SignatureLine(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def _decoded(note: str | bytes) -> str:
    try:
        raw = note if isinstance(note, bytes) else note.encode()
        whole = raw.decode()
    except UnicodeError as exc:
        raise ProofRejected("the note is not UTF-8") from exc
    if len(raw) > MAX_NOTE_BYTES:
        raise ProofRejected("the note is too long")
    _demand_text(whole)
    return whole


def _demand_text(text: str) -> None:
    if any(character < " " and character != "\n" for character in text):
        raise ProofRejected("the note holds a control character")


def _demand_name(name: str) -> None:
    if not is_key_name(name):
        raise ProofRejected("a key name is empty or holds a space, plus or control character")
