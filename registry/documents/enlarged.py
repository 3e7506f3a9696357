"""Small pictures made twice as wide and high: text recognition takes letters of ten pixels for others of their kind.

Only PNG, which screens are saved as; unpacked here, in Python, within a size that its header tells. Source: ISO/IEC
15948, 9.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

from registry.documents.images import BEGINNINGS, png_chunks, png_file

# The screen of a usual computer: what is larger was scanned or taken by a camera, or has larger letters.
MOST_PIXELS = 2_100_000
TIMES = 2
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # colour type -> bytes per pixel, of eight bits each
_KEPT = (b"PLTE", b"tRNS")


def enlarged(content: bytes) -> bytes:
    """Return a small PNG at twice its size, and anything else as it is."""
    if not content.startswith(BEGINNINGS["png"]):
        return content
    try:
        return _enlarged(content) or content
    except (struct.error, zlib.error, IndexError, ValueError):
        return content  # whoever reads it will say what is wrong with it


def _enlarged(content: bytes) -> bytes | None:
    width, height, depth, kind, packing, filtering, interlaced = struct.unpack_from(">IIBBBBB", content, 16)
    samples = _SAMPLES.get(kind, 0)
    size = width * height
    if depth != 8 or not samples or packing or filtering or interlaced or not 0 < size <= MOST_PIXELS:
        return None
    chunks = list(png_chunks(content))
    stride = width * samples + 1
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(b"".join(part for name, part in chunks if name == b"IDAT"), stride * height)
    if len(data) != stride * height:
        return None
    rows = b"".join(TIMES * (b"\0" + _wider(row, samples)) for row in _rows(data, stride, samples))
    kept = [(name, part) for name, part in chunks if name in _KEPT]
    return png_file((width * TIMES, height * TIMES, depth, kind), rows, kept)


def _wider(row: bytes, samples: int) -> bytes:
    wide = bytearray(len(row) * TIMES)
    for sample in range(samples):
        for copy in range(TIMES):
            wide[sample + copy * samples :: samples * TIMES] = row[sample::samples]
    return bytes(wide)


def _rows(data: bytes, stride: int, samples: int) -> Iterator[bytes]:
    """Yield the rows, what a filter did to each undone."""
    before = bytes(stride - 1)
    for begin in range(0, len(data), stride):
        undo = _FILTERS[data[begin]]
        before = undo(data[begin + 1 : begin + stride], before, samples)
        yield before


def _as_it_is(row: bytes, _before: bytes, _samples: int) -> bytes:
    return row


def _sub(row: bytes, _before: bytes, samples: int) -> bytes:
    plain = bytearray(len(row))
    for sample in range(samples):
        plain[sample::samples] = bytes(value & 255 for value in accumulate(row[sample::samples]))
    return bytes(plain)


def _up(row: bytes, before: bytes, _samples: int) -> bytes:
    return bytes((here + above) & 255 for here, above in zip(row, before, strict=True))


def _average(row: bytes, before: bytes, samples: int) -> bytes:
    plain = bytearray(samples) + row
    for at, above in enumerate(before, samples):
        plain[at] = (plain[at] + ((plain[at - samples] + above) >> 1)) & 255
    return bytes(plain[samples:])


def _paeth(row: bytes, before: bytes, samples: int) -> bytes:
    plain, corners = bytearray(samples) + row, bytes(samples) + before
    for at, above in enumerate(before, samples):
        left, corner = plain[at - samples], corners[at - samples]
        by_left, by_above = abs(above - corner), abs(left - corner)
        by_corner = abs(left + above - corner - corner)
        if by_left <= by_above and by_left <= by_corner:
            above = left  # noqa: PLW2901 - one of three, and the fastest way to take it
        elif by_above > by_corner:
            above = corner  # noqa: PLW2901 - one of three, and the fastest way to take it
        plain[at] = (plain[at] + above) & 255
    return bytes(plain[samples:])


_FILTERS: Mapping[int, Callable[[bytes, bytes, int], bytes]] = dict(enumerate((_as_it_is, _sub, _up, _average, _paeth)))
