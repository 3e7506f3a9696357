"""Counter-labelled postings: an index that shows nothing at rest but how many postings there are.

The postings of one term are a list numbered from 0. Each is stored under a label of its own, so a table of
(label, value) shows neither that two postings share a term nor how often a term occurs. To look a term up,
compute labels 0, 1, 2 ... until one is absent.

Per term: 64 bytes T = HMAC-SHA512(index key, "registry/postings/v1" || 0x00 || term), label key = T[:32],
value key = T[32:]. A later generation of the index has a secret of its own, and in place of T
HMAC-SHA512(secret, "registry/postings/v2" || 0x00 || T): whoever has only one of both keys finds nothing.
With ``n`` the number as 8 big-endian bytes::

    label   16   HMAC-SHA256(label key, n)[:16]
    value   32   tag 12 || masked payload 20
        tag      HMAC-SHA256(value key, 0x01 || n || payload)[:12]
        masked   payload xor HMAC-SHA256(value key, 0x02 || n || tag)[:20]
    payload 20   id 16 || version 4, big-endian

The mask depends on the tag (synthetic IV), so overwriting a posting with a tombstone never reuses a mask: with a
plain per-number mask, an old backup xor today's table would show the erased id.

Source: Cash, Jaeger, Jarecki, Jutla, Krawczyk, Rosu, Steiner, "Dynamic Searchable Encryption in Very-Large
Databases", NDSS 2014 (Pi_bas); Rogaway and Shrimpton, "Deterministic Authenticated-Encryption", 2006 (SIV).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256, sha512
from typing import NoReturn

from registry.crypto.tags import equal
from registry.domain.errors import EnvelopeRejected

LABEL_BYTES = 16
ID_BYTES = 16
PAYLOAD_BYTES = 20
TAG_BYTES = 12
VALUE_BYTES = TAG_BYTES + PAYLOAD_BYTES
TOMBSTONE = bytes(PAYLOAD_BYTES)
MIN_INDEX_KEY_BYTES = 32
LIST_KEY_BYTES = 64

_DOMAIN = b"registry/postings/v1\0"
_LATER_DOMAIN = b"registry/postings/v2\0"
_NO_ID = bytes(ID_BYTES)
_TAG = b"\x01"
_MASK = b"\x02"
_BLOCK_BYTES, _WIDE_BLOCK_BYTES = 64, 128  # of SHA-256 and SHA-512
_LABEL_KEY_BYTES = 32
_PADDING = bytes(_BLOCK_BYTES - _LABEL_KEY_BYTES)
_ZERO = bytes(8)
_INNER = bytes(value ^ 0x36 for value in range(256))
_OUTER = bytes(value ^ 0x5C for value in range(256))


def pack_payload(record: str, version: int) -> bytes:
    """Return the payload of a posting.

    Args:
        record: 32 hexadecimal digits, not all zero.
        version: 0 to 2^32 - 1.

    Raises:
        ValueError: not an id, the tombstone's id, or a version out of range.
    """
    identifier = bytes.fromhex(record)
    if len(identifier) != ID_BYTES or identifier == _NO_ID:
        raise ValueError("a posting names a record by 32 hexadecimal digits, not all zero")
    if not 0 <= version <= 0xFFFF_FFFF:
        raise ValueError("a posting's version is 0 to 2^32 - 1")
    return identifier + version.to_bytes(4, "big")


def unpack_payload(payload: bytes) -> tuple[str, int]:
    """Return record id (32 hexadecimal digits) and version of a payload that is not a tombstone."""
    return payload[:ID_BYTES].hex(), int.from_bytes(payload[ID_BYTES:], "big")


def is_tombstone(payload: bytes) -> bool:
    """Tell whether a payload stands for an erased posting; the list goes on behind it."""
    return payload[:ID_BYTES] == _NO_ID


class PostingKey:
    """An index secret, ready to derive the two keys of every term's list. Never shown, never pickled."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, index_key: bytes, *, later: bool = False) -> None:
        """Take the registry's index secret, or that of a later generation.

        Args:
            index_key: 32 to 128 bytes.
            later: whether it is a later generation's: its lists are made from the keys of the first one's.

        Raises:
            ValueError: it is too short or longer than a block.
        """
        if not MIN_INDEX_KEY_BYTES <= len(index_key) <= _WIDE_BLOCK_BYTES:
            raise ValueError("an index key is 32 to 128 bytes")
        block = index_key.ljust(_WIDE_BLOCK_BYTES, b"\0")
        # Hashed once and copied for each term: half the cost of setting HMAC up anew (RFC 2104).
        self._inner = sha512(block.translate(_INNER) + (_LATER_DOMAIN if later else _DOMAIN))
        self._outer = sha512(block.translate(_OUTER))

    def list_of(self, term: bytes) -> PostingList:
        """Derive a term's list.

        Args:
            term: domain-separated search term, any length; for a later generation the keys of the term's first list.
        """
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(term)
        outer.update(inner.digest())
        return PostingList(outer.digest())

    def first_labels(self, terms: Iterable[bytes]) -> list[bytes]:
        """Return label 0 of each term's list, in order.

        Most terms of a text have no list at all: half of what ``list_of`` and ``label`` take.
        """
        inner, outer = self._inner.copy, self._outer.copy
        found: list[bytes] = []
        for term in terms:
            first, second = inner(), outer()
            first.update(term)
            second.update(first.digest())
            block = second.digest()[:_LABEL_KEY_BYTES] + _PADDING
            digest = sha256(block.translate(_INNER) + _ZERO).digest()
            found.append(sha256(block.translate(_OUTER) + digest).digest()[:LABEL_BYTES])
        return found

    def __repr__(self) -> str:
        return "PostingKey(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


