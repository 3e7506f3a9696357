"""PDF documents: read page by page, and written anew from what the pages show when something is to go."""

from __future__ import annotations

import io
import logging
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject, NullObject, StreamObject

from registry.documents.limits import MAX_PAGES, MAX_STREAM_BYTES, TOO_MUCH, Budget
from registry.documents.model import Canvas, Document, Place, Span, Unread
from registry.documents.pdf_broken import BROKEN
from registry.documents.pdf_edit import boxes, codes_of, edited
from registry.documents.pdf_images import PdfImages
from registry.documents.pdf_layout import write_page
from registry.documents.pdf_read import Matrix, PageContent, PageReader
from registry.documents.pdf_rest import end_of, is_dull, is_text, outside
from registry.documents.pdf_strings import all_objects, strings_of
from registry.documents.pdf_tokens import operations
from registry.documents.pdf_write import PdfWriter
from registry.documents.plain import PlainText
from registry.domain.errors import UnreadableDocument

_END = re.compile(rb"%%EOF\s{0,2}")
_MOST_VERSIONS = 8
_HIDDEN_FLAGS = 2 | 32  # Hidden, NoView. ISO 32000-1, table 165
_NOT_SHOWN = frozenset({"/Popup", "/Link"})
_BOXES = ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit")
_MEDIA = [0, 0, 612, 792]
_BESIDE: Place = (("part", "beside the pages"),)
# Cuts of images carry this and the image's number in place of a page's number.
_IMAGES = 1 << 32

Opener = Callable[[bytes, str], Document]

# It tells of broken files with their content in the words.
logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)


