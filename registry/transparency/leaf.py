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

import hmac
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from registry.domain.errors import LedgerCorrupt
from registry.transparency._codec import MAX_SIZE

LEAF_VERSION = "alog/v1"
COMMITMENT_BYTES = 32
SALT_BYTES = 32
SEED_BYTES = 32
MAX_LEAF_BYTES = 65_535  # an entry in a C2SP entry bundle has a 16-bit length
MAX_NAME_BYTES = 255  # the length of a name is one byte

_COMMITMENT_DOMAIN = b"alog/v1/c\0"
_VERSION = LEAF_VERSION.encode()
_HEAD = _VERSION + b"\n"
_KIND = re.compile(rb"[a-z][a-z-]{0,31}")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # of base64
_GROUP = 4  # characters of base64 that stand for three bytes
_MAX_DIGITS = len(str(MAX_SIZE))
_LINES = 5  # version, time, kind, commitments, and nothing after the last line end
_PADDING = bytes(64 - SEED_BYTES)  # up to a block of SHA-256
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class Leaf(NamedTuple):
    """A parsed leaf.

    Attributes:
        unix_ms: the time the entry claims, milliseconds since 1970 UTC.
        kind: the entry's kind, public.
        text: the base64 of its commitments, as it stands there.
    """

    unix_ms: int
    kind: str
    text: bytes

    @property
    def commitments(self) -> tuple[bytes, ...]:
        """The commitments, 32 bytes each, in the order of ``fields.field_names``."""
        return _parted(a2b_base64(self.text))


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


def join_commitments(seed: bytes, names: tuple[str, ...], values: Sequence[bytes]) -> bytes:
    """Commit to every field of one entry: ``commit(salt_of(seed, name), name, value)`` of each, one after the other.

    The two padded key blocks of HMAC (RFC 2104) depend on the seed alone and are made once, and what is hashed of each
    name once for all entries, which takes half of as many separate calls; a test pins that the results are equal.

    Args:
        seed: the entry's 32 random bytes.
        names: the fields' names, in the order of the leaf.
        values: as many, any bytes; empty for an absent field.
    """
    _demand_seed(seed)
    block = seed + _PADDING
    inner, outer, hashed = block.translate(_INNER), block.translate(_OUTER), sha256
    return b"".join(
        [
            hashed(
                _COMMITMENT_DOMAIN + hashed(outer + hashed(inner + raw).digest()).digest() + prefixed + value
            ).digest()
            for (raw, prefixed), value in zip(_hashed_of(names), values, strict=True)
        ]
    )


def encode_joined(unix_ms: int, kind: str, joined: bytes) -> bytes:
    """Return the leaf's bytes.

    Args:
        unix_ms: milliseconds since 1970 UTC, 0 to 2^63 - 1.
        kind: lower-case letters and hyphens, at most 32.
        joined: commitments one after the other, as ``join_commitments`` gives them: at least one, 32 bytes each.

    Raises:
        ValueError: an argument is out of shape, or the leaf would exceed 65,535 bytes.
    """
    if not joined or len(joined) % COMMITMENT_BYTES:
        raise ValueError("commitments are 32 bytes each, at least one")
    raw = kind.encode()
    if not 0 <= unix_ms <= MAX_SIZE or _kind_of(raw) is None:
        raise ValueError("time or kind out of shape")
    leaf = b"%b%d\n%b\n%b" % (_HEAD, unix_ms, raw, b2a_base64(joined))
    if len(leaf) > MAX_LEAF_BYTES:
        raise ValueError("the leaf is too long")
    return leaf


def parse_leaf(leaf: bytes) -> Leaf:
    """Read a leaf; the inverse of ``encode_joined``.

    Only the exact bytes ``encode_joined`` writes are accepted, so no two different leaves read alike.

    Raises:
        LedgerCorrupt: any other bytes, an unknown version included (versions are never guessed).
    """
    lines = leaf.split(b"\n") if len(leaf) <= MAX_LEAF_BYTES else []
    if len(lines) != _LINES or lines[0] != _VERSION:
        raise LedgerCorrupt("the leaf is not of version alog/v1")
    unix_ms, kind = _number(lines[1]), _kind_of(lines[2])
    if unix_ms is None or kind is None or lines[4] or not _is_of_commitments(lines[3]):
        raise LedgerCorrupt("the leaf is not in canonical form")
    return Leaf(unix_ms, kind, lines[3])


def claims_of(leaf: bytes) -> tuple[int, str]:
    """Return the time and kind that a leaf claims, for whoever makes the leaf anew from what it says and compares.

    Raises:
        LedgerCorrupt: it is of no known version, or time or kind cannot stand in a leaf. Else it may be none still.
    """
    lines = leaf.split(b"\n", 3)
    if len(lines) != _LINES - 1 or lines[0] != _VERSION:
        raise LedgerCorrupt("the leaf is not of version alog/v1")
    unix_ms, kind = _number(lines[1]), _kind_of(lines[2])
    if unix_ms is None or kind is None:
        raise LedgerCorrupt("the leaf is not in canonical form")
    return unix_ms, kind


def _number(raw: bytes) -> int | None:
    """Return the number that these digits are the one spelling of, or None."""
    if not raw.isdigit() or len(raw) > _MAX_DIGITS or (raw[:1] == b"0" and raw != b"0"):
        return None
    number = int(raw)
    return number if number <= MAX_SIZE else None


def _is_of_commitments(text: bytes) -> bool:
    """Tell whether this is the one base64 of at least one commitment: only its last four characters are decoded.

    All others stand for three bytes each, whichever of the alphabet they are; the last ones may have padding, and bits
    that a lenient decoder drops.
    """
    last = text[-_GROUP:]
    if not text or len(text) % _GROUP or text[:-_GROUP].translate(None, _ALPHABET):
        return False
    try:
        raw = a2b_base64(last)
    except ValueError:
        return False
    length = (len(text) - _GROUP) // _GROUP * 3 + len(raw)
    return b2a_base64(raw, newline=False) == last and length % COMMITMENT_BYTES == 0


def _parted(joined: bytes) -> tuple[bytes, ...]:
    return tuple([joined[at : at + COMMITMENT_BYTES] for at in range(0, len(joined), COMMITMENT_BYTES)])


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


@lru_cache(maxsize=256)  # of all numbers of records that cards have
def _hashed_of(names: tuple[str, ...]) -> tuple[tuple[bytes, bytes], ...]:
    """Return what is hashed of each name: for its salt and for its commitment."""
    return tuple([(name.encode(), _prefixed(name)) for name in names])


@lru_cache(maxsize=256)
def _kind_of(raw: bytes) -> str | None:
    """Return the kind that these bytes spell, or None: a leaf can have no such kind."""
    return raw.decode("ascii") if _KIND.fullmatch(raw) is not None else None


def _demand_seed(seed: bytes) -> None:
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed is 32 bytes")
