"""Keyed tags over the columns that policy decides by, so that whoever can write the database cannot decide for it.

Values and entries are sealed; roles, tiers, states and who a row belongs to stand in the clear, because decisions read
them without opening anything; so do marks, and the tags by which a household's members are found again. Each such row
carries a tag over them, checked whenever it is read. An earlier row with its own earlier tag passes here;
``registry audit verify`` compares the rows with what the ledger says of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import orjson

from registry.crypto.derive import derive
from registry.crypto.tags import TagKey, equal
from registry.domain.errors import LedgerCorrupt

# Of 128 bits: who cannot tell one tag cannot find postings whose tags add up to another's.
SUM_BYTES = 16
SUM_MODULUS = 1 << (8 * SUM_BYTES)
_SUM = "postings"

# What is guarded, by table; order and names are part of the tag.
GUARDED: Mapping[str, tuple[str, ...]] = {
    "principals": (
        *("id", "issuer", "sub", "roles", "employee", "unit", "state", "supervisor", "created_at", "person_tag"),
    ),
    "persons": ("id", "subject", "ref_tag"),
    "marks": ("record", "mark_version", "tier", "basis", "starts_on", "ends_on", "review_on"),
    "index_state": ("k", "n", "count", "total"),
    "index_generations": ("k", "state", "cursor"),
    "index_terms": ("k", "terms"),
    "index_tags": ("k",),
    "mark_generations": ("k", "entry", "redraws"),
    "tallies": ("label", "day", "tags"),
    "quota_unlocks": ("principal", "purpose", "most", "until", "granted_by"),
    "erasures": ("entry", "erased_at"),
    "sample_reviews": ("entry", "finding", "reviewer", "reviewed_at"),
    "policy_in_force": ("k", "version", "entry"),
    "requests": (
        *("id", "principal", "ask_tag", "entry", "needs", "needs_other_unit", "state", "created_at", "until"),
    ),
    "holds": ("id", "principal", "entry", "state", "created_at", "until", "settled_by", "settled_at"),
    "request_decisions": ("request", "approver", "verdict", "is_other_unit", "decided_at"),
    "break_glass": (
        *("id", "principal", "subject_tag", "categories", "entry", "created_at", "until", "review_by"),
        *("finding", "reviewer", "reviewed_at"),
    ),
    "petitions": (
        *("id", "kind", "principal", "created_at", "state", "answered_by", "about"),
        *("sealed_text", "sealed_value", "sealed_note"),
    ),
    "contacts": ("label", "version", "id", "about", "sealed"),
    "provisions": ("id", "subject", "person", "user_tag", "outside_tag", "state", "version", "created_at", "digest"),
    "revocations": ("label", "before", "until"),
    "units": ("id", "name_tag", "outside_tag", "version", "created_at", "names"),
    "subjects": ("id", "person", "number_tag", "state"),
    "records": ("id", "subject", "person", "category", "slot_tag", "version", "state", "tier", "mark_version"),
}


def json_of(parts: Sequence[Any]) -> bytes:
    """Return ``json.dumps(parts)`` as bytes, with bytes among the parts as hexadecimal digits.

    What orjson writes differs from it in blanks, in what is not printable ASCII, and in numbers that no row of ours
    has; where it may differ in more than blanks, it is not taken. Above all, a number that is none must not pass for
    an empty column.
    """
    try:
        text = orjson.dumps(parts, default=bytes.hex)
    except TypeError:  # a number of more than 64 bits
        return _json_of(parts)
    is_plain = text.isascii() and b"\x7f" not in text and text.count(b"null") == parts.count(None)
    if is_plain and text.count(b",") == len(parts) - 1:
        return text.replace(b",", b", ")
    return _json_of(parts)


def _json_of(parts: Sequence[Any]) -> bytes:
    return json.dumps([part.hex() if isinstance(part, bytes) else part for part in parts]).encode()


def guard_key(index_secret: bytes) -> bytes:
    """Derive the key of the guards from the registry's index secret."""
    return derive(index_secret, "registry/row-guards/v1")


class RowGuard:
    """Makes and checks the tags of one registry."""

    __slots__ = ("_keys",)

    def __init__(self, key: bytes) -> None:
        self._keys = {table: TagKey(key, f"registry/row/{table}/v1") for table in (*GUARDED, _SUM)} if key else {}

    def tag(self, table: str, parts: Sequence[Any]) -> bytes:
        """Return the tag of a row, given its guarded columns in their order."""
        return self._keys[table].tag(json_of(parts))

    def guarded(self, table: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row to store, with its tag."""
        return {**row, "guard": self.tag(table, [row[name] for name in GUARDED[table]])}

    def holds(self, table: str, parts: Sequence[Any], guard: bytes) -> bool:
        """Tell whether a stored row is as this program wrote it."""
        return equal(self._keys[table].tag(json_of(parts)), guard)

    def demand(self, table: str, parts: Sequence[Any], guard: bytes) -> None:
        """Check a stored row.

        Raises:
            LedgerCorrupt: somebody changed it.
        """
        if not self.holds(table, parts, guard):
            raise LedgerCorrupt(f"a row of {table} was changed by somebody else than this program")

    def demanded(self, table: str, rows: Iterable[Any]) -> Iterator[Any]:
        """Yield stored rows that have all columns of their table, each checked as by ``demand``."""
        for row in rows:
            self.demand(table, [getattr(row, name) for name in GUARDED[table]], row.guard)
            yield row

    def sum_of(self, postings: Iterable[tuple[bytes, bytes]]) -> int:
        """Return the sum of the tags of some postings: in any order the same, and not to be made without the key."""
        tag = self._keys[_SUM].tag
        return sum(int.from_bytes(tag(label + value), "big") for label, value in postings) % SUM_MODULUS

    def __repr__(self) -> str:
        return "RowGuard(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")