class PdfDocument:
    """A PDF."""

    def __init__(self, content: bytes, open_nested: Opener, budget: Budget) -> None:
        """Read it.

        Args:
            content: the file.
            open_nested: opens a file attached to it, given its name's end.
            budget: of the file that it is or stands in.

        Raises:
            UnreadableDocument: ``encrypted``, ``broken_pdf``, ``too_large``.
        """
        self._open_nested = open_nested
        self._budget = budget
        self._reader, self._pages = self._opened(content)
        self._page_reader = PageReader(self._data_of)
        self._images = PdfImages(budget)
        self._said: set[str] = set()
        self._shown: dict[int, StreamObject] = {}  # streams that pages show; kept, so that no id is used again
        self._canvas = Canvas()
        self._unread: list[Unread] = []
        for number, page in enumerate(self._pages, 1):
            self._canvas.at((("page", number),))
            self._read_page(number, page)
        self._read_beside(content)
        self._read_earlier(content)
        self.text = self._canvas.text()

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What was not read."""
        return tuple(self._unread)

    def places(self, spans: Sequence[Span]) -> list[Place]:
        """Name the page."""
        return self._canvas.places(spans)

    def redacted(self, spans: Sequence[Span]) -> bytes:
        """Write a new file of the pages alone.

        Attachments, comments, metadata, outlines, forms' values, scripts, earlier versions are in none.

        Raises:
            UnreadableDocument: ``undecodable_text``: a page shows glyphs that nobody can tell.
        """
        gone: dict[int, set[int]] = {}
        images: set[int] = set()
        for cut in self._canvas.cuts(spans):
            if cut.part >= _IMAGES:
                images |= self._images.streams(cut.part - _IMAGES)
            else:
                gone.setdefault(cut.part, set()).update(range(cut.start, cut.end))
        contents = [self._page(page) for page in self._pages]
        if any(not content.is_sure for content in contents):
            raise UnreadableDocument("undecodable_text")
        return _Copy(self, contents, gone, images).written()

    def is_read(self, image: StreamObject) -> bool:
        """Tell whether an image was looked at as one that a page shows."""
        return self._images.knows(image)

    def data_of(self, stream: StreamObject) -> bytes:
        """Unpack a stream within the limits."""
        return self._data_of(stream)

    @property
    def pages(self) -> Sequence[PageObject]:
        """The pages."""
        return self._pages

    def _opened(self, content: bytes) -> tuple[PdfReader, list[PageObject]]:
        try:
            reader = PdfReader(io.BytesIO(content), strict=False)
            if reader.is_encrypted:
                raise UnreadableDocument("encrypted")
            self._weigh(reader)
            pages: list[PageObject] = []
            for page in reader.pages:
                pages.append(page)
                if len(pages) > MAX_PAGES:
                    raise UnreadableDocument("too_large")
        except BROKEN:
            raise UnreadableDocument("broken_pdf") from None
        return reader, pages

    def _weigh(self, reader: PdfReader) -> None:
        """Unpack the streams that hold other objects once, for their size: the library keeps what it unpacks."""
        for number in sorted({stream for stream, _ in reader.xref_objStm.values()}):
            stream = found(IndirectObject(number, 0, reader))
            if not isinstance(stream, StreamObject):
                continue
            packing = found(stream.get("/Filter"))
            if isinstance(packing, ArrayObject) and len(packing) > 1:
                raise UnreadableDocument("broken_pdf")  # nobody packs twice but to hide how much it is
            unpacked = zlib.decompressobj().decompress(stream._data, MAX_STREAM_BYTES + 1) if packing else b""  # noqa: SLF001 - before the library unpacks and keeps it
            if len(unpacked) > MAX_STREAM_BYTES:
                raise UnreadableDocument("archive_too_large")
            self._budget.unpack(len(unpacked))

    def _data_of(self, stream: StreamObject) -> bytes:
        try:
            content = stream.get_data()
        except BROKEN:
            raise UnreadableDocument("broken_pdf") from None
        if len(content) > MAX_STREAM_BYTES:
            raise UnreadableDocument("archive_too_large")
        self._budget.unpack(len(content))
        return content

    def _page(self, page: PageObject) -> PageContent:
        try:
            return self._page_reader.read(
                self.content_of(page), resources_of(page), [one[:2] for one in overlays(page)]
            )
        except BROKEN:
            raise UnreadableDocument("broken_pdf") from None

    def content_of(self, page: PageObject) -> bytes:
        """Return a page's content, its streams joined."""
        contents = found(page.get("/Contents"))
        streams = contents if isinstance(contents, ArrayObject) else [contents]
        parts = [one for item in streams if isinstance(one := found(item), StreamObject)]
        self._shown |= {id(one): one for one in parts}
        return b"\n".join(map(self._data_of, parts))

    def _read_page(self, number: int, page: PageObject) -> None:
        content = self._page(page)
        self._shown |= content.streams
        place: Place = (("page", number),)
        write_page(self._canvas, content.glyphs, number)
        for text in content.hidden:
            self._canvas.gap(f"{text}\n")
        if not content.is_sure:
            self._unread.append(Unread("undecodable_text", place, may_hide=True))
        self._read_images(place, content)

    def _read_images(self, place: Place, content: PageContent) -> None:
        for shown in content.images:
            if shown.image is None:
                # Its data stands among the operations; programs write small ones so.
                self._unread.append(Unread("image", place, may_hide=True))
            elif (read := self._images.read(shown.image)) is not None:
                self._canvas.gap("\n")
                self._canvas.plain(read.text, _IMAGES + read.number, 0)
                self._canvas.gap("\n")
                self._unread += [Unread(one.what, (*place, *one.place), one.may_hide) for one in read.unread]
        if len(content.images) > 1 and not any(glyph.text.strip() for glyph in content.glyphs):
            # A scan in strips: a line may be parted between two of them.
            self._unread.append(Unread("image", place, may_hide=True))

    def _read_beside(self, content: bytes) -> None:
        self._canvas.at(_BESIDE)
        for value in (*all_objects(self._reader), self._reader.trailer):
            for text in strings_of(value):
                self._say(text)
            if isinstance(value, StreamObject) and id(value) not in self._shown and not is_dull(value):
                self._read_stream(value)
        for text in outside(content):
            self._canvas.gap(f"{text}\n")

    def _read_stream(self, stream: StreamObject) -> None:
        """Read a stream that no page shows: a form, a file attached, a script, whatever a program keeps."""
        if stream.get("/Subtype") == "/Form":
            self._canvas.gap(self._form_text(stream))
            return
        place: Place = (("part", "attached file"),)
        is_attached = stream.get("/Type") == "/EmbeddedFile"
        content = self._data_of(stream)
        self._canvas.at(place if is_attached else _BESIDE)
        try:
            document = self._open_nested(content, end_of(content))
        except UnreadableDocument as refused:
            if refused.code in TOO_MUCH:
                raise
            if is_attached or is_text(content):
                self._unread.append(Unread("embedded_object", place, may_hide=True))
            return
        if is_attached or is_text(content) or not isinstance(document, PlainText):
            self._canvas.gap(f"{document.text}\n")
            self._unread += document.unread

    def _form_text(self, form: StreamObject) -> str:
        resources = found(form.get("/Resources"))
        try:
            content = self._page_reader.read(
                self._data_of(form), resources if isinstance(resources, DictionaryObject) else DictionaryObject()
            )
        except BROKEN:
            raise UnreadableDocument("broken_pdf") from None
        shown = Canvas()
        write_page(shown, content.glyphs, 0)
        return "\n".join([shown.text(), *content.hidden, ""])

    def _read_earlier(self, content: bytes) -> None:
        """Read what earlier versions showed: a change that was only added behind leaves all of it in the file."""
        now = _squeezed(self._canvas.text())
        ends = [match.end() for match in _END.finditer(content)][:-1]
        for end in ends[-_MOST_VERSIONS:]:
            try:
                reader, pages = self._opened(content[:end])
            except UnreadableDocument:
                continue
            self._canvas.at((("part", "earlier version"),))
            for page in pages:
                earlier = Canvas()
                write_page(earlier, self._page(page).glyphs, 0)
                text = earlier.text()
                if _squeezed(text) not in now:
                    self._canvas.gap(text)
            for value in (*all_objects(reader), reader.trailer):
                for text in strings_of(value):
                    self._say(text)

    def _say(self, text: str) -> None:
        """Add a text that stands beside the pages, once."""
        if text not in self._said:
            self._said.add(text)
            self._canvas.gap(f"{text}\n")


