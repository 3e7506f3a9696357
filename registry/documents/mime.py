"""The structure of a mail as ranges of its characters, each of which is one byte: headers, texts, parts."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser

from registry.documents.limits import MAX_DEPTH, MAX_MAIL_PARTS
from registry.documents.model import Span
from registry.domain.errors import UnreadableDocument

_LINE = re.compile(r"[^\r\n]*(\r\n|\n|\r|\Z)")
_HEADER = re.compile(r"([!-9;-~]+)[ \t]*:[ \t]*")
_COLUMNS = 76
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})


@dataclass(frozen=True, slots=True)
class Header:
    """One header; ``start`` to ``end`` is its value, folded as it is."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entity:
    """A mail or a part of one.

    Attributes:
        headers: in order.
        body: range of what follows them.
        known: the headers as Python reads them, for types and parameters.
        parts: of a multipart.
        loose: texts before, between and behind its parts.
    """

    headers: tuple[Header, ...]
    body: Span
    known: Message = field(repr=False)
    parts: tuple[Entity, ...] = ()
    loose: tuple[Span, ...] = ()

    def content(self, raw: str) -> bytes:
        """Return the body, its transfer encoding undone.

        Raises:
            UnreadableDocument: ``broken_mail``; ``unsupported_format`` for an encoding that nobody knows.
        """
        encoded = raw[slice(*self.body)].encode("latin-1")
        if self.encoding not in _ENCODINGS:
            raise UnreadableDocument("unsupported_format")
        if self.encoding == "base64":
            try:
                return base64.b64decode(re.sub(rb"[^A-Za-z0-9+/=]", b"", encoded))
            except binascii.Error:
                raise UnreadableDocument("broken_mail") from None
        return quopri.decodestring(encoded) if self.encoding == "quoted-printable" else encoded

    def encoded(self, raw: str, content: bytes) -> str:
        """Return another content as a body like this one."""
        line_end = "\r\n" if "\r\n" in raw else "\n"
        if self.encoding == "base64":
            coded = base64.b64encode(content).decode("ascii")
            lines = [coded[at : at + _COLUMNS] for at in range(0, len(coded), _COLUMNS)]
            return line_end.join([*lines, ""])
        if self.encoding == "quoted-printable":
            return quopri.encodestring(content).decode("latin-1").replace("\r\n", "\n").replace("\n", line_end)
        return content.decode("latin-1")

    @property
    def encoding(self) -> str:
        """Name of the transfer encoding."""
        return str(self.known.get("content-transfer-encoding", "")).strip().lower()


def read_entity(raw: str, span: Span, depth: int = 0) -> Entity:
    """Read a mail, or a part of one, and all parts of it.

    Raises:
        UnreadableDocument: ``nested_too_deep``, ``too_large``.
    """
    if depth > MAX_DEPTH * 4:
        raise UnreadableDocument("nested_too_deep")
    headers, begin = _headers(raw, span)
    known = HeaderParser().parsestr(raw[span[0] : begin])
    boundary = known.get_boundary()
    if known.get_content_maintype() != "multipart" or not boundary:
        return Entity(headers, (begin, span[1]), known)
    parts: list[Entity] = []
    loose: list[Span] = []
    inside = False
    for start, end, is_part in _split(raw, (begin, span[1]), boundary):
        if is_part:
            inside = True
            parts.append(read_entity(raw, (start, end), depth + 1))
        else:
            loose.append((start, end))
        if len(parts) > MAX_MAIL_PARTS:
            raise UnreadableDocument("too_large")
    if not inside:
        return Entity(headers, (begin, span[1]), HeaderParser().parsestr(""))
    return Entity(headers, (begin, span[1]), known, tuple(parts), tuple(loose))


def _headers(raw: str, span: Span) -> tuple[tuple[Header, ...], int]:
    """Return the headers, and where the body begins."""
    headers: list[Header] = []
    position, end = span
    while position < end:
        line = _LINE.match(raw, position, end)
        if line is None or line.end() == position:
            break
        content_end = line.start(1)
        if content_end == position:
            return tuple(headers), line.end()
        if raw[position] in " \t" and headers:
            headers[-1] = Header(headers[-1].name, headers[-1].start, content_end)
        elif (match := _HEADER.match(raw, position, content_end)) is not None:
            headers.append(Header(match.group(1).lower(), match.end(), content_end))
        elif not (raw.startswith(("From ", ">From "), position) and not headers):
            return tuple(headers), position  # no blank line before the body
        position = line.end()
    return tuple(headers), position


def _split(raw: str, span: Span, boundary: str) -> Iterator[tuple[int, int, bool]]:
    """Yield what stands between boundary lines; whether it is a part, or before the first or behind the last."""
    marker = re.compile(rf"(?:\A|(?<=\n)|(?<=\r))--{re.escape(boundary)}(--)?[ \t]*(?:\r\n|\n|\r|\Z)")
    position, is_part = span[0], False
    for line in marker.finditer(raw, *span):
        yield position, line.start(), is_part
        position, is_part = line.end(), line.group(1) is None
    yield position, span[1], is_part
