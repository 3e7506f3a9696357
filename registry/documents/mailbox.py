"""Many mails in one file, as programs save them (RFC 4155); and how a mail is told when its name does not say it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from registry.documents.archive import ReadOnly
from registry.documents.limits import MAX_MAILS, TOO_MUCH
from registry.documents.model import Canvas, Document, Place, Unread
from registry.domain.errors import UnreadableDocument

# Opens one mail, or what stands where one should be as a text.
Opener = Callable[[bytes, str], Document]

# The line before each mail: who sent it and when, as C writes times.
_FROM = (
    rb"From [^\r\n]{1,200}?[ \t](?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
    rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2} \d\d:\d\d[^\r\n]{0,60}"
)
_FIRST = re.compile(rb"\s{0,100}" + _FROM + rb"\r?\n")
# With a header behind it: not every program leaves a blank line before it.
_BETWEEN = re.compile(rb"(?:\A|(?<=\n))" + _FROM + rb"\r?\n(?=[!-9;-~]{1,70}:)|(?<=\n\n)" + _FROM + rb"\r?\n")
_HEADER = re.compile(rb"([!-9;-~]{1,70})[ \t]*:[^\r\n]{0,2000}(?:\r?\n[ \t][^\r\n]{0,2000}){0,200}(?:\r?\n|\Z)")
_MOST_HEADERS = 200
_KNOWN = frozenset(b"from to subject date received message-id return-path sender mime-version".split())
_LEAST_KNOWN = 2
# What hides the words of a mail from whoever reads it as a text.
_CODED = re.compile(
    rb"^content-transfer-encoding[ \t]*:[ \t]*\"?(?:base64|quoted-printable)|^content-type[ \t]*:[ \t]*multipart/"
    rb"|=\?[^?\s]{1,40}\?[bq]\?",
    re.IGNORECASE | re.MULTILINE,
)


def is_mailbox(content: bytes) -> bool:
    """Tell whether a file begins as one of many mails."""
    first = _FIRST.match(content)
    return first is not None and _known_headers(content, first.end())[0] >= _LEAST_KNOWN


def is_coded_mail(content: bytes) -> bool:
    """Tell whether a file is a mail whose words only show once it is opened as one: by its headers.

    A mail that was pasted as a text, its words in plain sight, is a text.
    """
    known, end = _known_headers(content, len(content) - len(content.lstrip(b"\r\n \t\xef\xbb\xbf")))
    return known >= _LEAST_KNOWN and _CODED.search(content, 0, end) is not None


def _known_headers(content: bytes, begin: int) -> tuple[int, int]:
    """Return how many usual headers a mail begins with, and where its headers end."""
    names = set[bytes]()
    for _ in range(_MOST_HEADERS):
        header = _HEADER.match(content, begin)
        if header is None:
            break
        names.add(header.group(1).lower())
        begin = header.end()
    return len(names & _KNOWN), begin


def read_mailbox(content: bytes, open_mail: Opener) -> ReadOnly:
    """Read all mails of a file.

    Args:
        content: the file.
        open_mail: opens one of them, given its format.

    Raises:
        UnreadableDocument: ``too_large``: more mails than are read; or one of them is beyond a limit.
    """
    canvas, unread = Canvas(), list[Unread]()
    for number, mail in enumerate(_mails(content), 1):
        if number > MAX_MAILS:
            raise UnreadableDocument("too_large")
        place: Place = (("mail", number),)
        canvas.at(place)
        document = _opened(mail, open_mail, place, unread)
        canvas.plain(document.text, number, 0)
        canvas.gap("\n")
        unread += [Unread(one.what, (*place, *one.place), one.may_hide) for one in document.unread]
    return ReadOnly(canvas, unread, content)


def _opened(mail: bytes, open_mail: Opener, place: Place, unread: list[Unread]) -> Document:
    try:
        return open_mail(mail, "eml")
    except UnreadableDocument as refused:
        if refused.code in TOO_MUCH:
            raise
    unread.append(Unread("embedded_object", place, may_hide=True))
    return open_mail(mail, "txt")


def _mails(content: bytes) -> Iterator[bytes]:
    begins = [match.start() for match in _BETWEEN.finditer(content)] or [0]
    for begin, end in zip([0, *begins[1:]], [*begins[1:], len(content)], strict=True):
        yield content[begin:end].lstrip(b"\r\n \t")