class _Copy:
    """A new file of some pages without some of their glyphs."""

    def __init__(
        self, document: PdfDocument, contents: Sequence[PageContent], gone: dict[int, set[int]], images: set[int]
    ) -> None:
        self._document = document
        self._contents = contents
        self._gone = gone
        self._sources: list[frozenset[tuple[int, int, int, int]]] = [
            frozenset(_source(contents[number - 1], index) for index in gone.get(number, ()))
            for number in range(1, len(contents) + 1)
        ]
        # A form goes without a glyph wherever it is shown: it is the same value there.
        self._everywhere = frozenset(source for sources in self._sources for source in sources if source[0])
        self._streams = {key: number for number, content in enumerate(contents) for key in content.streams}
        # What stood above an image stands in it as well where that is a scan: the image goes with it.
        shown = [
            (number, image)
            for number, content in enumerate(contents, 1)
            for index in gone.get(number, ())
            for image in content.images
            if image.covers(content.glyphs[index])
        ]
        self._gone_images = images | {id(one.image) for _, one in shown if one.image is not None}
        # Of a page's own stream by the page's number, of a form's by its key.
        self._inline = {(one.stream or number, one.operation) for number, one in shown if one.image is None}
        self._writer = PdfWriter(self._form, self._is_gone)

    def written(self) -> bytes:
        writer = self._writer
        tree = writer.reserve()
        kids = [self._page(number, page, tree) for number, page in enumerate(self._document.pages)]
        writer.put(tree, b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids)))
        root = writer.reserve()
        writer.put(root, b"<</Type/Catalog/Pages %d 0 R>>" % tree)
        return writer.finished(root)

    def _page(self, number: int, page: PageObject, tree: int) -> int:
        content = self._contents[number]
        stream = self._document.content_of(page)
        codes = codes_of(content.glyphs, 0, self._sources[number])
        body = edited(stream, list(operations(stream)), codes, self._without(number + 1))
        shown, named = self._overlays(page)
        gone = [content.glyphs[index] for index in sorted(self._gone.get(number + 1, ()))]
        body = b"".join(
            (
                b"q\n" * (1 + content.closed_early),
                body,
                b"\nQ" * (1 + content.left_open),
                shown,
                b"\n",
                boxes(gone),
            )
        )
        resources = self._resources(resources_of(page), named)
        head = b"".join(self._box(page, key) for key in _BOXES)
        target = self._writer.reserve()
        stream_number = self._writer.stream(b"", body)
        self._writer.put(
            target,
            b"<</Type/Page/Parent %d 0 R%s/Contents %d 0 R/Resources%s>>" % (tree, head, stream_number, resources),
        )
        return target

    def _box(self, page: PageObject, key: str) -> bytes:
        value = _inherited(page, key)
        if value is None:
            return b"/MediaBox[0 0 612 792]" if key == "/MediaBox" else b""
        return key.encode() + b" " + self._writer.value(value, 1)

    def _resources(self, resources: DictionaryObject, named: Sequence[tuple[str, StreamObject]]) -> bytes:
        whole = DictionaryObject(resources)
        if named:
            shown = found(resources.get("/XObject"))
            forms = DictionaryObject(shown if isinstance(shown, DictionaryObject) else {})
            forms.update({NameObject(f"/{name}"): form for name, form in named})
            whole[NameObject("/XObject")] = forms
        return self._writer.dictionary(whole)

    def _overlays(self, page: PageObject) -> tuple[bytes, list[tuple[str, StreamObject]]]:
        """Paint what annotations showed as part of the page."""
        painted, named = b"", []
        for number, (matrix, form, _) in enumerate(overlays(page)):
            name = f"RegistryShown{number}"
            named.append((name, form))
            numbers = " ".join(f"{value:.5f}" for value in matrix)
            painted += f"\nq {numbers} cm /{name} Do Q".encode("ascii")
        return painted, named

    def _form(self, stream: StreamObject) -> bytes:
        """Return a form's content; of one that no page shows, nothing: it was not read."""
        number = self._streams.get(id(stream))
        if number is None:
            return b""
        content = self._document.data_of(stream)
        cuts = codes_of(self._contents[number].glyphs, id(stream), self._everywhere)
        return edited(content, list(operations(content)), cuts, self._without(id(stream)))

    def _without(self, stream: int) -> frozenset[int]:
        """Return the operations of a stream that show an image that goes."""
        return frozenset(operation for key, operation in self._inline if key == stream)

    def _is_gone(self, image: StreamObject) -> bool:
        # One that no page shows was not read, either.
        return id(image) in self._gone_images or not self._document.is_read(image)