class PostingList:
    """The postings of one term."""

    __slots__ = ("_label_blocks", "_value_blocks", "keys")

    def __init__(self, keys: bytes) -> None:
        """Take what ``PostingKey.list_of`` derived.

        Args:
            keys: label key and value key, 32 bytes each.

        Raises:
            ValueError: not 64 bytes.
        """
        if len(keys) != LIST_KEY_BYTES:
            raise ValueError("a list has two keys of 32 bytes")
        self.keys = keys
        self._label_blocks = _blocks(keys[:32])
        self._value_blocks: tuple[bytes, bytes] | None = None

    def label(self, counter: int) -> bytes:
        """Return the 16 bytes under which the posting of this number is stored."""
        return _hmac(self._label_blocks, counter.to_bytes(8, "big"))[:LABEL_BYTES]

    def labels(self, first: int, count: int) -> list[bytes]:
        """Return the labels of so many postings from a number on."""
        (inner, outer), hashed = self._label_blocks, sha256
        return [
            hashed(outer + hashed(inner + number.to_bytes(8, "big")).digest()).digest()[:LABEL_BYTES]
            for number in range(first, first + count)
        ]

    def seal(self, counter: int, payload: bytes) -> bytes:
        """Seal a payload (20 bytes) as the posting of this number; 32 bytes, a tombstone's no different.

        The same number and payload give the same bytes.

        Raises:
            ValueError: the payload is not 20 bytes.
        """
        if len(payload) != PAYLOAD_BYTES:
            raise ValueError("a posting's payload is 20 bytes")
        number = counter.to_bytes(8, "big")
        tag = self._tag(number, payload)
        return tag + self._mask(number, tag, payload)

    def open(self, counter: int, value: bytes) -> bytes:
        """Return the payload of the posting of this number.

        Raises:
            EnvelopeRejected: changed, or of another term or number.
        """
        if len(value) != VALUE_BYTES:
            raise EnvelopeRejected("a posting does not open")
        number, tag = counter.to_bytes(8, "big"), value[:TAG_BYTES]
        (inner, outer), hashed = self._values(), sha256  # as ``_mask`` and ``_tag``: a ledger has one for each entry
        mask = hashed(outer + hashed(inner + _MASK + number + tag).digest()).digest()
        masked = int.from_bytes(value[TAG_BYTES:], "big") ^ int.from_bytes(mask[:PAYLOAD_BYTES], "big")
        payload = masked.to_bytes(PAYLOAD_BYTES, "big")
        made = hashed(outer + hashed(inner + _TAG + number + payload).digest()).digest()
        if not equal(made[:TAG_BYTES], tag):
            raise EnvelopeRejected("a posting does not open")
        return payload

    def _tag(self, number: bytes, payload: bytes) -> bytes:
        return _hmac(self._values(), _TAG + number + payload)[:TAG_BYTES]

    def _mask(self, number: bytes, tag: bytes, payload: bytes) -> bytes:
        mask = _hmac(self._values(), _MASK + number + tag)[:PAYLOAD_BYTES]
        return (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(PAYLOAD_BYTES, "big")

    def _values(self) -> tuple[bytes, bytes]:
        if self._value_blocks is None:  # many lists are only asked for a label
            self._value_blocks = _blocks(self.keys[32:])
        return self._value_blocks

    def __repr__(self) -> str:
        return "PostingList(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def _blocks(key: bytes) -> tuple[bytes, bytes]:
    """Return the two key blocks of HMAC-SHA256."""
    block = key.ljust(_BLOCK_BYTES, b"\0")
    return block.translate(_INNER), block.translate(_OUTER)


def _hmac(blocks: tuple[bytes, bytes], message: bytes) -> bytes:
    """Return HMAC-SHA256 (RFC 2104): for short messages two plain hashes cost half of what ``hmac.digest`` does."""
    return sha256(blocks[1] + sha256(blocks[0] + message).digest()).digest()
