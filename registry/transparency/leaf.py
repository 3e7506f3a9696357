r"""The leaf: what one ledger entry puts into the Merkle tree, and the salted commitments inside it.

A leaf is ASCII, stored verbatim and hashed as stored::

    alog/v1\n<unix_ms>\n<kind>\n<base64(c_1 || ... || c_n)>\n

    seed_i  32 random bytes per entry, kept with the entry's values, never in the leaf
    salt_f  HMAC-SHA256(seed_i, name)
    c_f     SHA-256("alog/v1/c\0" || salt_f || u8(len(name)) || name || value_f)

Nobody learns a value from its commitment, not even a guessable one, unless handed its 32-byte salt; handing out
one salt opens one field and no other. docs/ledger-format.md is the public description.
"""

from __future__ import annotations

import binascii
import hmac
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from registry.domain.errors import LedgerCorrupt
from registry.transparency._codec import MAX_SIZE, decimal

LEAF_VERSION = "alog/v1"
COMMITMENT_BYTES = 32
SALT_BYTES = 32
SEED_BYTES = 32
MAX_LEAF_BYTES = 65_535  # an entry in a C2SP entry bundle has a 16-bit length
MAX_NAME_BYTES = 255  # the length of a name is one byte

_COMMITMENT_DOMAIN = b"alog/v1/c\0"
_HEAD = LEAF_VERSION.encode() + b"\n"
_KIND = re.compile(r"[a-z][a-z-]{0,31}")
_LINES = 5  # version, time, kind, commitments, and nothing after the last line end
_BLOCK_BYTES = 64  # SHA-256 block
_COMMITMENTS = struct.Struct(f"{COMMITMENT_BYTES}s")
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A parsed leaf.

    Attributes:
        unix_ms: the time the entry claims, milliseconds since 1970 UTC.
        kind: the entry's kind, public.
        commitments: 32 bytes each, in the order of ``fields.field_names``.
    """

    unix_ms: int
    kind: str
    commitments: tuple[bytes, ...]


def salt_of(seed: bytes, name: str) -> bytes:
    """Return the 32-byte salt of one field.

    Args:
        seed: the entry's 32 random bytes.
        name: the field's name.
    """
    _demand_seed(seed)
    return hmac.digest(seed, name.encode(), "sha256")


def commit(salt: bytes, name: str, value: bytes) -> bytes:
    """Return the 32-byte commitment to a field's value.

    Salt and name have a fixed or stated length, so two different triples never give the same hash input.

    Args:
        salt: 32 bytes.
        name: 1 to 255 bytes of UTF-8.
        value: any bytes; empty for an absent field.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt is 32 bytes")
    return sha256(_COMMITMENT_DOMAIN + salt + _prefixed(name) + value).digest()


def commit_all(seed: bytes, fields: Iterable[tuple[str, bytes]]) -> tuple[bytes, ...]:
    """Commit to every field of one entry: ``commit(salt_of(seed, name), name, value)`` of each, in order.

    The two padded key blocks of HMAC (RFC 2104) depend on the seed alone and are made once, which makes an entry
    of 16 fields about twice as fast as 16 separate calls; a test pins that the results are equal.
    """
    _demand_seed(seed)
    block = seed.ljust(_BLOCK_BYTES, b"\0")
    inner, outer = block.translate(_INNER), block.translate(_OUTER)
    return tuple(
        [
            sha256(
                _COMMITMENT_DOMAIN + sha256(outer + sha256(inner + prefixed[1:]).digest()).digest() + prefixed + value
            ).digest()
            for name, value in fields
            for prefixed in (_prefixed(name),)
        ]
    )


def encode_leaf(unix_ms: int, kind: str, commitments: Sequence[bytes]) -> bytes:
    """Return the leaf's bytes.

    Args:
        unix_ms: milliseconds since 1970 UTC, 0 to 2^63 - 1.
        kind: lower-case letters and hyphens, at most 32.
        commitments: at least one, 32 bytes each.

    Raises:
        ValueError: an argument is out of shape, or the leaf would exceed 65,535 bytes.
    """
    if set(map(len, commitments)) != {COMMITMENT_BYTES}:
        raise ValueError("commitments are 32 bytes each, at least one")
    if not 0 <= unix_ms <= MAX_SIZE or _KIND.fullmatch(kind) is None:
        raise ValueError("time or kind out of shape")
    leaf = b"%b%d\n%b\n%b" % (_HEAD, unix_ms, kind.encode(), binascii.b2a_base64(b"".join(commitments)))
    if len(leaf) > MAX_LEAF_BYTES:
        raise ValueError("the leaf is too long")
    return leaf


def parse_leaf(leaf: bytes) -> Leaf:
    """Read a leaf; the inverse of ``encode_leaf``.

    Only the exact bytes ``encode_leaf`` writes are accepted, so no two different leaves read alike.

    Raises:
        LedgerCorrupt: any other bytes, an unknown version included (versions are never guessed).
    """
    lines = leaf.split(b"\n") if len(leaf) <= MAX_LEAF_BYTES else []
    if len(lines) != _LINES or lines[0] + b"\n" != _HEAD:
        raise LedgerCorrupt("the leaf is not of version alog/v1")
    try:
        unix_ms, kind = decimal(lines[1].decode("ascii")), lines[2].decode("ascii")
        joined = binascii.a2b_base64(lines[3])
        commitments = tuple([piece for (piece,) in _COMMITMENTS.iter_unpack(joined)])
    except (ValueError, struct.error) as exc:  # not ASCII, not base64, not 32-byte pieces
        raise LedgerCorrupt("the leaf is not in canonical form") from exc
    # Lenient base64 reads other bytes alike; written again they differ.
    is_canonical = binascii.b2a_base64(joined, newline=False) == lines[3] and not lines[4]
    if unix_ms is None or _KIND.fullmatch(kind) is None or not commitments or not is_canonical:
        raise LedgerCorrupt("the leaf is not in canonical form")
    return Leaf(unix_ms, kind, commitments)


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 || leaf), the leaf's node in the tree (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), an inner node (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


@lru_cache(maxsize=2_048)  # every field name that an entry can have
def _prefixed(name: str) -> bytes:
    raw = name.encode()
    if not 0 < len(raw) <= MAX_NAME_BYTES:
        raise ValueError("a field name is 1 to 255 bytes")
    return bytes((len(raw),)) + raw


def _demand_seed(seed: bytes) -> None:
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed is 32 bytes")
