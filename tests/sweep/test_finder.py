"""A planted leak of every form is found; what is no leak is not."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sweep.finder import Finder

WORD = "Quillfeather-Zzyx 77"
SSN = "741-88-9021"


def zipped(data: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes/inner.txt", data)
    return written.getvalue()


FORMS: dict[str, Callable[[str], bytes]] = {
    "as written": lambda marker: f"x {marker} y".encode(),
    "capitals": lambda marker: marker.upper().encode(),
    "without spacing": lambda marker: marker.replace(" ", "").replace("-", "").encode(),
    "other separators": lambda marker: marker.replace("-", " . ").encode(),
    "base64 0": lambda marker: base64.b64encode(marker.encode() + b"tail"),
    "base64 1": lambda marker: base64.b64encode(b"a" + marker.encode() + b"tail"),
    "base64 2": lambda marker: base64.b64encode(b"ab" + marker.encode() + b"tail"),
    "hexadecimal": lambda marker: marker.encode().hex().encode(),
    "UTF-16 LE": lambda marker: marker.encode("utf-16-le"),
    "UTF-16 BE": lambda marker: marker.encode("utf-16-be"),
    "JSON": lambda marker: "".join(f"\\u{ord(c):04x}" for c in marker).encode(),
    "percent": lambda marker: "".join(f"%{byte:02X}" for byte in marker.encode()).encode(),
    "JSON string": lambda marker: json.dumps({"value": marker}).encode(),
    "zip": lambda marker: zipped(marker.encode()),
    "gzip": lambda marker: b"front" + gzip.compress(marker.encode()),
    "zlib": lambda marker: b"stream\n" + zlib.compress(marker.encode() * 3) + b"\nendstream",
    "gzip in zip": lambda marker: zipped(gzip.compress(base64.b64encode(marker.encode()))),
}


@pytest.mark.parametrize("marker", [WORD, SSN])
@pytest.mark.parametrize("form", FORMS)
def test_a_planted_leak_is_found(form: str, marker: str, tmp_path: Path) -> None:
    (tmp_path / "planted.bin").write_bytes(os.urandom(64) + FORMS[form](marker) + os.urandom(64))
    assert {found.marker for found in Finder([WORD, SSN, "somebody else"]).sweep(tmp_path)} == {marker}


def test_a_leak_in_a_file_name_is_found(tmp_path: Path) -> None:
    (tmp_path / f"card of {WORD}.txt").touch()
    assert Finder([WORD]).sweep(tmp_path)


def test_digits_are_found_without_their_separators() -> None:
    assert Finder([SSN]).search(b"id=741889021;", "log")
    assert Finder(["741889021"]).search(b"741 88 9021", "log")


def test_random_bytes_and_other_values_are_no_leak(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(os.urandom(300_000))
    (tmp_path / "other").write_bytes(b"741-88-9022 quillfeather zzyx 78 " * 100)
    assert not Finder([WORD, SSN]).sweep(tmp_path)
