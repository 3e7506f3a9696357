"""The field list, record lines and variant commitments."""

from __future__ import annotations

from hashlib import sha256

import pytest

from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import RecordId
from registry.transparency.fields import (
    FIXED_FIELDS,
    MAX_RECORDS,
    RecordLine,
    field_names,
    record_count,
    variant_commitment,
)
from registry.transparency.leaf import COMMITMENT_BYTES, MAX_LEAF_BYTES, encode_joined

RECORD = RecordId("0123456789abcdef" * 2)
LINE = RecordLine(RECORD, "home_address", 12, b"\x0a" * 32, b"\xf0" * 32)
TEXT = f"{RECORD} home_address 12 {'0a' * 32} {'f0' * 32}".encode()
NONCE = bytes(range(32))


def test_the_field_list_of_version_1_never_changes() -> None:
    assert " ".join(field_names(2)) == (
        "event principal organization token network subject counter previous purpose case note request result rules "
        "form detail record.0 record.1"
    )


@pytest.mark.parametrize("count", [-1, MAX_RECORDS + 1])
def test_an_entry_holds_a_bounded_number_of_records(count: int) -> None:
    with pytest.raises(ValueError, match="1,500"):
        field_names(count)


def test_the_largest_entry_fits_into_a_leaf() -> None:
    commitments = bytes(COMMITMENT_BYTES * len(field_names(MAX_RECORDS)))
    assert len(encode_joined(2**63 - 1, "k" * 32, commitments)) <= MAX_LEAF_BYTES


@pytest.mark.parametrize("count", [0, 1, MAX_RECORDS])
def test_the_number_of_commitments_tells_the_number_of_records(count: int) -> None:
    assert record_count(len(field_names(count))) == count


@pytest.mark.parametrize("commitments", [0, len(FIXED_FIELDS) - 1, len(FIXED_FIELDS) + MAX_RECORDS + 1])
def test_no_other_number_of_commitments_is_read(commitments: int) -> None:
    with pytest.raises(LedgerCorrupt):
        record_count(commitments)


def test_a_record_line_is_what_the_format_says() -> None:
    assert LINE.encode() == TEXT
    assert RecordLine.parse(TEXT) == LINE


@pytest.mark.parametrize(
    "line",
    [
        RecordLine(RecordId("x"), "phone", 1, b"a" * 32, b"b" * 32),
        RecordLine(RECORD, "home address", 1, b"a" * 32, b"b" * 32),
        RecordLine(RECORD, "", 1, b"a" * 32, b"b" * 32),
        RecordLine(RECORD, "phone", 0, b"a" * 32, b"b" * 32),
        RecordLine(RECORD, "phone", 1, b"a" * 31, b"b" * 32),
        RecordLine(RECORD, "phone", 1, b"a" * 32, b"b" * 33),
    ],
)
def test_nothing_out_of_shape_becomes_a_record_line(line: RecordLine) -> None:
    with pytest.raises(ValueError):
        line.encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        TEXT + b" ",
        TEXT + b"\n",
        b" " + TEXT,
        TEXT.replace(b" ", b"  ", 1),
        TEXT.replace(b"12", b"012"),
        TEXT.replace(b"12", b"0"),
        TEXT.replace(b"12", "١".encode()),
        TEXT.upper(),
        TEXT.replace(b"0a" * 32, b"0A" * 32),
        TEXT.replace(b"0a" * 32, b"0a" * 31),
        TEXT[:-1],
        TEXT.replace(b"abcdef", b"abcdeg", 1),
        TEXT.replace(b"home_address", b"home-address"),
        TEXT.replace(b"home_address", b""),
        TEXT.replace(b"home_address", b"\xff"),
    ],
)
def test_only_canonical_record_lines_are_read(text: bytes) -> None:
    with pytest.raises(LedgerCorrupt):
        RecordLine.parse(text)


def test_a_variant_commitment_is_what_the_format_says() -> None:
    numbers = b"\x00\x00\x00\x07\x00\x00\x01\x00"
    assert variant_commitment(b"\x05slots", 7, 256, NONCE) == (
        sha256(b"alog/v1/variant\0" + numbers + NONCE + b"\x05slots").digest()
    )


@pytest.mark.parametrize(
    ("table_version", "key_epoch", "nonce"),
    [(-1, 0, NONCE), (2**32, 0, NONCE), (0, -1, NONCE), (0, 2**32, NONCE), (0, 0, NONCE[:-1]), (0, 0, NONCE + b"x")],
)
def test_a_variant_commitment_has_fixed_widths(table_version: int, key_epoch: int, nonce: bytes) -> None:
    with pytest.raises(ValueError):
        variant_commitment(b"", table_version, key_epoch, nonce)
