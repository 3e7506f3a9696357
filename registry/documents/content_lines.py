"""Cards and calendars: lines ``NAME;PARAMETER=x:VALUE`` that go on in the next line (RFC 6350, RFC 5545, vCard 2.1)."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from registry.documents.archive import ReadOnly
from registry.documents.encodings import decode
from registry.documents.limits import MAX_TEXT_CHARACTERS, TOO_MUCH
from registry.documents.model import Canvas, Document, Place, Unread
from registry.domain.errors import UnreadableDocument

# Opens what a line carries, given its content and the end of its name: a portrait, a key.
Opener = Callable[[bytes, str], Document]

_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,100}BEGIN:(?:VCARD|VCALENDAR)[ \t]*\r?\n", re.IGNORECASE)
_FOLD = re.compile(r"\r?\n[ \t]")
_SOFT = re.compile(r"=[ \t]*\r?\n[ \t]?")
_LINE = re.compile(r"(?:[A-Za-z0-9-]{1,40}\.)?([A-Za-z0-9-]{1,60})((?:;(?:\"[^\"]*\"|[^\";:])*)*):(.*)", re.DOTALL)
_PARTS = re.compile(r"(?<!\\);")
_ESCAPED = re.compile(r"\\([\\,;:nN])")
_DATA = re.compile(r"data:[\w.+/-]{0,100}(?:;[\w.=+-]{1,60}){0,4};base64,", re.IGNORECASE)
# Of a name and of an address in their order: who is called so first, and the street before what is beside it.
_NAME_ORDER = (3, 1, 2, 0, 4)
_ADDRESS_ORDER = (2, 1, 0, 3, 4, 5, 6)
_NAME_FIELD, _ADDRESS_FIELD = "n", "adr"
_STREET_PARTS = 3


def is_content_lines(content: bytes) -> bool:
    """Tell whether a file begins as a card or a calendar."""
    return _BEGIN.match(content) is not None


@dataclass(frozen=True, slots=True)
class _Line:
    """One line, put together.

    Attributes:
        name: of the property, in small letters.
        parameters: in small letters.
        value: as it is written.
    """

    name: str
    parameters: str
    value: str

    @property
    def is_base64(self) -> bool:
        return re.search(r"(?:^|[;=])(?:base64|b)(?:;|$)", self.parameters) is not None

    @property
    def is_quoted(self) -> bool:
        return "quoted-printable" in self.parameters

    @property
    def charset(self) -> str:
        found = re.search(r"charset=\"?([\w.:-]{1,40})", self.parameters)
        return found.group(1) if found else ""


def read_content_lines(content: bytes, open_nested: Opener) -> ReadOnly:
    """Read a card or a calendar: a line of text for each property, a blank line between two cards.

    Args:
        content: the file.
        open_nested: opens what a property carries.

    Raises:
        UnreadableDocument: ``too_large``, or what it carries is beyond a limit.
    """
    text = decode(content).text
    if len(text) > MAX_TEXT_CHARACTERS:
        raise UnreadableDocument("too_large")
    canvas, unread, card = Canvas(), list[Unread](), 0
    for line in _lines(text):
        if line.name == "begin":
            card += line.value.strip().lower() in {"vcard", "vevent", "vtodo", "vjournal"}
            canvas.gap("\n")
            continue
        place: Place = (("card", max(1, card)), ("property", line.name if line.name in _TOLD else "other"))
        canvas.at(place)
        if line.is_base64 or _DATA.match(line.value):
            _carried(line, (canvas, unread), place, open_nested)
        elif line.name != "end":
            canvas.gap(f"{line.name}: {_shown(line)}\n")
    return ReadOnly(canvas, unread, content)


# Names of properties that may be told: those of the standards, since any other may be a value.
_TOLD_NAMES = """
fn n nickname adr tel email bday note title role org url photo logo key sound impp related label summary location
description attendee organizer contact comment attach uid categories anniversary
"""
_TOLD = frozenset(_TOLD_NAMES.split())


def _lines(text: str) -> Iterator[_Line]:
    """Yield the properties; a line that is none is kept as it is."""
    raw = _FOLD.sub("", text)
    position = 0
    while position < len(raw):
        end = raw.find("\n", position)
        end = len(raw) if end < 0 else end
        head = raw[position : min(end, position + _HEAD)].partition(":")[0].lower()
        if "quoted-printable" in head:  # its value goes on behind a = at the end of a line
            # Only the end of what is there already: a value may go on over a hundred thousand lines.
            while raw[max(position, end - _MOST_BLANKS) : end].rstrip("\r \t").endswith("=") and end < len(raw):
                following = raw.find("\n", end + 1)
                end = len(raw) if following < 0 else following
        written = raw[position:end].strip("\r")
        position = end + 1
        found = _LINE.fullmatch(written)
        if found is not None:
            yield _Line(found.group(1).lower(), found.group(2).lower(), found.group(3))
        elif written.strip():
            yield _Line("other", "", written)


_HEAD = 400  # characters in which the parameters of a property stand
_MOST_BLANKS = 80  # behind the = at the end of a line


def _shown(line: _Line) -> str:
    """Return a value as one would write it."""
    value = line.value
    if line.is_quoted:
        packed = quopri.decodestring(_SOFT.sub("", value).encode("utf-8", "surrogateescape"))
        value = decode(packed, line.charset or None).text
    order = {_NAME_FIELD: _NAME_ORDER, _ADDRESS_FIELD: _ADDRESS_ORDER}.get(line.name)
    if order is None:
        return _plain(value)
    parts = [_plain(part).strip() for part in _PARTS.split(value)]
    chosen = [parts[at] for at in order if at < len(parts) and parts[at]]
    chosen += [part for part in parts[len(order) :] if part]
    if line.name == _NAME_FIELD:
        return " ".join(chosen)
    return _address(parts, chosen)


def _address(parts: Sequence[str], chosen: Sequence[str]) -> str:
    """Write an address in a line: the ZIP behind its state without a comma."""
    street = [one for one in chosen if one in parts[:_STREET_PARTS]]
    rest = [parts[at] if at < len(parts) else "" for at in range(_STREET_PARTS, 7)]
    city, state, code, country = rest
    tail = " ".join(one for one in (state, code) if one)
    return ", ".join(one for one in (*street, city, tail, country, *parts[7:]) if one)


def _plain(value: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match.group(1) in "nN" else match.group(1), value)


def _carried(line: _Line, into: tuple[Canvas, list[Unread]], place: Place, open_nested: Opener) -> None:
    """Read what a property carries, or tell that it could not be."""
    canvas, unread = into
    packed = _DATA.sub("", line.value, count=1)
    try:
        document = open_nested(base64.b64decode(re.sub(r"[^A-Za-z0-9+/=]", "", packed)), "")
    except (binascii.Error, UnreadableDocument) as refused:
        if isinstance(refused, UnreadableDocument) and refused.code in TOO_MUCH:
            raise
        unread.append(Unread("image" if line.name in {"photo", "logo"} else "embedded_object", place, may_hide=True))
        return
    canvas.gap(f"{line.name}: {document.text}\n")
    unread += [Unread(one.what, (*place, *one.place), one.may_hide) for one in document.unread]
