"""From a parsed JSON body to a document that somebody sends. Nothing submitted is ever named."""

from __future__ import annotations

import base64
import binascii

from registry.documents.limits import MAX_FILE_BYTES
from registry.services.uploads import Upload
from registry.text.rules.reading import ObjectReader
from registry.text.rules.texts import one_line

# Four characters of base64 for three bytes, and room for the other members.
MAX_FILE_BODY = MAX_FILE_BYTES // 3 * 4 + (1 << 20)

_FILE_KEYS = frozenset({"content", "name", "media_type"})
_NAME = one_line(255)


def read_file(body: ObjectReader) -> Upload:
    """Read the member ``file``; what is wrong is noted."""
    if not body.has("file"):
        body.refuse("missing", "file")
        return Upload(b"")
    holder = body.reading.open(body.member("file"), _FILE_KEYS, f"{body.pointer}/file")
    if holder is None:
        return Upload(b"")
    name, media_type = holder.optional("name", _NAME), holder.optional("media_type", _NAME)
    content = holder.required("content", _content_problem)
    return Upload(_decoded(content) or b"", name, media_type)


def _content_problem(content: str) -> str | None:
    decoded = _decoded(content)
    if decoded is None:
        return "not_base64"
    return "too_long" if len(decoded) > MAX_FILE_BYTES else None


def _decoded(content: str) -> bytes | None:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return None
