"""Images by their headers: what kind, how large, and one of the same kind that shows nothing. No pixel is unpacked.

Sources: PNG (ISO/IEC 15948), JPEG (ITU-T T.81), TIFF 6.0, GIF89a, and the header of Windows bitmaps.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from registry.domain.errors import UnreadableDocument

# Format -> what a file of it begins with.
BEGINNINGS: Mapping[str, tuple[bytes, ...]] = {
    "png": (b"\x89PNG",),
    "jpeg": (b"\xff\xd8\xff",),
    "tiff": (b"II*\0", b"MM\0*"),
    "gif": (b"GIF8",),
    "bmp": (b"BM",),
}
# Ends of names of images in documents, those included that nothing here reads.
ENDS = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".emf", ".wmf", ".wdp", ".ico", ".webp"})
_MOST_PAGES = 200
_MOST_SEGMENTS = 100_000
# Nothing that is smaller can be read by anybody.
_LEAST_WIDE, _LEAST_HIGH = 24, 6
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_ALONE = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
_BITMAP_HEADER = 26
_TIFF_PAGE = {256: "width", 257: "height"}


@dataclass(frozen=True, slots=True)
class ImageSize:
    """How large an image is.

    Attributes:
        width, height: in pixels; of the largest page.
        pixels: of all pages together.
        is_moving: it has more pictures than the one that is read.
    """

    width: int
    height: int
    pixels: int
    is_moving: bool = False

    @property
    def is_too_small(self) -> bool:
        """Whether it is too small to show a word."""
        return max(self.width, self.height) < _LEAST_WIDE or min(self.width, self.height) < _LEAST_HIGH


def image_kind(content: bytes) -> str:
    """Return the format of an image by its beginning; "" when it is none that is known."""
    for kind, beginnings in BEGINNINGS.items():
        if content.startswith(beginnings) and (kind != "bmp" or _is_bitmap(content)):
            return kind
    return ""


def image_size(content: bytes) -> ImageSize:
    """Read how large an image says that it is.

    Raises:
        UnreadableDocument: ``broken_image``.
    """
    measure = _MEASURES.get(image_kind(content))
    try:
        size = None if measure is None else measure(content)
    except (struct.error, IndexError):
        size = None
    if size is None or size.width <= 0 or size.height <= 0:
        raise UnreadableDocument("broken_image")
    return size


def blank(content: bytes) -> bytes:
    """Return an image of the same format that shows one colour; a PNG in the place of one that nobody knows."""
    return _BLANKS[image_kind(content) or "png"]


def png_of(head: tuple[int, int, int, int], rows: bytes, palette: bytes = b"") -> bytes:
    """Write a PNG.

    Args:
        head: width, height, bits per sample, colour type.
        rows: the filtered rows, unpacked.
        palette: for colour type 3.
    """
    return png_file(head, rows, [(b"PLTE", palette)] if palette else [])


def png_file(head: tuple[int, int, int, int], rows: bytes, chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Write a PNG with chunks of its own between head and rows; see ``png_of``."""
    parts = [_chunk(b"IHDR", struct.pack(">IIBBBBB", *head, 0, 0, 0))]
    parts += [_chunk(name, content) for name, content in chunks]
    parts += [_chunk(b"IDAT", zlib.compress(rows, 1)), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def fax_tiff(size: tuple[int, int], kind: int, data: bytes, *, is_inverse: bool) -> bytes:
    """Write a TIFF around a fax as it is packed. TIFF 6.0, section 11.

    Args:
        size: width and height in pixels.
        kind: as PDF numbers them: below 0 group 4, 0 group 3, above 0 group 3 in two dimensions.
        data: the packed pixels.
        is_inverse: what a fax calls black is shown white.
    """
    packed = 4 if kind < 0 else 3
    tags = [(256, 4, size[0]), (257, 4, size[1]), (258, 3, 1), (259, 3, packed), (262, 3, int(is_inverse))]
    tags += [(273, 4, 0), (277, 3, 1), (278, 4, size[1]), (279, 4, len(data))]
    tags += [(292, 4, int(kind > 0))] if packed == 3 else []
    begin = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack("<HHII", tag, kind_of, 1, begin if tag == 273 else value) for tag, kind_of, value in tags
    )
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG, name and content; what stands behind the last one comes without a name."""
    position = 8
    for _ in range(_MOST_SEGMENTS):
        head = content[position : position + 8]
        if len(head) < 8:
            break
        length, name = struct.unpack(">I4s", head)
        yield name, content[position + 8 : position + 8 + length]
        position += 12 + length
        if name == b"IEND":
            break
    yield b"", content[position:]


def jpeg_segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the segments of a JPEG up to its first scan, code and content; then, with code 0, all that follows."""
    position = 2
    for _ in range(_MOST_SEGMENTS):
        while content[position : position + 1] == b"\xff" and content[position + 1 : position + 2] == b"\xff":
            position += 1
        if position + 4 > len(content) or content[position] != 0xFF:
            break
        code = content[position + 1]
        if code in _ALONE:
            position += 2
            continue
        (length,) = struct.unpack_from(">H", content, position + 2)
        yield code, content[position + 4 : position + 2 + length]
        position += 2 + length
        if code == 0xDA:
            break
    yield 0, content[position:]


