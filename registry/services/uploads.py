"""Documents that somebody sends to be looked through: opened in memory, two at a time in one process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from registry.documents.formats import format_of, open_document
from registry.documents.model import Document
from registry.documents.ocr import ImageReader
from registry.domain.errors import Busy

# Reading a document is work for a processor, and takes memory many times its size.
_TURNS = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it was sent; the name and the type only help to tell texts apart.

    Attributes:
        content: the file.
        name: as its sender calls it; never kept.
        media_type: as its sender says; "" when not.
    """

    content: bytes = field(repr=False)
    name: str = field(default="", repr=False)
    media_type: str = field(default="", repr=False)

    @property
    def form(self) -> str:
        """The format.

        Raises:
            UnreadableDocument: it is none that is read.
        """
        return format_of(self.content, self.media_type, self.name)

    def open(self, images: ImageReader | None = None) -> Document:
        """Read it; within a turn.

        Args:
            images: reads what images show; None where nothing does.

        Raises:
            UnreadableDocument: with a code that says why.
        """
        return open_document(self.content, self.form, images)


@contextmanager
def turn() -> Iterator[None]:
    """Take one of the turns.

    Raises:
        Busy: all are taken.
    """
    if not _TURNS.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        _TURNS.release()
