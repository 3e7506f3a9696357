"""How much of a document is read. A document beyond a limit is refused, never read in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.domain.errors import UnreadableDocument

if TYPE_CHECKING:
    from registry.documents.ocr import ImageReader

MAX_FILE_BYTES = 15 << 20
MAX_TEXT_CHARACTERS = 16 << 20
# Of a zip archive, unpacked. Office documents pack 5 to 20 times; what packs a thousand times is no document.
MAX_MEMBER_BYTES = 64 << 20
MAX_ARCHIVE_BYTES = 128 << 20
MAX_MEMBERS = 4_000
# A document in a mail in a mail. What lies deeper is refused.
MAX_DEPTH = 4
MAX_MAIL_PARTS = 500
MAX_MAILS = 5_000  # of one mailbox
MAX_XML_DEPTH = 400
MAX_CELLS = 1_500_000
MAX_PAGES = 3_000
MAX_STREAM_BYTES = 32 << 20  # of one stream of a PDF, unpacked
MAX_GLYPHS = 1_000_000  # of a PDF: some three hundred full pages
# Of everything in one file, documents inside of documents included: what is unpacked, and elements of XML.
MAX_UNPACKED_BYTES = 160 << 20
MAX_XML_ELEMENTS = 6_000_000
MAX_FORM_DEPTH = 12  # forms within forms of a PDF page
# Of one image, and of all images of one file that are read: a page scanned at 300 dots an inch has 8.7 million.
MAX_IMAGE_PIXELS = 50_000_000
MAX_FILE_PIXELS = 200_000_000
MAX_IMAGES = 200

# Codes of a document that is beyond a limit: it is refused as a whole, wherever in it that was found.
TOO_MUCH = frozenset({"too_large", "archive_too_large", "nested_too_deep", "xml_too_deep"})


class Budget:
    """What reading one file may cost, shared by all documents inside of it."""

    def __init__(self, images: ImageReader | None = None) -> None:
        """Begin a file.

        Args:
            images: reads what images show; None where nothing does.
        """
        self.images = images
        self._bytes = MAX_UNPACKED_BYTES
        self._elements = MAX_XML_ELEMENTS
        self._pixels = MAX_FILE_PIXELS
        self._images = MAX_IMAGES

    def unpack(self, count: int) -> None:
        """Take bytes that were unpacked.

        Raises:
            UnreadableDocument: ``archive_too_large``: none are left.
        """
        self._bytes -= count
        if self._bytes < 0:
            raise UnreadableDocument("archive_too_large")

    def has_room(self, pixels: int) -> bool:
        """Tell whether an image of this size can still be read."""
        return self.images is not None and pixels <= min(MAX_IMAGE_PIXELS, self._pixels) and self._images > 0

    def picture(self, pixels: int) -> bool:
        """Take an image; False when it is too large, or too many were read: it is left unread, and that is told."""
        if not self.has_room(pixels):
            return False
        self._pixels -= pixels
        self._images -= 1
        return True

    def element(self) -> None:
        """Take one element of XML.

        Raises:
            UnreadableDocument: ``too_large``: none are left.
        """
        self._elements -= 1
        if self._elements < 0:
            raise UnreadableDocument("too_large")