def tiff_pages(content: bytes) -> Iterator[dict[int, tuple[int, int, bytes]]]:
    """Yield the directory of each page of a TIFF: tag to type, count and value (where the value stands in the file)."""
    order = "<" if content[:2] == b"II" else ">"
    (position,) = struct.unpack_from(order + "I", content, 4)
    seen: set[int] = set()
    while position and position not in seen and len(seen) < _MOST_PAGES:
        seen.add(position)
        (count,) = struct.unpack_from(order + "H", content, position)
        tags = {}
        for number in range(count):
            tag, kind, items = struct.unpack_from(order + "HHI", content, position + 2 + 12 * number)
            tags[tag] = (kind, items, content[position + 10 + 12 * number : position + 14 + 12 * number])
        yield tags
        (position,) = struct.unpack_from(order + "I", content, position + 2 + 12 * count)
    if position:
        raise UnreadableDocument("broken_image")


def _png_size(content: bytes) -> ImageSize | None:
    width, height = struct.unpack_from(">II", content, 16)
    return ImageSize(width, height, width * height, is_moving=any(name == b"acTL" for name, _ in png_chunks(content)))


def _jpeg_size(content: bytes) -> ImageSize | None:
    for code, segment in jpeg_segments(content):
        if code in _FRAMES:
            height, width = struct.unpack_from(">HH", segment, 1)
            return ImageSize(width, height, width * height)
    return None


def _tiff_size(content: bytes) -> ImageSize | None:
    order = "<" if content[:2] == b"II" else ">"
    sizes = []
    for page in tiff_pages(content):
        read = {}
        for tag, name in _TIFF_PAGE.items():
            kind, _, value = page.get(tag, (0, 0, b""))
            (read[name],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), value)
        sizes.append((read["width"], read["height"]))
    if not sizes:
        return None
    return ImageSize(max(w for w, _ in sizes), max(h for _, h in sizes), sum(w * h for w, h in sizes))


def _gif_size(content: bytes) -> ImageSize | None:
    width, height = struct.unpack_from("<HH", content, 6)
    return ImageSize(width, height, width * height, is_moving=_gif_frames(content) != 1)


def _gif_frames(content: bytes) -> int:
    position = 13 + (3 << ((content[10] & 7) + 1) if content[10] & 0x80 else 0)
    frames = 0
    while position < len(content) and frames < 2:
        mark = content[position]
        if mark == 0x2C:
            frames += 1
            local = content[position + 9]
            position += 11 + (3 << ((local & 7) + 1) if local & 0x80 else 0)
        elif mark == 0x21:
            position += 2
        else:
            break
        while content[position]:
            position += 1 + content[position]
        position += 1
    return frames


def _bmp_size(content: bytes) -> ImageSize | None:
    width, height = struct.unpack_from("<ii", content, 18)
    return ImageSize(abs(width), abs(height), abs(width * height))


def _is_bitmap(content: bytes) -> bool:
    # Two letters are no mark of a format; that it tells its own length is.
    return len(content) >= _BITMAP_HEADER and struct.unpack_from("<I", content, 2)[0] == len(content)


_MEASURES: Mapping[str, Callable[[bytes], ImageSize | None]] = {
    "png": _png_size,
    "jpeg": _jpeg_size,
    "tiff": _tiff_size,
    "gif": _gif_size,
    "bmp": _bmp_size,
}


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _segment(code: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(content) + 2) + content


def _jpeg_blank() -> bytes:
    """One block of one grey: the smallest tables that say so."""
    table = bytes([1, *([0] * 15), 0])  # one code of one bit: category 0, which is also the end of a block
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            _segment(0xDB, b"\0" + b"\x01" * 64),
            _segment(0xC0, struct.pack(">BHHB", 8, 8, 8, 1) + b"\x01\x11\0"),
            _segment(0xC4, b"\0" + table),
            _segment(0xC4, b"\x10" + table),
            _segment(0xDA, b"\x01\x01\0\0\x3f\0"),
            b"\x3f\xff\xd9",
        )
    )


def _tiff_blank() -> bytes:
    tags = [(256, 4, 1), (257, 4, 1), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (278, 4, 1), (279, 4, 1)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<I", 10) + b"\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)


_BLANKS: Mapping[str, bytes] = {
    "png": png_of((1, 1, 8, 0), b"\0\0"),
    "jpeg": _jpeg_blank(),
    "tiff": _tiff_blank(),
    "gif": b"GIF89a\x01\0\x01\0\x80\0\0" + bytes(6) + b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
    "bmp": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 58, 0, 0, 54, 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0) + bytes(4),
}
