"""Checkpoints (c2sp.org/tlog-checkpoint v1): the signed statement of a ledger's size and root.

Decided on the strict side: exactly three lines. Extension lines, which the specification allows and advises
against, are refused, so whatever could hide in one (U+0085, a blank line) is refused as well. The name of the
signing key is the origin.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.domain.errors import ProofRejected
from registry.transparency._codec import HASH_BYTES, MAX_SIZE, base64_bytes, base64_text, decimal
from registry.transparency.merkle import EMPTY_ROOT
from registry.transparency.note import LedgerKeys, is_key_name, open_note

_LINES = 4  # origin, size, root, and nothing after the last line end


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says.

    Attributes:
        origin: which ledger, for example ``registry.example/audit/e1``.
        size: number of entries.
        root: root hash over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """Return the text to sign: origin, size and base64 root, one a line.

    Args:
        origin: non-empty, no spaces, plus or control characters.
        size: 0 to 2^63 - 1.
        root: 32 bytes; the empty tree's root if the size is 0.
    """
    if not is_key_name(origin) or not 0 <= size <= MAX_SIZE or len(root) != HASH_BYTES:
        raise ValueError("origin, size or root out of shape")
    if size == 0 and root != EMPTY_ROOT:
        raise ValueError("the root of the empty tree is another one")
    return f"{origin}\n{size}\n{base64_text(root)}\n"


def parse_checkpoint(text: str, origin: str) -> Checkpoint:
    """Read a checkpoint's text, **without any signature**; the inverse of ``checkpoint_text``.

    Args:
        text: the three lines.
        origin: the ledger it must be of.

    Raises:
        ProofRejected: another origin, an extension line, or any spelling that ``checkpoint_text`` would not write.
    """
    lines = text.split("\n")
    if len(lines) != _LINES or lines[3]:
        raise ProofRejected("a checkpoint has exactly three lines")
    if lines[0] != origin or not is_key_name(origin):
        raise ProofRejected("the checkpoint is of another ledger")
    size, root = decimal(lines[1]), base64_bytes(lines[2])
    if size is None:
        raise ProofRejected("the tree size is not a canonical number")
    if root is None or len(root) != HASH_BYTES:
        raise ProofRejected("the root hash is not 32 bytes in canonical base64")
    if size == 0 and root != EMPTY_ROOT:
        raise ProofRejected("the root of the empty tree is another one")
    return Checkpoint(origin, size, root)


def open_checkpoint(note: str | bytes, keys: LedgerKeys, origin: str) -> Checkpoint:
    """Verify a signed checkpoint of one ledger.

    Args:
        note: the complete note, possibly with further signatures (witnesses).
        keys: the ledger's key, or its keys with the sizes that each signs; their names are its origins.
        origin: the ledger, by the origin that it had.

    Raises:
        ProofRejected: the signature, the text or the origin is not as it must be, or a key signed a size that is not
            its own.
    """
    known = keys.of_size(_stated_size(note))
    own = [one for one in known if one.key.name == origin]
    if known and not own:
        raise ProofRejected("the key is of another ledger")
    return parse_checkpoint(open_note(note, own).text, origin)


def open_own(note: str | bytes, keys: LedgerKeys) -> Checkpoint:
    """Verify a checkpoint of one ledger under whichever of the origins that it had.

    Raises:
        ProofRejected: as ``open_checkpoint``; what was signed under a former origin beyond the entries that the next
            one shares with it is none of this ledger.
    """
    text = note if isinstance(note, str) else note.decode("utf-8", "replace")
    return open_checkpoint(note, keys, text.partition("\n")[0])


def _stated_size(note: str | bytes) -> int:
    """Return the size that a note states, before anything of it is verified; -1 for none."""
    lines = (note if isinstance(note, str) else note.decode("utf-8", "replace")).split("\n", 2)
    size = decimal(lines[1]) if len(lines) == 3 else None
    return -1 if size is None else size
