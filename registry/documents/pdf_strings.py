"""What a PDF says beside its pages: titles, authors, comments, form fields, outlines, scripts, files attached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    IndirectObject,
    StreamObject,
    TextStringObject,
)

from registry.documents.pdf_read import decoded_text

_SHORTEST = 3
_DULL = frozenset({"/ID", "/Panose", "/CharSet", "/Registry", "/Ordering", "/CheckSum", "/Lookup", "/DA"})
_READ_STREAMS = frozenset({"/JS", "/XFA", "/RC", "/RV", "/V", "/Contents"})
_MOST_OBJECTS = 500_000
_BROKEN = (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, NotImplementedError)


def all_objects(reader: PdfReader) -> Iterator[Any]:
    """Yield every object that the file's table names, used or not."""
    numbers = {(number, generation) for generation, table in reader.xref.items() for number in table}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    for number, generation in sorted(numbers)[:_MOST_OBJECTS]:
        try:
            yield reader.get_object(IndirectObject(number, generation, reader))
        except _BROKEN:
            continue


def strings_of(value: Any, key: str = "", depth: int = 0) -> Iterator[str]:
    """Yield the strings within one object, not those of objects that it leads to."""
    if isinstance(value, IndirectObject) or depth > 40:
        return
    if isinstance(value, DictionaryObject):
        for name, item in value.items():
            if name not in _DULL:
                yield from strings_of(item, str(name), depth + 1)
    elif isinstance(value, ArrayObject):
        for item in value:
            yield from strings_of(item, key, depth + 1)
    elif isinstance(value, TextStringObject) and len(value) >= _SHORTEST:
        yield str(value)
    elif isinstance(value, ByteStringObject) and len(value) >= _SHORTEST:
        yield decoded_text(bytes(value))


def speaking_streams(value: Any) -> Iterator[StreamObject]:
    """Yield streams that are texts: metadata, scripts, what a form holds."""
    if isinstance(value, StreamObject) and value.get("/Type") == "/Metadata":
        yield value
    if isinstance(value, DictionaryObject):
        for key in _READ_STREAMS & set(value):
            if key == "/Contents" and value.get("/Type") == "/Page":
                continue
            found: Any = value[key].get_object()
            items = found if isinstance(found, ArrayObject) else [found]
            yield from (one for item in items if isinstance(one := item.get_object(), StreamObject))