def found(value: Any) -> Any:
    """Return what a value leads to; None for null."""
    target = value.get_object() if hasattr(value, "get_object") else value
    return None if isinstance(target, NullObject) else target


def resources_of(page: PageObject) -> DictionaryObject:
    """Return a page's resources, its own or inherited."""
    value = _inherited(page, "/Resources")
    return value if isinstance(value, DictionaryObject) else DictionaryObject()


def overlays(page: PageObject) -> Iterator[tuple[Matrix, StreamObject, str]]:
    """Yield what annotations show above a page: how it is placed, the form, the kind. ISO 32000-1, 12.5.5."""
    annotations = found(page.get("/Annots"))
    for item in annotations if isinstance(annotations, ArrayObject) else ():
        annotation = found(item)
        if not isinstance(annotation, DictionaryObject):
            continue
        kind = str(found(annotation.get("/Subtype")))
        flags = found(annotation.get("/F"))
        if kind in _NOT_SHOWN or (isinstance(flags, int) and flags & _HIDDEN_FLAGS):
            continue
        form = _appearance(annotation)
        area = _numbers(annotation.get("/Rect"), 4)
        if form is not None and area:
            yield _placed(form, area), form, kind


def _appearance(annotation: DictionaryObject) -> StreamObject | None:
    looks = found(annotation.get("/AP"))
    normal = found(looks.get("/N")) if isinstance(looks, DictionaryObject) else None
    if isinstance(normal, DictionaryObject) and not isinstance(normal, StreamObject):
        normal = found(normal.get(str(found(annotation.get("/AS")))))
    return normal if isinstance(normal, StreamObject) else None


def _placed(form: StreamObject, area: Sequence[float]) -> Matrix:
    box = _numbers(form.get("/BBox"), 4) or [0.0, 0.0, 1.0, 1.0]
    a, b, c, d, e, f = _numbers(form.get("/Matrix"), 6) or [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in (box[0], box[2]) for y in (box[1], box[3])]
    left, low = min(x for x, _ in corners), min(y for _, y in corners)
    width, height = max(x for x, _ in corners) - left, max(y for _, y in corners) - low
    x, y = min(area[0], area[2]), min(area[1], area[3])
    wide = abs(area[2] - area[0]) / width if width else 1.0
    high = abs(area[3] - area[1]) / height if height else 1.0
    return wide, 0.0, 0.0, high, x - left * wide, y - low * high


def _numbers(value: Any, count: int) -> list[float]:
    array = found(value)
    items = [found(item) for item in array] if isinstance(array, ArrayObject) else []
    plain = [float(item) for item in items if isinstance(item, int | float)]
    return plain if len(plain) == count else []


def _inherited(page: PageObject, key: str) -> Any:
    node: Any = page
    for _ in range(64):
        if not isinstance(node, DictionaryObject):
            return None
        if key in node:
            return found(node[key])
        node = found(node.get("/Parent"))
    return None


def _source(content: PageContent, index: int) -> tuple[int, int, int, int]:
    glyph = content.glyphs[index]
    return glyph.stream, glyph.operation, glyph.element, glyph.code


def _squeezed(text: str) -> str:
    return "".join(text.split())
