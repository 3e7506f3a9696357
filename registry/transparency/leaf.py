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
_HEAD = LEAF_VERSION.encode() + b"\n"
_KIND = re.compile(rb"[a-z][a-z-]{0,31}")
_BEGINNING = re.compile(re.escape(_HEAD) + rb"(0|[1-9][0-9]{0,18})\n(" + _KIND.pattern + rb")\n")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # of base64
_MAX_DIGITS = len(str(MAX_SIZE))
_GROUP = 4  # characters of base64 that stand for three bytes
# What may stand last before so many characters of padding: any, or every fourth, or every sixteenth.
_LAST = {padding: frozenset(_ALPHABET[at : at + 1] for at in range(0, 64, 4**padding)) for padding in range(3)}
_NOT_CANONICAL = "the leaf is not in canonical form"
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
    if not 0 <= unix_ms <= MAX_SIZE or _KIND.fullmatch(raw) is None:
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
    found = _formed(leaf)
    return Leaf(int(found[1]), _kind_of(found[2]), leaf[found.end() : -1])


def time_of(leaf: bytes) -> int:
    """Return the time that a leaf claims, which is one by the rules of ``parse_leaf``.

    Raises:
        LedgerCorrupt: it is none.
    """
    return int(_formed(leaf)[1])


def claims_of(leaf: bytes) -> tuple[int, str]:
    """Return the time and kind that a leaf claims, for whoever makes the leaf anew from what it says and compares.

    Raises:
        LedgerCorrupt: it is of no known version, or time or kind cannot stand in a leaf. Else it may be none still.
    """
    found = _begun(leaf)
    return int(found[1]), _kind_of(found[2])


def _begun(leaf: bytes) -> re.Match[bytes]:
    """Match version, time and kind."""
    found = _BEGINNING.match(leaf)
    if found is None:
        raise LedgerCorrupt(_NOT_CANONICAL if leaf.startswith(_HEAD) else "the leaf is not of version alog/v1")
    if len(found[1]) == _MAX_DIGITS and int(found[1]) > MAX_SIZE:
        raise LedgerCorrupt(_NOT_CANONICAL)
    return found


def _formed(leaf: bytes) -> re.Match[bytes]:
    """Match version, time and kind; demand that what follows is the one base64 of at least one commitment.

    Nothing is decoded: what is not padding has to be of the alphabet, and the last character before padding, which
    stands for bits that are dropped, the one of several that drops zeros.
    """
    found = _begun(leaf)
    text = leaf[found.end() : -1]
    digits = text.rstrip(b"=")
    padding = len(text) - len(digits)
    if (
        digits.translate(None, _ALPHABET)
        or len(text) % _GROUP
        or digits[-1:] not in _LAST.get(padding, ())
        or (len(text) // _GROUP * 3 - padding) % COMMITMENT_BYTES
        or leaf[-1:] != b"\n"
        or len(leaf) > MAX_LEAF_BYTES
    ):
        raise LedgerCorrupt(_NOT_CANONICAL)
    return found


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
def _kind_of(raw: bytes) -> str:
    return raw.decode("ascii")


def _demand_seed(seed: bytes) -> None:
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed is 32 bytes")
