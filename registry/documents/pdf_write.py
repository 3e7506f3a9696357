"""Writing a PDF anew, object by object: only what pages need to be shown, so that nothing else can stay behind."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    ByteStringObject,
    DictionaryObject,
    NameObject,
    NullObject,
    StreamObject,
    TextStringObject,
)

from registry.documents.pdf_tokens import written_string
from registry.domain.errors import UnreadableDocument

# What says something about an object instead of showing it, or leads away from it.
_LEFT_OUT = frozenset(
    {
        *("/Metadata", "/PieceInfo", "/OC", "/StructParent", "/StructParents", "/Parent", "/Annots", "/AA", "/A"),
        *("/OPI", "/LastModified", "/Alternates", "/Ref", "/PtData", "/Measure", "/Properties", "/Contents", "/ID"),
        *("/Length", "/Name", "/Desc", "/F", "/FFilter", "/FDecodeParms", "/DL"),
    }
)
# Dictionaries whose keys are names that somebody chose.
_NAMED = frozenset(
    {"/Font", "/XObject", "/ExtGState", "/ColorSpace", "/Pattern", "/Shading", "/CharProcs", "/Colorants"}
)
_DEPTH = 60
# In the place of an image: one black point.
_BLACK = b"/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray"


class PdfWriter:
    """Writes one document."""

    def __init__(self, content_of: Callable[[StreamObject], bytes], is_gone: Callable[[StreamObject], bool]) -> None:
        """Take what gives the content of a form or tile, without what is to go, and which images go."""
        self._content_of = content_of
        self._is_gone = is_gone
        self._objects: list[bytes] = []
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no id is used again

    def reserve(self) -> int:
        """Take a number for an object that is written later."""
        self._objects.append(b"null")
        return len(self._objects)

    def put(self, number: int, content: bytes) -> None:
        """Write an object."""
        self._objects[number - 1] = content

    def stream(self, dictionary: bytes, content: bytes, number: int = 0) -> int:
        """Write a stream, packed; returns its number."""
        number = number or self.reserve()
        packed = zlib.compress(content, 6)
        head = b"<<%s/Filter/FlateDecode/Length %d>>" % (dictionary, len(packed))
        self.put(number, head + b"\nstream\n" + packed + b"\nendstream")
        return number

    def value(self, value: Any, depth: int = 0) -> bytes:
        """Write a value with all that it leads to; streams and dictionaries once."""
        if depth > _DEPTH:
            raise UnreadableDocument("nested_too_deep")
        found = value.get_object() if hasattr(value, "get_object") else value
        if isinstance(found, StreamObject):
            return b"%d 0 R" % self._stream_number(found, depth)
        if isinstance(found, DictionaryObject):
            if found is value and not depth:
                return self.dictionary(found, depth)
            return b"%d 0 R" % self._dictionary_number(found, depth)
        if isinstance(found, ArrayObject):
            return b"[" + b" ".join(self.value(item, depth + 1) for item in found) + b"]"
        return _simple(found)

    def dictionary(self, dictionary: DictionaryObject, depth: int = 0) -> bytes:
        """Write a dictionary in place, without what is left out."""
        return b"<<" + self.entries(dictionary, depth) + b">>"

    def entries(self, dictionary: DictionaryObject, depth: int = 0) -> bytes:
        """Write the entries of a dictionary."""
        return b"".join(
            _name(key) + b" " + (self._names(item, depth + 1) if key in _NAMED else self.value(item, depth + 1))
            for key, item in dictionary.items()
            if key not in _LEFT_OUT
        )

    def _names(self, value: Any, depth: int) -> bytes:
        found = value.get_object()
        if not isinstance(found, DictionaryObject) or isinstance(found, StreamObject):
            return self.value(value, depth)
        return b"<<" + b"".join(_name(key) + b" " + self.value(item, depth + 1) for key, item in found.items()) + b">>"

    def finished(self, root: int) -> bytes:
        """Return the file."""
        written = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        offsets = []
        for number, content in enumerate(self._objects, 1):
            offsets.append(len(written))
            written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
        start = len(written)
        written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
        written += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        written += b"trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, root, start)
        return bytes(written)

    def _stream_number(self, stream: StreamObject, depth: int) -> int:
        number = self._numbers.get(id(stream))
        if number is not None:
            return number
        number = self._numbers[id(stream)] = self.reserve()
        self._kept.append(stream)
        if stream.get("/Subtype") == "/Form" or "/PatternType" in stream:
            packing = ("/Filter", "/DecodeParms")
            plain = DictionaryObject({key: item for key, item in stream.items() if key not in packing})
            self.stream(self.entries(plain, depth), self._content_of(stream), number)
            return number
        if stream.get("/Subtype") == "/Image" and self._is_gone(stream):
            return self.stream(_BLACK, b"\0", number)
        packed = stream._data  # noqa: SLF001 - as it was packed: images and fonts are not touched
        head = b"<<%s/Length %d>>" % (self.entries(stream, depth), len(packed))
        self.put(number, head + b"\nstream\n" + packed + b"\nendstream")
        return number

    def _dictionary_number(self, dictionary: DictionaryObject, depth: int) -> int:
        number = self._numbers.get(id(dictionary))
        if number is None:
            number = self.reserve()
            self._numbers[id(dictionary)] = number
            self._kept.append(dictionary)
            self.put(number, self.dictionary(dictionary, depth))
        return number


def _simple(value: Any) -> bytes:
    if isinstance(value, NameObject):
        return _name(value)
    if isinstance(value, ByteStringObject | bytes):
        return written_string(bytes(value))
    if isinstance(value, TextStringObject | str):
        return written_string(_bytes_of(value))
    if isinstance(value, BooleanObject):
        return b"true" if value.value else b"false"
    return _number(value)


def _number(value: Any) -> bytes:
    if isinstance(value, NullObject) or value is None:
        return b"null"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, float):
        return f"{float(value):.6f}".rstrip("0").rstrip(".").encode() or b"0"
    raise UnreadableDocument("broken_pdf")


def _bytes_of(text: str) -> bytes:
    original = getattr(text, "original_bytes", None)
    return original if isinstance(original, bytes) else text.encode("latin-1", "replace")


def _name(name: str) -> bytes:
    plain = name.removeprefix("/").encode("utf-8", "surrogatepass")
    return b"/" + b"".join(
        bytes([byte]) if 0x21 <= byte <= 0x7E and byte not in b"#()<>[]{}/%" else b"#%02x" % byte for byte in plain
    )
