"""What a PDF holds that no page shows: streams of programs' own, forms that are hidden, bytes between the objects.

None of it is in a copy, which is made of the pages; but a file that is called clean goes out as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pypdf.generic import StreamObject

_DULL_TYPES = frozenset({"/ObjStm", "/XRef", "/CMap", "/Page"})
_DULL_SUBTYPES = frozenset({"/Image", "/Type1C", "/CIDFontType0C", "/OpenType"})
# Of fonts, functions, shadings, profiles of colours: numbers.
_DULL_KEYS = frozenset({"/Length1", "/FunctionType", "/ShadingType", "/N", "/PatternType"})
_TAG = re.compile(rb"<[A-Za-z!/?]")
_SAMPLE = 8192
# Control characters that texts have; of others a text has next to none.
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b\0")
_MOST_CONTROLS = 50  # one of so many
_RUN = re.compile(rb"[\x20-\x7e\xa0-\xff]{5,}")
_COMMENT = re.compile(rb"%(?!PDF-|%EOF)[^\r\n]{5,}")
_BEGIN = re.compile(rb"stream\r?\n")


def is_dull(stream: StreamObject) -> bool:
    """Whether a stream holds no text by what it is."""
    kind, subtype = str(stream.get("/Type")), str(stream.get("/Subtype"))
    return kind in _DULL_TYPES or subtype in _DULL_SUBTYPES or not _DULL_KEYS.isdisjoint(stream)


def end_of(content: bytes) -> str:
    """Return the end of a name by which a document without a name is opened; "" where its content tells."""
    head = content[:_SAMPLE]
    if head.lstrip()[:1] in {b"{", b"["}:
        return ".json"
    return ".html" if _TAG.search(head) else ""


def is_text(content: bytes) -> bool:
    """Whether something may be a text, in whatever encoding."""
    head = content[:_SAMPLE]
    return len(head.translate(None, _CONTROLS)) * _MOST_CONTROLS >= len(head) * (_MOST_CONTROLS - 1)


def outside(content: bytes) -> Iterator[str]:
    """Yield what stands before the file's head, behind its end, and in comments between its objects."""
    head, end = content.find(b"%PDF-"), content.rfind(b"%%EOF")
    for piece in (content[: max(0, head)], content[end + 5 :] if end >= 0 else b""):
        yield from (run.group().decode("latin-1") for run in _RUN.finditer(piece))
    for piece in _between(content):
        yield from (comment.group()[1:].decode("latin-1") for comment in _COMMENT.finditer(piece))


def _between(content: bytes) -> Iterator[bytes]:
    """Yield what stands between streams."""
    position = 0
    while (begin := _BEGIN.search(content, position)) is not None:
        yield content[position : begin.start()]
        end = content.find(b"endstream", begin.end())
        if end < 0:
            return
        position = end + len(b"endstream")
    yield content[position:]
