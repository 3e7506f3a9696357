"""What a PDF says beside its pages: titles, authors, comments, form fields, outlines, scripts, files attached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    TextStringObject,
)

from registry.documents.pdf_broken import BROKEN
from registry.documents.pdf_read import decoded_text

_SHORTEST = 3
_DULL = frozenset({"/ID", "/Panose", "/CharSet", "/Registry", "/Ordering", "/CheckSum", "/Lookup", "/DA"})
# Names are the format's or a program's; one with blanks or with a number as people write them is somebody's.
_CHOSEN = re.compile(r"[ @]|[0-9]{3}[^0-9]?[0-9]{2}")
_MOST_OBJECTS = 500_000


def all_objects(reader: PdfReader) -> Iterator[Any]:
    """Yield every object that the file's table names, used or not."""
    numbers = {(number, generation) for generation, table in reader.xref.items() for number in table}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    for number, generation in sorted(numbers)[:_MOST_OBJECTS]:
        try:
            yield reader.get_object(IndirectObject(number, generation, reader))
        except BROKEN:
            continue


def strings_of(value: Any, key: str = "", depth: int = 0) -> Iterator[str]:
    """Yield the strings within one object, not those of objects that it leads to."""
    if isinstance(value, IndirectObject) or depth > 40:
        return
    if isinstance(value, DictionaryObject):
        for name, item in value.items():
            if _CHOSEN.search(name):
                yield str(name)[1:]
            if name not in _DULL:
                yield from strings_of(item, str(name), depth + 1)
    elif isinstance(value, ArrayObject):
        for item in value:
            yield from strings_of(item, key, depth + 1)
    else:
        yield from _told(value)


def _told(value: Any) -> Iterator[str]:
    if isinstance(value, TextStringObject) and len(value) >= _SHORTEST:
        yield str(value)
    elif isinstance(value, ByteStringObject) and len(value) >= _SHORTEST:
        yield decoded_text(bytes(value))
    elif isinstance(value, NameObject) and _CHOSEN.search(value):
        yield str(value)[1:]
