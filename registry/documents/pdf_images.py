"""Images on the pages of a PDF, turned into files of their own so that they can be read. Source: ISO 32000-1, 8.9."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pypdf.generic import ArrayObject, BooleanObject, DictionaryObject, NullObject, StreamObject

from registry.documents.image_file import ImageDocument
from registry.documents.images import fax_tiff, png_of
from registry.documents.limits import MAX_IMAGE_PIXELS, MAX_MEMBER_BYTES, Budget
from registry.documents.model import Unread
from registry.documents.pdf_broken import BROKEN

_GREY = frozenset({"/DeviceGray", "/CalGray", "/G"})
_COLOURS = frozenset({"/DeviceRGB", "/CalRGB", "/RGB", "/Lab"})
_INKS = frozenset({"/DeviceCMYK", "/CMYK"})
_JPEG = frozenset({"/DCTDecode", "/DCT"})
_FAX = frozenset({"/CCITTFaxDecode", "/CCF"})
_FAX_COLUMNS = 1728  # where a fax does not say how wide it is
_NOT_READ = frozenset({"/JPXDecode", "/JBIG2Decode"})
_INVERSE = bytes(range(255, -1, -1))
_MASKS = ("/SMask", "/Mask")


@dataclass(slots=True)
class ReadImage:
    """What one image and its masks say.

    Attributes:
        number: its number.
        text: its characters.
        unread: what was not read.
        keys: of its streams.
    """

    number: int
    text: str = ""
    unread: list[Unread] = field(default_factory=list)
    keys: set[int] = field(default_factory=set)


class PdfImages:
    """The images of one document, each read once."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._images: list[ReadImage] = []
        self._known: dict[int, StreamObject] = {}  # kept, so that no id is used again

    def read(self, image: StreamObject) -> ReadImage | None:
        """Read an image; None when it was read before."""
        if id(image) in self._known:
            return None
        read = ReadImage(len(self._images))
        self._images.append(read)
        for stream in (image, *_masks(image)):
            self._known[id(stream)] = stream
            read.keys.add(id(stream))
            document = ImageDocument(self._file(stream), self._budget, is_whole=False)
            read.text += document.text
            read.unread += document.unread
        return read

    def knows(self, image: StreamObject) -> bool:
        """Tell whether a page shows it."""
        return id(image) in self._known

    def streams(self, number: int) -> set[int]:
        """Return the keys of an image's streams: it goes with its masks."""
        return self._images[number].keys

    def _file(self, stream: StreamObject) -> bytes:
        """Return it as a file; empty when it is of a kind that is not read, or nothing reads images."""
        try:
            width, height = int(_found(stream["/Width"])), int(_found(stream["/Height"]))
            if not 0 < width * height <= MAX_IMAGE_PIXELS or not self._budget.has_room(width * height):
                return b""
            return _file_of(stream, width, height)
        except BROKEN:
            return b""


def _masks(image: StreamObject) -> list[StreamObject]:
    return [mask for key in _MASKS if isinstance(mask := _found(image.get(key)), StreamObject)]


def _file_of(stream: StreamObject, width: int, height: int) -> bytes:
    filters = _filters(stream)
    last = filters[-1] if filters else ""
    if last in _NOT_READ:
        return b""
    if last in _FAX:
        return _fax(stream, filters, (width, height))
    if last in _JPEG:  # as it was packed, it is a file already
        return bytes(stream._data if len(filters) == 1 else stream.get_data())  # noqa: SLF001 - no other way to it
    samples, palette, is_inverse = _colours(stream)
    depth = 1 if _is_mask(stream) else int(_found(stream.get("/BitsPerComponent")) or 8)
    stride = (width * samples * depth + 7) // 8
    if stride * height > MAX_MEMBER_BYTES:
        return b""
    data = bytes(stream.get_data())[: stride * height].ljust(stride * height, b"\0")
    if samples == 4:
        if depth != 8:
            return b""
        data = bytes(map(max, data[::4], data[1::4], data[2::4], data[3::4]))
        samples, stride, is_inverse = 1, width, not is_inverse
    if is_inverse and not palette:
        data = data.translate(_INVERSE)
    kind = 3 if palette else {1: 0, 3: 2}[samples]
    rows = b"".join(b"\0" + data[at : at + stride] for at in range(0, len(data), stride))
    return png_of((width, height, depth, kind), rows, palette)


