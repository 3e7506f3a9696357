"""The fields of an entry, version 1: which there are, in which order, and how a record is written in one.

An absent field commits to the empty value, so a leaf does not show which fields were filled. Only the number of
released records shows, as the number of commitments after the sixteen fixed ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import RecordId, is_id
from registry.transparency._codec import decimal

EVENT = "event"  # unique id of the event; a retry carries the same one
PRINCIPAL = "principal"
ORGANIZATION = "organization"
TOKEN = "token"  # noqa: S105 - the name of a field, not a secret
NETWORK = "network"
# An entry about several subjects lists one each in these three, in the same order, between single spaces.
SUBJECT = "subject"
COUNTER = "counter"  # 1, 2, 3 ... per subject
PREVIOUS = "previous"  # index of the subject's previous entry; "-" at counter 1
PURPOSE = "purpose"
CASE = "case"
NOTE = "note"
REQUEST = "request"
RESULT = "result"
RULES = "rules"
FORM = "form"
DETAIL = "detail"

FIXED_FIELDS = (
    EVENT,
    PRINCIPAL,
    ORGANIZATION,
    TOKEN,
    NETWORK,
    SUBJECT,
    COUNTER,
    PREVIOUS,
    PURPOSE,
    CASE,
    NOTE,
    REQUEST,
    RESULT,
    RULES,
    FORM,
    DETAIL,
)
RECORD_PREFIX = "record."
MAX_RECORDS = 1_500  # with the fixed fields, what fits into the largest leaf; 1,500 * 32 bytes = 64,000 of base64
NONCE_BYTES = 32

_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_CATEGORY = re.compile(r"[a-z_]{1,32}")
_LINE = re.compile(r"[0-9a-f]{32} [a-z_]{1,32} [1-9][0-9]* [0-9a-f]{64} [0-9a-f]{64}")
_VARIANT_DOMAIN = b"alog/v1/variant\0"
_RECORD_PARTS = 5
_U32 = 2**32


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One released record, as the value of a ``record.<n>`` field.

    Attributes:
        record: the record's id.
        category: its category, or another word for what is sealed (``directory``); lower-case letters and _.
        version: which version of the record, from 1.
        ciphertext_digest: SHA-256 of the stored ciphertext, 32 bytes; with the version it fixes the plaintext.
        variant_commitment: 32 bytes, see ``variant_commitment``.
    """

    record: RecordId
    category: str
    version: int
    ciphertext_digest: bytes
    variant_commitment: bytes

    def encode(self) -> bytes:
        """Return ``<record> <category> <version> <hex digest> <hex commitment>``: no part can hold a space."""
        return self.text().encode("ascii")

    def text(self) -> str:
        """Return the same as text.

        Raises:
            ValueError: some part is out of shape.
        """
        digests = f"{self.ciphertext_digest.hex()} {self.variant_commitment.hex()}"
        text = f"{self.record} {self.category} {self.version} {digests}"
        if _LINE.fullmatch(text) is None:
            raise ValueError("record id, category, version or digests out of shape")
        return text

    @classmethod
    def parse(cls, value: bytes) -> RecordLine:
        """Read a record field; the inverse of ``encode``.

        Raises:
            LedgerCorrupt: any bytes that ``encode`` would not write.
        """
        try:
            parts = value.decode("ascii").split(" ")
        except UnicodeDecodeError as exc:
            raise LedgerCorrupt("a record field is not ASCII") from exc
        if len(parts) != _RECORD_PARTS or not is_id(parts[0]) or _CATEGORY.fullmatch(parts[1]) is None:
            raise LedgerCorrupt("a record field is not in canonical form")
        version = decimal(parts[2])
        if not version or any(_HEX_DIGEST.fullmatch(part) is None for part in parts[3:]):
            raise LedgerCorrupt("a record field is not in canonical form")
        digest, commitment = (bytes.fromhex(part) for part in parts[3:])
        return cls(RecordId(parts[0]), parts[1], version, digest, commitment)


@lru_cache(maxsize=64)
def field_names(record_count: int) -> tuple[str, ...]:
    """Return the names of an entry's fields in the order of its commitments.

    Args:
        record_count: how many records the entry releases, 0 to 1,500.
    """
    if not 0 <= record_count <= MAX_RECORDS:
        raise ValueError("an entry holds at most 1,500 records")
    return FIXED_FIELDS + tuple(f"{RECORD_PREFIX}{number}" for number in range(record_count))


def record_count(commitments: int) -> int:
    """Return how many records a leaf with this many commitments releases.

    Raises:
        LedgerCorrupt: fewer commitments than fixed fields, or more than an entry can hold.
    """
    count = commitments - len(FIXED_FIELDS)
    if not 0 <= count <= MAX_RECORDS:
        raise LedgerCorrupt("the leaf's number of commitments fits no field list")
    return count


def variant_commitment(vector: bytes, table_version: int, key_epoch: int, nonce: bytes) -> bytes:
    r"""Commit to the mark slots drawn for one released record, whether or not the value has room for them.

    Args:
        vector: the whole slot vector of the category; empty where no marks are drawn.
        table_version: version of the slot table, 0 to 2^32 - 1.
        key_epoch: epoch of the mark key, 0 to 2^32 - 1.
        nonce: 32 random bytes, kept with the entry's values.

    Returns:
        SHA-256("alog/v1/variant\0" || u32(table_version) || u32(key_epoch) || nonce || vector). Everything but
        the vector has a fixed length, so no two different inputs are the same bytes.
    """
    if len(nonce) != NONCE_BYTES:
        raise ValueError("a nonce is 32 bytes")
    if not (0 <= table_version < _U32 and 0 <= key_epoch < _U32):
        raise ValueError("a version or epoch is out of range")
    numbers = table_version.to_bytes(4, "big") + key_epoch.to_bytes(4, "big")
    return sha256(_VARIANT_DOMAIN + numbers + nonce + vector).digest()
