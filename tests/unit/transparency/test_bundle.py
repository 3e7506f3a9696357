"""The evidence bundle: writing, reading, and what its stand-alone verifier says about it."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from dataclasses import replace

import pytest

from registry.domain.errors import ProofRejected
from registry.transparency.bundle import (
    BundleEntry,
    EvidenceBundle,
    FieldOpening,
    open_fields,
    read_bundle,
    write_bundle,
)
from registry.transparency.leaf import salt_of
from registry.transparency.offline import verifier_source
from registry.transparency.offline.verify_bundle import read_zip, verify
from tests.unit.transparency.bundles import Members, bundle_with, sealed_anew
from tests.unit.transparency.support import CHAIN, LEDGER, example_bundle, example_ledger, seed_of

EXAMPLE = example_ledger()
BUNDLE = EXAMPLE.bundle(EXAMPLE.entry(3, *CHAIN, "note"), EXAMPLE.entry(4), report__json=b"{}\n")


def test_a_bundle_is_read_back() -> None:
    assert read_bundle(write_bundle(BUNDLE)) == BUNDLE


def test_equal_bundles_are_equal_bytes() -> None:
    assert write_bundle(BUNDLE) == write_bundle(replace(BUNDLE, extras=dict(BUNDLE.extras)))
    assert write_bundle(BUNDLE) == write_bundle(replace(BUNDLE, entries=BUNDLE.entries[::-1]))


def test_ordinary_tools_open_a_bundle() -> None:
    with zipfile.ZipFile(io.BytesIO(write_bundle(BUNDLE))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(archive.namelist())
        assert archive.read("verify_bundle.py") == verifier_source()
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {stat.S_IMODE(info.external_attr >> 16) for info in archive.infolist()} == {0o644}
        opening = json.loads(archive.read("entries/3.open.json"))
    assert opening["fields"]["counter"] == {"salt": salt_of(seed_of(3), "counter").hex(), "value": "2"}
    assert set(opening["fields"]) == {*CHAIN, "note"}


def test_no_seed_goes_into_a_bundle() -> None:
    raw = write_bundle(EXAMPLE.bundle(EXAMPLE.entry(3, *CHAIN)))
    assert seed_of(3) not in raw
    assert seed_of(3).hex().encode() not in raw
    assert salt_of(seed_of(3), "note").hex().encode() not in raw


def test_opening_a_field_takes_its_own_salt() -> None:
    opened = open_fields(seed_of(0), {"a": b"1", "b": b"2"}, ["b"])
    assert opened == {"b": FieldOpening(salt_of(seed_of(0), "b"), b"2")}
    assert "1" not in repr(opened)
    assert salt_of(seed_of(0), "b").hex() not in repr(opened)


def test_a_value_that_is_not_text_travels_as_digits() -> None:
    ledger = example_ledger()
    ledger.add({"detail": b"\xff\x00", "note": "\ufffd"})
    bundle = ledger.bundle(ledger.entry(10, "detail", "note", "case"))
    assert read_bundle(write_bundle(bundle)) == bundle
    fields = verify(write_bundle(bundle), LEDGER.vkey).entries[0].fields
    assert fields == {"detail": "hex:ff00", "note": "\ufffd", "case": ""}


TAKEN = ["checkpoint", "manifest.sha256", "entries/3.leaf", "ReadMe.txt"]
AWKWARD = [
    "../x.json",
    "a/b.json",
    "x.exe",
    "x",
    "con.json",
    "LPT1.txt",
    ".json",
    "é.json",
    "a b.json",
    "x" * 41 + ".md",
]


@pytest.mark.parametrize("name", [*TAKEN, *AWKWARD])
def test_an_extra_file_has_a_plain_name_of_its_own(name: str) -> None:
    with pytest.raises(ValueError):
        write_bundle(replace(BUNDLE, extras={name: b""}))


def test_a_bundle_has_entries_each_once() -> None:
    with pytest.raises(ValueError, match="no entries"):
        write_bundle(replace(BUNDLE, entries=()))
    with pytest.raises(ValueError, match="twice"):
        write_bundle(replace(BUNDLE, entries=BUNDLE.entries[:1] * 2))
    short = BundleEntry(3, EXAMPLE.leaves[3], BUNDLE.entries[0].hashes, {"note": FieldOpening(b"short", b"")})
    with pytest.raises(ValueError, match="32 bytes"):
        write_bundle(replace(BUNDLE, entries=(short,)))


def _written_with(name: str, data: bytes) -> bytes:
    return sealed_anew({**read_zip(example_bundle()), name: data})


PROOF = read_zip(example_bundle())["entries/3.tlog-proof"]
OPENING = read_zip(example_bundle())["entries/3.open.json"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("policy", b""),
        ("policy", b"log nonsense\nquorum none\n"),
        ("policy", f"log {LEDGER.vkey}\nquorum any\n".encode()),
        ("policy", b"\xff"),
        ("checkpoint", b"\xff"),
        ("entries/3.tlog-proof", b""),
        ("entries/3.tlog-proof", PROOF.replace(b"index 3", b"index 4")),
        ("entries/3.tlog-proof", PROOF.replace(b"index 3", b"extra AA==\nindex 3")),
        ("entries/3.tlog-proof", PROOF.replace(b"\n10\n", b"\n11\n")),
        ("entries/3.open.json", b"[]"),
        ("entries/3.open.json", b"{}"),
        ("entries/3.open.json", b"{"),
        ("entries/3.open.json", OPENING.replace(b'"salt"', b'"pepper"', 1)),
    ],
)
def test_only_well_formed_bundles_are_read(name: str, data: bytes) -> None:
    with pytest.raises(ProofRejected):
        read_bundle(_written_with(name, data))


def test_reading_refuses_what_is_no_bundle() -> None:
    for raw in (b"", b"PK", example_bundle()[:-1], example_bundle() + b"\0"):
        with pytest.raises(ProofRejected, match="not a bundle"):
            read_bundle(raw)


def test_the_maker_s_members_and_the_test_s_are_the_same() -> None:
    """The helper that tampers must make good bundles from good members, or the tests of tampering prove nothing."""
    members: Members = read_zip(example_bundle())
    assert sealed_anew(members) == example_bundle()
    assert bundle_with({}) == example_bundle()
    assert isinstance(read_bundle(example_bundle()), EvidenceBundle)