def _fax(stream: StreamObject, filters: list[str], size: tuple[int, int]) -> bytes:
    """Put a page of a fax into a TIFF as it is packed: nothing of it is unpacked here. ISO 32000-1, 7.4.6."""
    told = _found(stream.get("/DecodeParms") or stream.get("/DP"))
    told = _found(told[len(filters) - 1]) if isinstance(told, ArrayObject) else told
    told = told if isinstance(told, DictionaryObject) else DictionaryObject()
    if len(filters) > 1 or _is_true(told.get("/EncodedByteAlign")):
        return b""
    kind = int(_found(told.get("/K")) or 0)
    width = int(_found(told.get("/Columns")) or _FAX_COLUMNS)
    decode = _found(stream.get("/Decode"))
    is_turned = isinstance(decode, ArrayObject) and len(decode) >= 2 and _found(decode[0]) > _found(decode[1])
    is_inverse = _is_true(told.get("/BlackIs1")) != is_turned
    return fax_tiff((width, size[1]), kind, bytes(stream._data), is_inverse=is_inverse)  # noqa: SLF001 - as it is packed


def _is_true(value: Any) -> bool:
    found = _found(value)
    return isinstance(found, BooleanObject) and bool(found.value)


def _filters(stream: StreamObject) -> list[str]:
    value = _found(stream.get("/Filter"))
    if value is None:
        return []
    return [str(_found(one)) for one in value] if isinstance(value, ArrayObject) else [str(value)]


def _is_mask(stream: StreamObject) -> bool:
    return _is_true(stream.get("/ImageMask"))


def _colours(stream: StreamObject) -> tuple[int, bytes, bool]:
    """Return samples per pixel, a palette, and whether more means darker.

    Raises:
        ValueError: colours of a kind that is not read.
    """
    decode = _found(stream.get("/Decode"))
    is_turned = isinstance(decode, ArrayObject) and len(decode) >= 2 and _found(decode[0]) > _found(decode[1])
    if _is_mask(stream):
        return 1, b"", is_turned
    space = _found(stream.get("/ColorSpace"))
    if isinstance(space, ArrayObject) and str(_found(space[0])) in {"/Indexed", "/I"}:
        return 1, _palette(space), False
    samples, is_ink = _samples(space)
    return samples, b"", is_turned != is_ink


def _samples(space: Any) -> tuple[int, bool]:
    name = str(_found(space[0])) if isinstance(space, ArrayObject) else str(space)
    if name in _GREY:
        return 1, False
    if name in _COLOURS:
        return 3, False
    if name in _INKS:
        return 4, False
    if name == "/ICCBased":
        return int(_found(_found(space[1])["/N"])), False
    if name == "/Separation" or (name == "/DeviceN" and len(_found(space[1])) == 1):
        return 1, True
    raise ValueError(name)


def _palette(space: ArrayObject) -> bytes:
    base, table = _samples(_found(space[1]))[0], _found(space[3])
    colours = bytes(table.get_data()) if isinstance(table, StreamObject) else _bytes_of(table)
    if base == 3:
        return colours[: 256 * 3]
    if base == 1:
        return b"".join(bytes([one]) * 3 for one in colours[:256])
    return b"".join(
        bytes(255 - min(255, ink + colours[at + 3]) for ink in colours[at : at + 3])
        for at in range(0, min(len(colours), 1024) - 3, 4)
    )


def _bytes_of(text: Any) -> bytes:
    original = getattr(text, "original_bytes", None)
    return original if isinstance(original, bytes) else bytes(text)


def _found(value: Any) -> Any:
    target = value.get_object() if hasattr(value, "get_object") else value
    return None if isinstance(target, NullObject) else target
