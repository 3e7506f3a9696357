"""Which format a file has, told by its content first, and opened as that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from registry.documents.archive import ReadOnly, read_archive
from registry.documents.as_json import JsonText
from registry.documents.content_lines import is_content_lines, read_content_lines
from registry.documents.html_page import HtmlPage
from registry.documents.image_file import ImageDocument
from registry.documents.images import ENDS, image_kind
from registry.documents.limits import MAX_DEPTH, MAX_FILE_BYTES, Budget
from registry.documents.mail import MailMessage
from registry.documents.mailbox import is_coded_mail, is_mailbox, read_mailbox
from registry.documents.model import Document
from registry.documents.ocr import ImageReader
from registry.documents.office import OfficeDocument
from registry.documents.open_document_text import read_open_document
from registry.documents.package import Package
from registry.documents.pdf import PdfDocument
from registry.documents.plain import DelimitedText, PlainText
from registry.documents.rtf import HEAD, read_rtf
from registry.documents.workbook import Workbook
from registry.domain.errors import UnreadableDocument

# Format -> the media types and ends of names by which it is known.
FORMATS = {
    "txt": (("text/plain",), (".txt", ".text", ".log", ".md")),
    "csv": (("text/csv", "application/csv"), (".csv",)),
    "tsv": (("text/tab-separated-values",), (".tsv", ".tab")),
    "html": (("text/html", "application/xhtml+xml", "image/svg+xml"), (".html", ".htm", ".xhtml", ".svg")),
    "eml": (("message/rfc822",), (".eml", ".mht", ".mhtml")),
    "mbox": (("application/mbox",), (".mbox", ".mbx")),
    "vcf": (
        ("text/vcard", "text/x-vcard", "text/directory", "text/calendar", "text/x-vcalendar"),
        (".vcf", ".vcard", ".ics", ".vcs"),
    ),
    "json": (("application/json", "application/x-ndjson", "application/jsonl"), (".json", ".ndjson", ".jsonl")),
    "xlsx": (
        (
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "application/vnd.ms-excel.sheet.macroenabled.12",
        ),
        (".xlsx", ".xlsm"),
    ),
    "docx": (
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.ms-word.document.macroenabled.12",
        ),
        (".docx", ".docm"),
    ),
    "pptx": (
        (
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.ms-powerpoint.presentation.macroenabled.12",
        ),
        (".pptx", ".pptm", ".ppsx"),
    ),
    "odt": (("application/vnd.oasis.opendocument.text",), (".odt", ".ott")),
    "ods": (("application/vnd.oasis.opendocument.spreadsheet",), (".ods", ".ots")),
    "odp": (("application/vnd.oasis.opendocument.presentation",), (".odp", ".otp", ".odg")),
    "rtf": (("application/rtf", "text/rtf"), (".rtf",)),
    "zip": (("application/zip", "application/x-zip-compressed"), (".zip",)),
    "pdf": (("application/pdf",), (".pdf",)),
    "png": (("image/png",), (".png",)),
    "jpeg": (("image/jpeg", "image/jpg"), (".jpg", ".jpeg")),
    "tiff": (("image/tiff",), (".tif", ".tiff")),
    "gif": (("image/gif",), (".gif",)),
    "bmp": (("image/bmp", "image/x-ms-bmp"), (".bmp",)),
}
# Of these there is no copy: what they show is read, and nothing is painted over.
IMAGES = frozenset({"png", "jpeg", "tiff", "gif", "bmp"})
MEDIA_TYPES = {name: types[0] for name, (types, _) in FORMATS.items()}
_BY_TYPE = {media_type: name for name, (types, _) in FORMATS.items() for media_type in types}
_BY_END = {end: name for name, (_, ends) in FORMATS.items() for end in ends}
_OPEN = {types[0]: name for name, (types, _) in FORMATS.items() if name in {"odt", "ods", "odp"}}
_TEXTS = frozenset({"txt", "csv", "tsv", "html", "eml", "mbox", "vcf", "json"})

# What a file is when it does not begin as its name or type says.
_ZIPPED = ("xlsx", "docx", "pptx", "odt", "ods", "odp", "zip")
_BROKEN = {
    "pdf": "broken_pdf",
    "rtf": "broken_rtf",
    **dict.fromkeys(_ZIPPED, "broken_archive"),
    **dict.fromkeys(IMAGES, "broken_image"),
}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLD_OFFICE = bytes.fromhex("d0cf11e0a1b11ae1")
_PDF_WITHIN = 1024
_OTHERS = (
    *(b"\x1f\x8b", b"BZh", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"),
    *(b"%!PS", b"\x7fELF", b"MZ\x90", b"SQLite format 3\0"),
)


def format_of(content: bytes, media_type: str = "", name: str = "") -> str:
    """Tell a file's format: by its content; among texts by what somebody says it is.

    Args:
        content: the file.
        media_type: as somebody says, without parameters; "" when nobody does.
        name: of the file, or its end.

    Raises:
        UnreadableDocument: ``unsupported_format``; ``encrypted`` or ``old_office`` for what only looks like one.
    """
    said = _BY_TYPE.get(media_type.lower()) or _BY_END.get(_end_of(name), "")
    if kind := _by_beginning(content, said):
        return kind
    if said in _BROKEN:
        raise UnreadableDocument(_BROKEN[said])
    if said in _MAY_BE_MAIL and (told := _told_text(content)):
        return told
    if said:
        return said
    if media_type and not media_type.startswith("text/") and media_type not in _UNTOLD:
        raise UnreadableDocument("unsupported_format")
    if _end_of(name) and not media_type:
        raise UnreadableDocument("unsupported_format")
    return "txt"


def _by_beginning(content: bytes, said: str) -> str:
    """Tell a format that has a beginning of its own; "" where it has none."""
    if content.startswith(_ZIP):
        return _office_format(content)
    if content.startswith(b"%PDF-") or (b"%PDF-" in content[:_PDF_WITHIN] and said not in _TEXTS):
        return "pdf"
    if content.startswith(_OLD_OFFICE):
        # A protected .docx is of this form, too; and so are files of Office before 2007.
        raise UnreadableDocument("encrypted" if b"E\0n\0c\0r\0y\0p\0t\0" in content else "old_office")
    if content.startswith(_OTHERS):
        raise UnreadableDocument("unsupported_format")
    return "rtf" if content.startswith(HEAD) else image_kind(content)


# What somebody says of a file that may be mail or cards as well.
_MAY_BE_MAIL = frozenset({"", "txt", "eml", "mbox", "vcf"})
_UNTOLD = frozenset({"application/octet-stream", "application/x-www-form-urlencoded"})


def open_document(content: bytes, form: str, images: ImageReader | None = None) -> Document:
    """Read a document.

    Args:
        content: the file.
        form: one of ``FORMATS``.
        images: reads what images show; None where nothing does: images inside of documents are left then, and told.

    Raises:
        UnreadableDocument: with a code that says why; ``ocr_unavailable`` for an image that nothing can read.
    """
    return _Opening(Budget(images), "", 0).open(content, form)


@dataclass(frozen=True, slots=True)
class _Opening:
    """What is known of a document beside its content.

    Attributes:
        budget: of the whole file.
        declared: the encoding that somebody named; "" when nobody did.
        depth: how many documents it is inside of.
    """

    budget: Budget
    declared: str
    depth: int

    def open(self, content: bytes, form: str) -> Document:
        """Read it."""
        if self.depth > MAX_DEPTH:
            raise UnreadableDocument("nested_too_deep")
        if len(content) > MAX_FILE_BYTES:
            raise UnreadableDocument("too_large")
        return _OPENERS[form](content, self)

    def nested(self, inside: bytes, end: str) -> Document:
        """Open a document inside of this one, whose name ends so; an image even when it is of no kind that is known."""
        if end in ENDS:
            return _Opening(self.budget, "", self.depth + 1).open(inside, "png")
        return _Opening(self.budget, "", self.depth + 1).open(inside, format_of(inside, name=end))

    def member(self, inside: bytes, end: str) -> Document:
        """Open a member of an archive; one whose name says nothing is told by its content alone."""
        try:
            return self.nested(inside, end)
        except UnreadableDocument as refused:
            if refused.code != "unsupported_format" or end in _BY_END:
                raise
            return self.nested(inside, "")

    def mail(self, inside: bytes, form: str) -> Document:
        """Open one of many mails, or what stands in the place of one."""
        return _Opening(self.budget, "", self.depth + 1).open(inside, form)

    def inner(self, document: ReadOnly) -> ReadOnly:
        """Say whether the document stands within another one."""
        document.is_whole = not self.depth
        return document

    def part(self, inside: bytes, media_type: str, name: str, charset: str | None) -> Document:
        """Open a part of this mail."""
        form = _part_format(inside, media_type, name)
        return _Opening(self.budget, charset or "", self.depth + 1).open(inside, form)


_OPENERS: Mapping[str, Callable[[bytes, _Opening], Document]] = {
    **{kind: lambda content, one: ImageDocument(content, one.budget, is_whole=not one.depth) for kind in IMAGES},
    "pdf": lambda content, one: PdfDocument(content, one.nested, one.budget),
    "xlsx": lambda content, one: Workbook(Package(content, one.budget), one.nested),
    "docx": lambda content, one: OfficeDocument(Package(content, one.budget), one.nested),
    "pptx": lambda content, one: one.inner(_presentation(content, one)),
    **dict.fromkeys(
        ("odt", "ods", "odp"),
        lambda content, one: one.inner(read_open_document(content, Package(content, one.budget), one.nested)),
    ),
    "rtf": lambda content, one: one.inner(read_rtf(content)),
    "zip": lambda content, one: one.inner(read_archive(content, Package(content, one.budget), one.member)),
    "eml": lambda content, one: MailMessage(content, one.part),
    "mbox": lambda content, one: one.inner(read_mailbox(content, one.mail)),
    "vcf": lambda content, one: one.inner(read_content_lines(content, one.nested)),
    "html": lambda content, one: HtmlPage(content, one.part, one.declared),
    "json": lambda content, _: JsonText(content),
    "csv": lambda content, _: DelimitedText(content),
    "tsv": lambda content, _: DelimitedText(content, "\t"),
    "txt": lambda content, one: PlainText(content, one.declared),
}


def _presentation(content: bytes, one: _Opening) -> ReadOnly:
    document = OfficeDocument(Package(content, one.budget), one.nested)
    return ReadOnly(document.canvas, document.unread, content)


def _told_text(content: bytes) -> str:
    """Tell mail and cards among texts, whatever they are called: read as a text, they hide their words."""
    if is_mailbox(content):
        return "mbox"
    if is_coded_mail(content):
        return "eml"
    return "vcf" if is_content_lines(content) else ""


def _part_format(content: bytes, media_type: str, name: str) -> str:
    """Tell the format of a part of a mail or page; a name says more than a type that says nothing."""
    if media_type.startswith("image/") and media_type not in _BY_TYPE:
        return "png"
    if media_type in _BY_TYPE and media_type != "text/plain":
        return format_of(content, media_type, name)
    if _end_of(name) in _BY_END:
        return format_of(content, name=name)
    return format_of(content, media_type, name)


def _office_format(content: bytes) -> str:
    package = Package(content, Budget())
    names = package.names
    if "xl/workbook.xml" in names:
        return "xlsx"
    if any(one.startswith("word/") and one.endswith(".xml") for one in names):
        return "docx"
    if any(one.startswith("ppt/") and one.endswith(".xml") for one in names):
        return "pptx"
    if "mimetype" in names and "content.xml" in names:
        return _OPEN.get(package.read("mimetype").decode("latin-1").strip().removesuffix("-template"), "odt")
    return "zip"


def _end_of(name: str) -> str:
    _, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot else ""
