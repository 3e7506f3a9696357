"""What a page carries in itself: ``data:`` addresses (RFC 2397), and pages in attributes."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import unquote_to_bytes

from registry.documents.limits import TOO_MUCH
from registry.documents.model import Document
from registry.domain.errors import UnreadableDocument

# Opens something, given its content, media type, file name, and the encoding that somebody named.
Opener = Callable[[bytes, str, str, str | None], Document]

GONE = "data:,"
_HEAD = re.compile(r"\s*data:([\w.+/-]{0,100})((?:\s*;[^;,]{0,200}){0,20}),", re.IGNORECASE)
_INSIDE = re.compile(
    r"data:([\w.+/-]{1,100})((?:;[\w.+-]{1,60}(?:=[\w.\"+-]{0,60})?){0,8}?);base64,([A-Za-z0-9+/=_%-]*)", re.IGNORECASE
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_DULL = re.compile(r"(?:font/|application/(?:x-)?font|application/vnd\.ms-fontobject)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Carried:
    """One document in a page.

    Attributes:
        start, end: its range in the page.
        media_type: as it says.
        content: the document; None when it cannot be unpacked.
        charset: its encoding as named.
        is_page: it is a page in an attribute of its own, not a ``data:`` address.
    """

    start: int
    end: int
    media_type: str
    content: bytes | None = field(repr=False)
    charset: str = ""
    is_page: bool = False
    _document: Document | None = None

    @property
    def is_dull(self) -> bool:
        """Whether it is nothing that says anything: a font, or nothing at all."""
        return self.content == b"" or _DULL.match(self.media_type) is not None

    @property
    def document(self) -> Document:
        """What was opened."""
        if self._document is None:
            raise TypeError("it was not opened")
        return self._document

    def opened(self, open_part: Opener) -> Carried | None:
        """Return it with its document; None when it cannot be read.

        Raises:
            UnreadableDocument: it is beyond a limit.
        """
        if self.content is None:
            return None
        try:
            document = open_part(self.content, self.media_type or "text/plain", "", self.charset or None)
        except UnreadableDocument as refused:
            if refused.code in TOO_MUCH:
                raise
            return None
        return replace(self, _document=document)

    def written(self, content: bytes) -> str:
        """Return another content in its place."""
        if self.is_page:
            return html.escape(content.decode("utf-8", "replace"))
        charset = f";charset={self.charset}" if self.charset else ""
        return f"data:{self.media_type}{charset};base64,{base64.b64encode(content).decode('ascii')}"


def carried_page(name: str, raw: str, start: int, end: int) -> Carried | None:
    """Return what an attribute carries as a whole, None when it is an ordinary one."""
    if name == "srcdoc":
        content = html.unescape(raw[start:end]).encode("utf-8", "replace")
        return Carried(start, end, "text/html", content, "utf-8", is_page=True)
    head = _HEAD.match(raw, start, end)
    if head is None:
        return None
    said = head.group(2)
    coded = html.unescape(raw[head.end() : end])
    plain = unquote_to_bytes(coded)
    unpacked = _unpacked(plain) if re.search(r";\s*base64\s*$", said, re.IGNORECASE) else plain
    charset = _CHARSET.search(said)
    return Carried(start, end, head.group(1).lower(), unpacked, "" if charset is None else charset.group(1))


def carried_parts(raw: str, start: int, end: int) -> Iterator[Carried]:
    """Yield what stands packed within a stretch: in a style, a script, a comment, a list of addresses."""
    for match in _INSIDE.finditer(raw, start, end):
        content = _unpacked(unquote_to_bytes(match.group(3)))
        charset = _CHARSET.search(match.group(2))
        named = "" if charset is None else charset.group(1)
        yield Carried(match.start(), match.end(), match.group(1).lower(), content, named)


def _unpacked(coded: bytes) -> bytes | None:
    plain = bytes(byte for byte in coded.translate(_URL_SAFE) if byte not in b" \t\r\n\f")
    try:
        return base64.b64decode(plain.rstrip(b"=") + b"=" * (-len(plain.rstrip(b"=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
