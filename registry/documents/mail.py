"""Mail: headers, texts in every encoding, and the documents attached, each as its own format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from email.errors import HeaderParseError
from email.header import decode_header
from email.parser import HeaderParser
from email.utils import collapse_rfc2231_value
from urllib.parse import unquote

from registry.documents.limits import TOO_MUCH
from registry.documents.mime import Entity, Header, read_entity
from registry.documents.model import MARK, Canvas, Cut, Document, Place, Span, Unread, replaced
from registry.domain.errors import UnreadableDocument

# Opens a part, given its content, media type, file name, and the encoding that its header names.
Opener = Callable[[bytes, str, str, str | None], Document]

_DULL_WORDS = """
mime-version content-transfer-encoding dkim-signature arc-seal arc-message-signature arc-authentication-results
authentication-results received-spf
"""
_DULL_HEADERS = frozenset(_DULL_WORDS.split())
_KNOWN_HEADERS = frozenset({"from", "to", "subject", "date", "received", "message-id", "return-path", "sender"})
_CODED = re.compile(
    r"=\?[^?\s]{1,40}\?[bBqQ]\?[^?\s]*\?=|(?:%[0-9A-Fa-f]{2})+|(?<=\?=)(?P<between>(?:\r?\n)?[ \t]+)(?==\?)|\r?\n[ \t]+"
)
# A parameter in several pieces, or in an encoding of its own. RFC 2231.
_IN_PIECES = re.compile(r"\b(?:file)?name\*", re.IGNORECASE)
# Files packed into the lines of a text, as mail carried them before there were parts.
_PACKED_LINES = re.compile(r"^(?:begin(?:-base64)? [0-7]{3,4} \S|=ybegin )", re.MULTILINE)
_BEFORE = re.compile(r"(?:\xef\xbb\xbf)?[\r\n \t]*")  # a mark, and blanks, before the first header
_LANGUAGE = re.compile(r"\*[^?]{0,40}(?=\?)")
_RAW = 0  # the part's number that stands for the mail's own characters


class MailMessage:
    """A mail as it was sent or saved."""

    def __init__(self, content: bytes, open_part: Opener) -> None:
        """Read it.

        Args:
            content: the mail.
            open_part: opens a part.

        Raises:
            UnreadableDocument: ``not_mail``, ``broken_mail``, ``too_large``.
        """
        self._raw = content.decode("latin-1")
        self._open_part = open_part
        self._canvas = Canvas()
        self._parts: list[tuple[Entity, Document]] = []  # numbered from 1
        self._left: list[Entity] = []
        self._unread: list[Unread] = []
        begin = _BEFORE.match(self._raw)
        entity = read_entity(self._raw, (begin.end() if begin else 0, len(self._raw)))
        if not {header.name for header in entity.headers} & _KNOWN_HEADERS:
            raise UnreadableDocument("not_mail")
        self._read(entity, ())
        self.text = self._canvas.text()

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What was not read."""
        return tuple(self._unread)

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name the part of the mail, and the place in a document attached to it."""
        places = self._canvas.places(spans)
        for index, span in enumerate(spans):
            cut = next(self._canvas.cuts([span]), None)
            if cut is not None and cut.part != _RAW:
                _, document = self._parts[cut.part - 1]
                places[index] = (*places[index], *document.places([(cut.start, cut.end)])[0])
        return places

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Write headers and parts anew where something goes; parts that could not be read are emptied."""
        edits: list[tuple[int, int, str]] = []
        by_part: dict[int, list[Cut]] = {}
        for cut in self._canvas.cuts(spans):
            if cut.part == _RAW:
                edits.append((cut.start, cut.end, MARK if cut.is_first else ""))
            else:
                by_part.setdefault(cut.part, []).append(cut)
        for number, cuts in by_part.items():
            entity, document = self._parts[number - 1]
            content = document.redacted([(cut.start, cut.end) for cut in cuts])
            edits.append((*entity.body, entity.encoded(self._raw, content)))
        edits += [(*entity.body, entity.encoded(self._raw, b"")) for entity in self._left]
        return replaced(self._raw, edits).encode("latin-1")

    def _read(self, entity: Entity, place: Place) -> None:
        self._canvas.at((*place, ("part", "headers")))
        for header in entity.headers:
            if header.name not in _DULL_HEADERS:
                self._header(header)
        self._canvas.gap("\n")
        for number, part in enumerate(entity.parts, 1):
            self._read(part, (*place, ("part", number)))
        for start, end in entity.loose:
            self._canvas.at((*place, ("part", "outside of parts")))
            self._canvas.plain(self._raw[start:end], _RAW, start)
            self._canvas.gap("\n")
        if not entity.parts:
            self._leaf(entity, place or (("part", "text"),))

    def _header(self, header: Header) -> None:
        self._canvas.gap(f"{header.name}: ")
        position = header.start
        for coded in _CODED.finditer(self._raw, header.start, header.end):
            self._canvas.plain(self._raw[position : coded.start()], _RAW, position)
            plain = "" if coded["between"] else _uncoded(coded.group())
            self._canvas.whole(plain, _RAW, coded.start(), coded.end())
            position = coded.end()
        self._canvas.plain(self._raw[position : header.end], _RAW, position)
        self._canvas.gap("\n")
        if _IN_PIECES.search(self._raw, header.start, header.end):
            for name in _names(self._raw[header.start : header.end]):
                self._canvas.whole(name, _RAW, header.start, header.end)
                self._canvas.gap("\n")

    def _leaf(self, entity: Entity, place: Place) -> None:
        media_type = entity.known.get_content_type()
        name = _file_name(entity)
        try:
            charset = entity.known.get_content_charset()
            document = self._open_part(entity.content(self._raw), media_type, name, charset)
        except UnreadableDocument as refused:
            if refused.code in TOO_MUCH:
                raise
            what = "encrypted_part" if refused.code == "encrypted" else "embedded_object"
            self._unread.append(Unread(what, place, may_hide=True))
            self._left.append(entity)
            return
        self._parts.append((entity, document))
        self._canvas.at(place)
        self._canvas.plain(document.text, len(self._parts), 0)
        self._canvas.gap("\n")
        self._unread += [Unread(one.what, (*place, *one.place), one.may_hide) for one in document.unread]
        if _PACKED_LINES.search(document.text):
            self._unread.append(Unread("embedded_object", place, may_hide=True))


def _names(value: str) -> Iterator[str]:
    """Yield file names that a header gives in pieces, put together."""
    message = HeaderParser().parsestr(f"Content-Disposition: {value}\n\n")
    for name in ("filename", "name"):
        try:
            found = message.get_param(name, header="content-disposition")
        except (ValueError, TypeError, LookupError):
            continue
        if found is not None:
            yield collapse_rfc2231_value(found)


def _file_name(entity: Entity) -> str:
    try:
        return str(entity.known.get_filename() or "")
    except (ValueError, TypeError, LookupError):
        return ""


def _uncoded(coded: str) -> str:
    """Undo an encoded word, percent signs, or a fold."""
    if coded.startswith("%"):
        return unquote(coded)
    if not coded.startswith("=?"):
        return " " if "\n" in coded else ""
    try:
        # A language may stand behind the charset (RFC 2231, 5).
        word, charset = decode_header(_LANGUAGE.sub("", coded, count=1))[0]
        return word if isinstance(word, str) else word.decode(charset or "utf-8", "replace")
    except (HeaderParseError, LookupError, ValueError):
        return coded
