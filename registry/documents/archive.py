"""Documents of which no copy is made; among them zip archives, whose members are opened one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from registry.documents.limits import TOO_MUCH
from registry.documents.model import Canvas, Document, Place, Span, Unread
from registry.documents.package import Package
from registry.domain.errors import UnreadableDocument

# Opens a document of the archive, given its content and the end of its name.
Opener = Callable[[bytes, str], Document]


class ReadOnly:
    """A document of which no copy without some of its text is made."""

    def __init__(self, canvas: Canvas, unread: Sequence[Unread], content: bytes) -> None:
        """Take what was read.

        Args:
            canvas: its text.
            unread: what was not read.
            content: the file.
        """
        self.text = canvas.text()
        self.unread = tuple(unread)
        self.is_whole = True  # sent by itself: not within another document
        self._canvas = canvas
        self._content = content

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name the part."""
        return self._canvas.places(spans)

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Return it where nothing is to go; within another document it goes as a whole.

        Raises:
            UnreadableDocument: ``no_copy``: it is a document of its own, of which nothing would be left.
        """
        if not spans:
            return self._content
        if self.is_whole:
            raise UnreadableDocument("no_copy")
        return b""


def read_archive(content: bytes, package: Package, open_nested: Opener) -> ReadOnly:
    """Read all documents of an archive.

    Args:
        content: the archive.
        package: its members.
        open_nested: opens one of them.

    Raises:
        UnreadableDocument: one of them, or all together, are beyond a limit.
    """
    canvas, unread = Canvas(), list[Unread]()
    for number, name in enumerate(package.names, 1):
        place: Place = (("member", number),)
        canvas.at(place)
        canvas.gap(f"{name}\n")
        try:
            document = open_nested(package.read(name), _end_of(name))
        except UnreadableDocument as refused:
            if refused.code in TOO_MUCH:
                raise
            what = "encrypted_part" if refused.code == "encrypted" else "embedded_object"
            unread.append(Unread(what, place, may_hide=True))
            continue
        canvas.plain(document.text, number, 0)
        canvas.gap("\n")
        unread += [Unread(one.what, (*place, *one.place), one.may_hide) for one in document.unread]
    canvas.at((("part", "comments"),))
    canvas.gap("".join(f"{comment}\n" for comment in package.comments))
    return ReadOnly(canvas, unread, content)


def _end_of(name: str) -> str:
    _, dot, end = name.rpartition("/")[2].rpartition(".")
    return f".{end.lower()}" if dot else ""
