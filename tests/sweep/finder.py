"""Finds markers in bytes in every form a leak could have them, also inside compressed members.

Forms: as written, folded (case, spacing and punctuation aside), digits only, base64 at any alignment, hexadecimal,
UTF-16, JSON and percent escapes; each also inside zip, gzip and zlib data, however nested.
"""

from __future__ import annotations

import base64
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

_DEPTH = 4
_LARGEST = 64 * 1024 * 1024
_MIN_DIGITS = 8
_NOT_WORD = re.compile(rb"[^a-z0-9\x80-\xff]+")
_DIGIT_RUN = re.compile(rb"\d(?:[ ./()\-+]{0,3}\d){7,}")
_NOT_DIGIT = re.compile(rb"\D+")
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_GZIP = b"\x1f\x8b\x08"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Found:
    """One marker found: which, in which form, and where."""

    marker: str
    form: str
    where: str


class Finder:
    """Searches for a set of markers."""

    def __init__(self, markers: Iterable[str]) -> None:
        self._markers = sorted(set(markers))
        self._plain = {marker: _spellings(marker) for marker in self._markers}
        self._folded = {
            marker: folded for marker in self._markers if len(folded := _fold(marker.encode())) >= _MIN_DIGITS
        }
        self._digits = {
            marker: digits
            for marker in self._markers
            if len(digits := _NOT_DIGIT.sub(b"", marker.encode())) >= _MIN_DIGITS
        }

    def search(self, data: bytes, where: str, depth: int = 0) -> list[Found]:
        """Return every marker in some bytes."""
        found = [
            Found(marker, form, where)
            for marker, spellings in self._plain.items()
            for form, spelling in spellings
            if spelling in data
        ]
        folded = _fold(data)
        found += [Found(marker, "folded", where) for marker, text in self._folded.items() if text in folded]
        runs = {_NOT_DIGIT.sub(b"", run) for run in _DIGIT_RUN.findall(data)}
        found += [
            Found(marker, "digits only", where)
            for marker, digits in self._digits.items()
            if any(digits in run for run in runs)
        ]
        if depth < _DEPTH:
            for name, inner in _members(data):
                found += self.search(inner, f"{where}!{name}", depth + 1)
        return found

    def sweep(self, *roots: Path) -> list[Found]:
        """Search every file below some folders, names included."""
        found = []
        for root in roots:
            for path in [root, *root.rglob("*")] if root.is_dir() else [root]:
                found += self.search(str(path.relative_to(root.parent)).encode(), f"name of {path}")
                if path.is_file():
                    found += self.search(path.read_bytes(), str(path))
        return found


def _spellings(marker: str) -> list[tuple[str, bytes]]:
    raw = marker.encode()
    escaped = "".join(f"\\u{ord(character):04x}" for character in marker)
    return [
        ("as written", raw),
        ("hexadecimal", raw.hex().encode()),
        ("hexadecimal, capitals", raw.hex().upper().encode()),
        ("UTF-16, little-endian", marker.encode("utf-16-le")),
        ("UTF-16, big-endian", marker.encode("utf-16-be")),
        ("JSON escapes", escaped.encode()),
        ("percent escapes", "".join(f"%{byte:02X}" for byte in raw).encode()),
        *([("URL", quote(marker, safe="").encode())] if quote(marker, safe="") != marker else []),
        *((f"base64, alignment {skip}", core) for skip, core in _base64_cores(raw)),
    ]


def _base64_cores(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the part of the base64 text that does not depend on what stands before and behind."""
    for skip in range(3):
        encoded = base64.b64encode(b"\0" * skip + raw)
        first = -(-skip * 8 // 6)
        last = (skip + len(raw)) * 8 // 6
        yield skip, encoded[first:last]


def _fold(data: bytes) -> bytes:
    return _NOT_WORD.sub(b"", data.lower())


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    if _ZIP in data:
        try:
            with zipfile.ZipFile(io.BytesIO(data[data.index(_ZIP) :])) as archive:
                for info in archive.infolist():
                    if info.file_size <= _LARGEST:
                        yield info.filename, archive.read(info)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, OSError, ValueError):
            pass  # bytes that only look like an archive
    for start in _starts(data, _GZIP):
        yield from _inflated(data[start:], f"gzip@{start}", 31)
    for match in _ZLIB.finditer(data):
        yield from _inflated(data[match.start() :], f"zlib@{match.start()}", 15)


def _starts(data: bytes, magic: bytes) -> Iterator[int]:
    at = data.find(magic)
    while at >= 0:
        yield at
        at = data.find(magic, at + 1)


def _inflated(data: bytes, name: str, window_bits: int) -> Iterator[tuple[str, bytes]]:
    try:
        inner = zlib.decompressobj(window_bits).decompress(data, _LARGEST)
    except zlib.error:
        return
    if len(inner) >= _MIN_DIGITS:
        yield name, inner
