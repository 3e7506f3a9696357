"""The bundle's container: a zip with one byte form, and nothing that two programs could read differently."""

from __future__ import annotations

import io
import stat
import struct
import zipfile

import pytest

from registry.transparency.offline import verify_bundle
from registry.transparency.offline.verify_bundle import read_zip, verify, write_zip
from tests.unit.transparency.bundles import bundle_with, sealed_anew
from tests.unit.transparency.support import LEDGER, example_bundle

EXAMPLE = example_bundle()
MEMBERS = read_zip(EXAMPLE)


def problems(bundle: bytes) -> str:
    return "\n".join(verify(bundle, LEDGER.vkey).problems)


def _zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


OUTSIDE = ["../x.json", "/x.json", "a\\b.json", "x.py", "x", "C:x.txt", "nul.txt", "README.txt ", "entries/x.leaf"]
OUTSIDE += ["entries/00.leaf", "entries/-1.leaf", "entries/0.leaf/x", "entries/0.LEAF", "entries/\u0660.leaf"]
OUTSIDE += ["entries/" + "9" * 20 + ".leaf", "entries/0.leaf\n", "entries/../0.leaf", "."]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_member_outside_the_list_is_refused(name: str) -> None:
    with pytest.raises(verify_bundle.Rejected, match="a file that a bundle does not have"):
        read_zip(_zipped({name: b"", **MEMBERS}))


def test_a_member_without_a_name_is_refused() -> None:
    with pytest.raises(verify_bundle.Rejected, match="a file that a bundle does not have"):
        read_zip(write_zip({"": b"", **MEMBERS}))


@pytest.mark.parametrize("name", ["readme.txt", "REPORT.json"])
def test_names_that_differ_only_in_case_are_refused(name: str) -> None:
    assert "case" in problems(bundle_with({name: b""}))


@pytest.mark.parametrize("name", [*verify_bundle.FIXED_MEMBERS, "entries/0.leaf", "entries/0.open.json"])
def test_a_missing_member_is_refused(name: str) -> None:
    members = {other: data for other, data in MEMBERS.items() if other != name}
    bundle = write_zip(members) if name == "manifest.sha256" else sealed_anew(members)
    assert problems(bundle)


@pytest.mark.parametrize("name", [name for name in MEMBERS if name != "manifest.sha256"])
def test_a_member_that_the_manifest_does_not_fit_is_refused(name: str) -> None:
    assert "manifest" in problems(write_zip({**MEMBERS, name: MEMBERS[name] + b" "}))


def test_a_manifest_that_lists_more_is_refused() -> None:
    manifest = MEMBERS["manifest.sha256"] + b"00  other\n"
    assert "manifest" in problems(write_zip({**MEMBERS, "manifest.sha256": manifest}))


def test_two_members_of_one_name_are_refused() -> None:
    doubled = write_zip({"policy": b"", "policx": b"x"}).replace(b"policx", b"policy")
    assert zipfile.ZipFile(io.BytesIO(doubled)).namelist() == ["policy", "policy"]
    assert "twice" in problems(doubled)


def test_other_spellings_of_the_container_are_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in MEMBERS.items():
            archive.writestr(name, data)
    commented = io.BytesIO(EXAMPLE)
    with zipfile.ZipFile(commented, "a") as archive:
        archive.comment = b"hello"
    spellings = (_zipped(MEMBERS), packed.getvalue(), commented.getvalue(), b"#!/bin/sh\n" + EXAMPLE, EXAMPLE + EXAMPLE)
    assert all(problems(raw) for raw in (*spellings, EXAMPLE + b"\0", b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)))


def test_a_symbolic_link_is_refused() -> None:
    info = zipfile.ZipInfo("report.json")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert "canonical" in problems(buffer.getvalue())


def test_every_byte_of_the_container_counts() -> None:
    """Each header byte in turn; the members' own bytes are the manifest's concern."""
    headers = EXAMPLE[:40], EXAMPLE[EXAMPLE.index(b"PK\x01\x02") :]
    for start, header in ((0, headers[0]), (len(EXAMPLE) - len(headers[1]), headers[1])):
        for offset in range(len(header)):
            raw = bytearray(EXAMPLE)
            raw[start + offset] ^= 0x20
            with pytest.raises(verify_bundle.Rejected):
                read_zip(bytes(raw))


def test_sizes_that_lie_are_refused() -> None:
    for lie in (0, 1, 2**31, 2**32 - 1):
        raw = bytearray(EXAMPLE)
        struct.pack_into("<I", raw, 22, lie)
        with pytest.raises(verify_bundle.Rejected):
            read_zip(bytes(raw))


def test_a_bundle_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_bundle, "MAX_BUNDLE_BYTES", len(EXAMPLE) - 1)
    assert "larger" in problems(EXAMPLE)
    monkeypatch.setattr(verify_bundle, "MAX_BUNDLE_BYTES", len(EXAMPLE))
    monkeypatch.setattr(verify_bundle, "MAX_MEMBERS", len(MEMBERS) - 1)
    assert "canonical" in problems(EXAMPLE)
