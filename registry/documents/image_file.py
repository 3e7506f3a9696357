"""An image, alone or inside of a document: the characters that it shows, and what it says beside its picture."""

from __future__ import annotations

from collections.abc import Sequence

from registry.documents.image_words import image_words
from registry.documents.images import blank, image_size
from registry.documents.limits import Budget
from registry.documents.model import Canvas, Place, Span, Unread
from registry.domain.errors import UnreadableDocument

# What was read by recognition may have been misread, and says so; nothing hides in it more than in any reading.
READ = Unread("image_read_by_ocr", (), may_hide=False)
_NOT_READ = Unread("image", (), may_hide=True)
_TOO_SMALL = Unread("image", (), may_hide=False)
_ONLY_FIRST = Unread("moving_image", (), may_hide=True)


class ImageDocument:
    """An image file."""

    def __init__(self, content: bytes, budget: Budget, *, is_whole: bool) -> None:
        """Read it.

        Args:
            content: the file; inside of a document it may be of any format.
            budget: of the file that it is or stands in.
            is_whole: it was sent by itself: what cannot be read is refused then, and otherwise told.

        Raises:
            UnreadableDocument: ``broken_image``; of a whole one ``ocr_unavailable``, ``too_large``, ``image_too_slow``.
        """
        self._content = content
        self._is_whole = is_whole
        self._unread: list[Unread] = []
        self._canvas = Canvas()
        self._add("picture", self._shown(budget))
        self._add("description", image_words(content))
        self.text = self._canvas.text()

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What was not read."""
        return tuple(self._unread)

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name the line of what it shows, or that it is said beside the picture."""
        places = self._canvas.places(spans)
        begins = [self.text.count("\n", 0, start) + 1 for start, _ in spans]
        return [
            (*place, ("line", line)) if place == (("part", "picture"),) else place
            for place, line in zip(places, begins, strict=True)
        ]

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Return an image that shows nothing when any of it is to go: nobody knows which pixels show a value.

        Raises:
            UnreadableDocument: ``image``: it is a document of its own, of which nothing would be left.
        """
        if not spans:
            return self._content
        if self._is_whole:
            raise UnreadableDocument("image")
        return blank(self._content)

    def _add(self, part: str, text: str) -> None:
        self._canvas.at((("part", part),))
        self._canvas.plain(text, 0, len(self._canvas))
        self._canvas.gap("\n")

    def _shown(self, budget: Budget) -> str:
        try:
            size = image_size(self._content)
        except UnreadableDocument as refused:
            return self._left(refused.code)
        if size.is_moving:
            self._unread.append(_ONLY_FIRST)
        if size.is_too_small:
            self._unread.append(_TOO_SMALL)
            return ""
        if budget.images is None:
            return self._left("ocr_unavailable")
        # By what its header says, before anything is unpacked: a bomb is small until somebody opens it.
        if not budget.picture(size.pixels):
            return self._left("too_large")
        try:
            text = budget.images.read(self._content)
        except UnreadableDocument as refused:
            return self._left(refused.code)
        self._unread.append(READ)
        return text

    def _left(self, code: str) -> str:
        if self._is_whole:
            raise UnreadableDocument(code)
        self._unread.append(_NOT_READ)
        return ""
