"""Leaves and commitments."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256

import pytest

from registry.domain.errors import LedgerCorrupt
from registry.transparency.leaf import (
    MAX_LEAF_BYTES,
    commit,
    encode_joined,
    join_commitments,
    leaf_hash,
    parse_leaf,
    salt_of,
)

SEED = bytes(range(32))
COMMITMENTS = (b"\x01" * 32, b"\xfe" * 32)
LEAF = b"alog/v1\n1700000000000\naudit-read\n" + base64.b64encode(b"".join(COMMITMENTS)) + b"\n"


def test_a_commitment_is_what_the_format_says() -> None:
    salt = hmac.new(SEED, b"purpose", "sha256").digest()
    assert salt_of(SEED, "purpose") == salt
    assert commit(salt, "purpose", b"payroll") == sha256(b"alog/v1/c\0" + salt + b"\x07purposepayroll").digest()


def test_committing_to_all_fields_is_committing_to_each() -> None:
    fields = {"a": b"", "purpose": b"payroll", "é" * 100: bytes(range(256)) * 300}
    each = [commit(salt_of(SEED, name), name, value) for name, value in fields.items()]
    assert join_commitments(SEED, tuple(fields), list(fields.values())) == b"".join(each)


def test_the_border_between_name_and_value_counts() -> None:
    assert commit(SEED, "ab", b"c") != commit(SEED, "a", b"bc")


def test_an_absent_field_is_hidden() -> None:
    both = join_commitments(SEED, ("case", "note"), [b"", b""])
    first, second = both[:32], both[32:]
    assert first != second
    assert join_commitments(SEED[::-1], ("case",), [b""]) != first


@pytest.mark.parametrize("seed", [b"", b"x" * 31, b"x" * 33])
def test_a_seed_has_32_bytes(seed: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        salt_of(seed, "a")
    with pytest.raises(ValueError, match="32 bytes"):
        join_commitments(seed, (), [])
    with pytest.raises(ValueError, match="32 bytes"):
        commit(seed, "a", b"")


@pytest.mark.parametrize("name", ["", "n" * 256])
def test_a_name_fits_its_length_byte(name: str) -> None:
    with pytest.raises(ValueError, match="255"):
        commit(SEED, name, b"")


def test_a_leaf_is_what_the_format_says() -> None:
    assert encode_joined(1_700_000_000_000, "audit-read", b"".join(COMMITMENTS)) == LEAF
    parsed = parse_leaf(LEAF)
    assert (parsed.unix_ms, parsed.kind, parsed.commitments) == (1_700_000_000_000, "audit-read", COMMITMENTS)
    assert leaf_hash(LEAF) == sha256(b"\x00" + LEAF).digest()


@pytest.mark.parametrize(
    ("unix_ms", "kind", "commitments"),
    [
        (-1, "open", COMMITMENTS),
        (2**63, "open", COMMITMENTS),
        (0, "", COMMITMENTS),
        (0, "Open", COMMITMENTS),
        (0, "open\n", COMMITMENTS),
        (0, "-open", COMMITMENTS),
        (0, "o" * 33, COMMITMENTS),
        (0, "ö", COMMITMENTS),
        (0, "open", ()),
        (0, "open", (b"",)),
        (0, "open", (b"x" * 31, b"x" * 32)),
        (0, "open", (b"x" * 32,) * 1600),
    ],
)
def test_nothing_out_of_shape_becomes_a_leaf(unix_ms: int, kind: str, commitments: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError):
        encode_joined(unix_ms, kind, b"".join(commitments))


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        LEAF[:-1],
        LEAF + b"\n",
        LEAF + b"x",
        LEAF.replace(b"\n", b"\r\n"),
        LEAF.replace(b"v1", b"v2"),
        b" " + LEAF,
        LEAF.replace(b"1700", b"01700"),
        LEAF.replace(b"1700", b"+1700"),
        LEAF.replace(b"1700", b" 1700"),
        LEAF.replace(b"1700", b"1_700"),
        LEAF.replace(b"1700000000000", "١٧".encode()),
        LEAF.replace(b"1700000000000", b"9223372036854775808"),
        LEAF.replace(b"audit-read", b""),
        LEAF.replace(b"audit-read", b"Audit"),
        LEAF.replace(b"audit-read", b"\xff"),
        LEAF.replace(b"audit-read\n", b"audit-read\n "),
        LEAF.replace(b"AQEB", b"AQE*"),
        LEAF.replace(b"/g==\n", b"/h==\n"),  # the same bytes, other trailing bits
        LEAF.replace(b"==\n", b"\n"),
        LEAF.split(b"AQ")[0] + base64.b64encode(b"x" * 31) + b"\n",
        LEAF.split(b"AQ")[0] + b"\n",
        LEAF.split(b"AQ")[0] + base64.urlsafe_b64encode(b"\xff" * 32) + b"\n",
        LEAF.split(b"AQ")[0] + base64.b64encode(b"x" * 32 * 1600) + b"\n",
        LEAF.split(b"AQ")[0] + b"A" * 44 + b"=\n",  # padding behind whole groups
        LEAF[:-1] + b" ",
    ],
)
def test_only_canonical_leaves_are_read(leaf: bytes) -> None:
    if leaf == LEAF:
        pytest.fail("the case changes nothing")
    with pytest.raises(LedgerCorrupt):
        parse_leaf(leaf)


def test_the_largest_leaf_is_read_back() -> None:
    commitments = tuple(bytes([i % 251]) * 32 for i in range(1_516))
    leaf = encode_joined(0, "x", b"".join(commitments))
    assert len(leaf) <= MAX_LEAF_BYTES
    assert parse_leaf(leaf).commitments == commitments
