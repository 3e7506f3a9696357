"""From bytes to characters and back, exactly."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

from registry.documents.ebcdic import ebcdic_page
from registry.domain.errors import UnreadableDocument

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9._:-]{2,40})""")
_DECLARED_WITHIN = 2048  # bytes
_SAMPLE = 4096
_NEXT_LINE = "\x85"
_TEXTS = re.compile(
    r"ascii|utf-8|utf-(?:16|32)-[bl]e|iso8859-\d+|cp\d+|mac-\w+|koi8-\w|shift_jis\w*|euc_\w+|gb\w+|big5\w*|hz|tis-620|utf-7"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text with what is needed to write it back.

    Attributes:
        text: its characters.
        encoding: of them.
        mark: the byte order mark that it began with.
        line_end: what a line end is in the file when it is no usual one: the next line of EBCDIC.
    """

    text: str = field(repr=False)
    encoding: str
    mark: bytes = b""
    line_end: str = ""

    def encode(self, text: str) -> bytes:
        """Write another text in the same encoding; a character that it does not have becomes a question mark."""
        if self.line_end:
            text = text.replace("\n", self.line_end)
        return self.mark + text.encode(self.encoding, "replace")


def decode(content: bytes, declared: str | None = None) -> Decoded:
    """Read bytes as text: by their mark, as declared, as EBCDIC, as UTF-8, else as Windows-1252.

    Args:
        content: the bytes.
        declared: an encoding that somebody else named, such as a mail's header.

    Raises:
        UnreadableDocument: ``not_text``.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _checked(content[len(mark) :], encoding, mark)
    if not declared and (page := ebcdic_page(content)) is not None:
        return _from_mainframe(content, page)
    for said in (declared, _wide(content), "utf-8", "cp1252"):
        name = None if said is None else _known(said)
        if name is None:
            continue
        try:
            return _checked(content, name, b"")
        except UnicodeError:
            continue
    return _checked(content, "latin-1", b"")


def declared_within(content: bytes) -> str | None:
    """Return the encoding that a page or an XML document names itself."""
    found = _DECLARED.search(content[:_DECLARED_WITHIN])
    return None if found is None else found.group(1).decode("ascii")


def _checked(content: bytes, encoding: str, mark: bytes) -> Decoded:
    try:
        text = content.decode(encoding)
    except UnicodeError:
        if mark:
            raise UnreadableDocument("not_text") from None
        raise
    if "\0" in text:
        raise UnreadableDocument("not_text")
    return Decoded(text, encoding, mark)


def _from_mainframe(content: bytes, page: str) -> Decoded:
    text = _checked(content, page, b"").text
    if _NEXT_LINE in text and "\n" not in text:
        return Decoded(text.replace(_NEXT_LINE, "\n"), page, line_end=_NEXT_LINE)
    return Decoded(text, page)


def _known(encoding: str) -> str | None:
    """Return Python's name of an encoding of texts; others, such as hex or one with marks of its own, are not taken."""
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return None
    return name if _TEXTS.fullmatch(name) else {"utf-8-sig": "utf-8"}.get(name)


def _wide(content: bytes) -> str | None:
    """Name UTF-16 without a mark: nearly every second byte of a Western text is zero."""
    sample = content[:_SAMPLE]
    if len(sample) < 4 or len(content) % 2:
        return None
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if zeros.count(0) * 10 >= len(zeros) * 7:
            return encoding
    return None
