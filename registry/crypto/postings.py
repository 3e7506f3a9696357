"""Counter-labelled postings: an index that shows nothing at rest but how many postings there are.

The postings of one term are a list numbered from 0. Each is stored under a label of its own, so a table of
(label, value) shows neither that two postings share a term nor how often a term occurs. To look a term up,
compute labels 0, 1, 2 ... until one is absent.

Per term: 64 bytes T = HMAC-SHA512(index key, "registry/postings/v1" || 0x00 || term), label key = T[:32],
value key = T[32:]. With ``n`` the number as 8 big-endian bytes::

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

import hmac
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

_DOMAIN = b"registry/postings/v1\0"
_NO_ID = bytes(ID_BYTES)
_TAG = b"\x01"
_MASK = b"\x02"


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


class PostingList:
    """The postings of one term."""

    __slots__ = ("_label_key", "_value_key")

    def __init__(self, index_key: bytes, term: bytes) -> None:
        """Derive the term's two keys.

        Args:
            index_key: the registry's index secret, at least 32 bytes.
            term: domain-separated search term, any length.

        Raises:
            ValueError: the index key is too short.
        """
        if len(index_key) < MIN_INDEX_KEY_BYTES:
            raise ValueError("an index key is at least 32 bytes")
        both = hmac.digest(index_key, _DOMAIN + term, "sha512")
        self._label_key = both[:32]
        self._value_key = both[32:]

    def label(self, counter: int) -> bytes:
        """Return the 16 bytes under which the posting of this number is stored."""
        return hmac.digest(self._label_key, counter.to_bytes(8, "big"), "sha256")[:LABEL_BYTES]

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
        number = counter.to_bytes(8, "big")
        tag = value[:TAG_BYTES]
        payload = self._mask(number, tag, value[TAG_BYTES:])
        if not equal(self._tag(number, payload), tag):
            raise EnvelopeRejected("a posting does not open")
        return payload

    def _tag(self, number: bytes, payload: bytes) -> bytes:
        return hmac.digest(self._value_key, _TAG + number + payload, "sha256")[:TAG_BYTES]

    def _mask(self, number: bytes, tag: bytes, payload: bytes) -> bytes:
        mask = hmac.digest(self._value_key, _MASK + number + tag, "sha256")[:PAYLOAD_BYTES]
        mixed = int.from_bytes(mask, "big") ^ int.from_bytes(payload, "big")
        return mixed.to_bytes(PAYLOAD_BYTES, "big")

    def __repr__(self) -> str:
        return "PostingList(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")
