"""What an image says beside its picture: descriptions, comments, who took it where, and what was put behind its end."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

from registry.documents.images import image_kind, jpeg_segments, png_chunks, tiff_pages

_MOST_BYTES = 1 << 20  # of one piece, unpacked
_MOST_UNKNOWN = 4 << 20
_MOST_BLOCKS = 4_000  # of at most 255 bytes
# Runs of characters, one byte each or two.
_RUN = re.compile(
    rb"[\x20-\x7e\xa0-\xff]{4,}(?:[\t\r\n][\x20-\x7e\xa0-\xff]+)*|(?:[\x20-\x7e]\0){4,}|(?:\0[\x20-\x7e]){4,}"
)
_PICTURE = frozenset({b"IDAT", b"PLTE", b"IHDR", b"IEND", b"tRNS", b"fdAT"})
_PACKED = frozenset({b"zTXt", b"iTXt"})
_APPLICATION = frozenset({*range(0xE0, 0xF0), 0xFE})
_END_OF_JPEG = b"\xff\xd9"
_TEXT_KINDS = frozenset({1, 2, 7})


def image_words(content: bytes) -> str:
    """Return it, one run of characters a line."""
    lines = (run for piece in _pieces(content) for run in _runs(piece))
    return "\n".join(dict.fromkeys(lines))


def _pieces(content: bytes) -> Iterator[bytes]:
    kind = image_kind(content)
    if not kind:  # such as a metafile, which draws its texts
        yield content[:_MOST_UNKNOWN]
    elif kind in _TEXTS:
        try:
            yield from _TEXTS[kind](content)
        except struct.error:
            yield content[:_MOST_UNKNOWN]


def _png_texts(content: bytes) -> Iterator[bytes]:
    for name, chunk in png_chunks(content):
        if name not in _PICTURE:
            yield from _unpacked(chunk) if name in _PACKED else (chunk[:_MOST_BYTES],)


def _jpeg_texts(content: bytes) -> Iterator[bytes]:
    for code, segment in jpeg_segments(content):
        if code in _APPLICATION:
            yield segment
        elif not code:
            yield segment.rpartition(_END_OF_JPEG)[2][:_MOST_BYTES]


def _runs(piece: bytes) -> Iterator[str]:
    for match in _RUN.finditer(piece):
        run = match.group()
        if b"\0" in run:
            yield run.replace(b"\0", b"").decode("ascii")
            continue
        try:
            yield run.decode("utf-8")
        except UnicodeDecodeError:
            yield run.decode("latin-1")


def _unpacked(chunk: bytes) -> Iterator[bytes]:
    """Yield a text chunk of a PNG as it is, and what is packed in it."""
    yield chunk[:_MOST_BYTES]
    for start in (match.end() for match in re.finditer(rb"\0", chunk[:300])):
        try:
            text = zlib.decompressobj().decompress(chunk[start:].lstrip(b"\0\x01"), _MOST_BYTES)
        except zlib.error:
            try:
                text = zlib.decompressobj().decompress(chunk[start:], _MOST_BYTES)
            except zlib.error:
                continue
        if text:
            yield text
            return


def _tiff_texts(content: bytes) -> Iterator[bytes]:
    order = "<" if content[:2] == b"II" else ">"
    for page in tiff_pages(content):
        for kind, count, value in page.values():
            if kind in _TEXT_KINDS and count > 4:
                (start,) = struct.unpack(order + "I", value)
                yield content[start : start + min(count, _MOST_BYTES)]


def _gif_texts(content: bytes) -> Iterator[bytes]:
    for match in re.finditer(rb"\x21[\xfe\xff\x01]", content):
        position = match.end()
        parts: list[bytes] = []
        while position < len(content) and content[position] and len(parts) < _MOST_BLOCKS:
            parts.append(content[position + 1 : position + 1 + content[position]])
            position += 1 + content[position]
        yield b"".join(parts)


_TEXTS: Mapping[str, Callable[[bytes], Iterator[bytes]]] = {
    "png": _png_texts,
    "jpeg": _jpeg_texts,
    "tiff": _tiff_texts,
    "gif": _gif_texts,
}
