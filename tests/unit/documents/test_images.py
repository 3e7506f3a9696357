"""Images, alone and inside of documents: what they show and say is read, and goes; what is not read is told."""

from __future__ import annotations

import base64
import html
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import typst

from registry.documents import limits, ocr
from registry.documents.formats import format_of, open_document
from registry.documents.image_words import image_words
from registry.documents.images import _BLANKS, ImageSize, blank, image_kind, image_size, png_chunks, png_of, tiff_pages
from registry.documents.model import Document
from registry.documents.ocr import Tesseract, remembered
from registry.domain.errors import UnreadableDocument
from tests.unit.documents.making import NAME, PHONE, SSN, docx, holds, line, mail, members, paragraph, pdf, stream, xlsx
from tests.unit.documents.test_texts import spans_of

TESSERACT = Tesseract.installed()
needs_tesseract = pytest.mark.skipif(TESSERACT is None, reason="tesseract is not installed")
GREY = png_of((64, 32, 8, 0), (b"\0" + b"\x80" * 64) * 32)


@dataclass
class Says:
    """Reads the same text off every image, and remembers what it was given."""

    text: str = f"SSN {SSN} of {NAME}"
    given: list[bytes] = field(default_factory=list)

    def read(self, content: bytes) -> str:
        self.given.append(content)
        return self.text


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def with_chunk(name: bytes, content: bytes) -> bytes:
    return GREY[:33] + chunk(name, content) + GREY[33:]


def picture(text: str, turned: int = 0, size: int = 14) -> bytes:
    page = "#set page(width:auto,height:auto,margin:20pt)\n#set text(size:%dpt)\n#rotate(%ddeg, reflow: true)[%s]"
    return bytes(typst.compile((page % (size, turned, text)).encode(), format="png", ppi=150.0))


def opened(content: bytes, name: str, reader: ocr.ImageReader | None = None) -> Document:
    return open_document(content, format_of(content, name=name), reader)


def shown(width: int, height: int, data: bytes, more: str = "/ColorSpace/DeviceGray/BitsPerComponent 8") -> bytes:
    head = f"/Type/XObject/Subtype/Image/Width {width}/Height {height}{more}"
    return stream(data, head.encode())


def scanned(image: bytes, content: str = "q 500 0 0 250 50 400 cm /I Do Q", *more: bytes) -> bytes:
    page = "/Resources<</XObject<</I 20 0 R>>/Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    return pdf(content, objects=[image, *more], page=page).replace(b"/Resources 3 0 R", b"")


def data(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


HOLDING = {
    "a.docx": docx(paragraph("kept"), word_0_media_0_image1__png=GREY),
    "a.xlsx": xlsx(["<row r='1'><c t='inlineStr'><is><t>kept</t></is></c></row>"], xl_0_media_0_image1__png=GREY),
    "a.eml": mail("kept", attached=[("scan.png", "image/png", GREY)]),
    "a.html": f"<p>kept<img src='{data('image/png', GREY)}'></p>".encode(),
    "b.html": f"<style>p {{ background: url({data('image/png', GREY)}) }}</style><p>kept</p>".encode(),
    "a.pdf": scanned(shown(64, 32, b"\x80" * 2048), f"{line('kept', 100)} q 500 0 0 250 50 400 cm /I Do Q"),
}


@pytest.mark.parametrize("name", HOLDING)
def test_an_image_that_shows_a_value_goes_from_the_copy(name: str) -> None:
    reader = Says()
    document = opened(HOLDING[name], name, reader)
    assert SSN in document.text
    assert [(one.what, one.may_hide) for one in document.unread] == [("image_read_by_ocr", False)]
    copy = document.redacted(spans_of(document, SSN))
    left = Says()
    again = opened(copy, name, left)
    assert "kept" in again.text
    assert left.given == []  # nothing that shows anything is left: what stands there is too small to be read
    assert not any(one.may_hide for one in again.unread)
    assert zlib.compress(b"\x80" * 2048) not in copy
    assert base64.b64encode(GREY) not in copy.replace(b"\r\n", b"")


@pytest.mark.parametrize("name", HOLDING)
def test_without_a_reader_an_image_is_told_and_may_hide(name: str) -> None:
    document = opened(HOLDING[name], name)
    assert [(one.what, one.may_hide) for one in document.unread] == [("image", True)]
    assert all(one.place for one in document.unread) or name.endswith("html")


def test_an_image_by_itself_is_refused_without_a_reader_and_has_no_copy() -> None:
    with pytest.raises(UnreadableDocument) as refused:
        opened(GREY, "a.png")
    assert refused.value.code == "ocr_unavailable"
    document = opened(GREY, "a.png", Says(f"one\n{SSN}"))
    spans = spans_of(document, SSN)
    assert document.places(spans) == [(("part", "picture"), ("line", 2))]
    with pytest.raises(UnreadableDocument) as kept:
        document.redacted(spans)
    assert kept.value.code == "image"
    assert document.redacted([]) == GREY


def test_an_image_is_read_once_for_a_document_and_its_copy() -> None:
    reader = Says()
    once = remembered(reader)
    content = docx(paragraph("x"), word_0_media_0_image1__png=GREY, word_0_media_0_image2__png=GREY)
    assert opened(content, "a.docx", once).text.count(SSN) == 2
    opened(content, "a.docx", once)
    assert len(reader.given) == 1
    assert remembered(None) is None


@pytest.mark.parametrize("kind", sorted(_BLANKS))
def test_what_stands_in_the_place_of_an_image_is_one_and_shows_nothing(kind: str) -> None:
    content = _BLANKS[kind]
    assert image_kind(content) == kind
    assert blank(content) == content
    assert image_size(content).is_too_small
    if TESSERACT is not None:
        assert TESSERACT.read(content).strip() == ""


@pytest.mark.parametrize(
    ("content", "pixels"),
    [
        (png_of((60_000, 60_000, 1, 0), b""), 3_600_000_000),
        (b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + bytes(20), 65_535**2),
        (b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x01\0\0;", 65_535**2),
        (b"BM" + struct.pack("<IHHIIiiHHI", 50, 0, 0, 54, 40, 60_000, -60_000, 1, 24, 0).ljust(48, b"\0"), 60_000**2),
        (
            b"II*\0" + struct.pack("<IHHHIIHHIII", 8, 2, 256, 4, 1, 60_000, 257, 4, 1, 60_000, 0),
            60_000**2,
        ),
    ],
    ids=["png", "jpeg", "gif", "bmp", "tiff"],
)
def test_a_bomb_is_told_by_its_header_and_never_given_to_anybody(content: bytes, pixels: int) -> None:
    assert image_size(content).pixels == pixels
    reader = Says()
    with pytest.raises(UnreadableDocument) as refused:
        opened(content, "a", reader)
    assert refused.value.code == "too_large"
    inside = opened(docx(paragraph("x"), word_0_media_0_image1__png=content), "a.docx", reader)
    assert [(one.what, one.may_hide) for one in inside.unread] == [("image", True)]
    assert reader.given == []


def test_all_images_of_a_file_share_what_may_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {f"word_0_media_0_image{number}__png": GREY + bytes([number]) for number in range(5)}
    monkeypatch.setattr(limits, "MAX_FILE_PIXELS", 3 * 64 * 32)
    reader = Says()
    document = opened(docx(paragraph("x"), **many), "a.docx", reader)
    assert len(reader.given) == 3
    assert [one.may_hide for one in document.unread].count(True) == 2
    monkeypatch.setattr(limits, "MAX_IMAGES", 1)
    opened(docx(paragraph("x"), **many), "a.docx", counted := Says())
    assert len(counted.given) == 1


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG", b"\xff\xd8\xff\xe0", b"GIF89a", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff", b"\xff\xd8\xff\xda\0\2"],
)
def test_what_is_no_whole_image_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        image_size(content)
    assert refused.value.code == "broken_image"
    document = opened(docx(paragraph("x"), word_0_media_0_image1__png=content), "a.docx", Says())
    assert [(one.what, one.may_hide) for one in document.unread] == [("image", True)]


def test_a_tiff_whose_pages_go_in_a_circle_is_refused() -> None:
    page = struct.pack("<HHHIIHHIII", 2, 256, 4, 1, 40, 257, 4, 1, 40, 8)
    with pytest.raises(UnreadableDocument):
        image_size(b"II*\0" + struct.pack("<I", 8) + page)


def moving() -> bytes:
    frame = b",\0\0\0\0\x40\0\x20\0\0\x02\x02D\x01\0"
    return b"GIF89a\x40\0\x20\0\x80\0\0" + bytes(6) + frame + frame + b";"


@pytest.mark.parametrize("content", [moving(), with_chunk(b"acTL", bytes(8))], ids=["gif", "png"])
def test_of_a_moving_image_the_first_picture_is_read_and_the_others_told(content: bytes) -> None:
    document = opened(docx(paragraph("x"), word_0_media_0_image1__png=content), "a.docx", Says())
    assert {(one.what, one.may_hide) for one in document.unread} == {
        ("image_read_by_ocr", False),
        ("moving_image", True),
    }


SAID = f"called {SSN}"
DESCRIBED = {
    "text": with_chunk(b"tEXt", f"Comment\0{SAID}".encode()),
    "packed": with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(SAID.encode())),
    "international": with_chunk(b"iTXt", b"Comment\0\x01\0en\0\0" + zlib.compress(SAID.encode())),
    "behind": GREY + SAID.encode(),
    "wide": GREY + SAID.encode("utf-16-le"),
    "jpeg comment": _BLANKS["jpeg"][:2]
    + b"\xff\xfe"
    + struct.pack(">H", len(SAID) + 2)
    + SAID.encode()
    + _BLANKS["jpeg"][2:],
    "jpeg behind": _BLANKS["jpeg"] + SAID.encode(),
    "gif comment": _BLANKS["gif"][:-1] + b"!\xfe" + bytes([len(SAID)]) + SAID.encode() + b"\0;",
    "tiff": b"II*\0"
    + struct.pack("<IHHHIIHHIIHHIII", 8, 3, 256, 4, 1, 4, 257, 4, 1, 4, 270, 2, len(SAID), 50, 0)
    + SAID.encode(),
    "metafile": b"\x01\0\0\0" + bytes(60) + SAID.encode("utf-16-le"),
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_what_an_image_says_beside_its_picture_is_read_and_goes_with_it(name: str) -> None:
    assert SAID in image_words(DESCRIBED[name])
    content = docx(paragraph("kept"), word_0_media_0_image1__emf=DESCRIBED[name])
    document = opened(content, "a.docx")
    copy = document.redacted(spans_of(document, SSN))
    assert not holds(copy, SSN)
    assert members(copy)["word/media/image1.emf"] == blank(DESCRIBED[name])


def test_the_inside_of_an_address_is_read_as_its_own_format() -> None:
    inner = f"<p>{SSN[:6]}<b>{SSN[6:]}</b></p>".encode()
    page = (
        f'<a href="{data("text/html", inner)}">x</a><iframe srcdoc="{html.escape(inner.decode())}"></iframe>'
        f'<object data="data:text/plain,{SSN.replace("-", "%2d")}"></object><p>kept</p>'
    )
    document = opened(page.encode(), "a.html")
    assert document.text.count(SSN) == 3
    copy = document.redacted(spans_of(document, SSN))
    assert SSN not in opened(copy, "a.html").text
    assert b"kept" in copy
    assert base64.b64encode(inner) not in copy


def test_what_cannot_be_opened_in_an_address_is_told_and_goes() -> None:
    page = (
        f'<embed src="{data("application/zip", b"PK" + SSN.encode())}"><img src="data:image/png;base64,@@"><p>kept</p>'
    )
    document = opened(page.encode(), "a.html")
    assert [(one.what, one.may_hide) for one in document.unread] == [("embedded_object", True)] * 2
    copy = document.redacted([])
    assert b"application/zip" not in copy
    assert b"kept" in copy


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (shown(8, 2, bytes(range(16))), [bytes(range(8)), bytes(range(8, 16))]),
        (shown(8, 1, b"\x0f", "/ImageMask true"), [b"\x0f"]),
        (shown(8, 1, b"\x0f", "/ImageMask true/Decode[1 0]"), [b"\xf0"]),
        (shown(2, 1, bytes(6), "/ColorSpace/DeviceRGB/BitsPerComponent 8"), [bytes(6)]),
        (shown(2, 1, bytes([0, 0, 0, 255, 0, 0, 0, 0]), "/ColorSpace/DeviceCMYK/BitsPerComponent 8"), [b"\0\xff"]),
        (shown(2, 1, b"\0\xff", "/ColorSpace[/Separation/Black/DeviceGray null]/BitsPerComponent 8"), [b"\xff\0"]),
        (shown(2, 1, b"\0\1", "/ColorSpace[/Indexed/DeviceRGB 1<000000ffffff>]/BitsPerComponent 8"), [b"\0\1"]),
        (shown(4, 1, b"\1\2", "/ColorSpace/DeviceGray/BitsPerComponent 8"), [b"\1\2\0\0"]),
    ],
    ids=["grey", "mask", "turned mask", "colour", "inks", "one ink", "palette", "cut short"],
)
def test_samples_of_a_pdf_become_an_image(image: bytes, expected: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageSize, "is_too_small", property(lambda _: False))
    reader = Says()
    opened(scanned(image), "a.pdf", reader)
    (png,) = reader.given
    packed = png[png.index(b"IDAT") + 4 :]
    rows = zlib.decompressobj().decompress(packed)
    stride = len(expected[0]) + 1
    assert [rows[at + 1 : at + stride] for at in range(0, len(rows), stride)] == expected
    assert png.count(b"PLTE") == (b"Indexed" in image)


def test_a_jpeg_in_a_pdf_is_given_as_it_is_and_others_are_told() -> None:
    jpeg = _BLANKS["jpeg"].replace(struct.pack(">HH", 8, 8), struct.pack(">HH", 64, 64))
    head = b"<</Type/XObject/Subtype/Image/Width 64/Height 64/Filter/%s/Length %d>>\nstream\n%s\nendstream"
    reader = Says()
    assert SSN in opened(scanned(head % (b"DCTDecode", len(jpeg), jpeg)), "a.pdf", reader).text
    assert reader.given == [jpeg]
    other = opened(scanned(head % (b"JPXDecode", len(jpeg), jpeg)), "a.pdf", reader)
    assert [(one.what, one.may_hide) for one in other.unread] == [("image", True)]


class SaysOfTheMask(Says):
    """Reads nothing off the image itself."""

    def read(self, content: bytes) -> str:
        super().read(content)
        return self.text if len(self.given) == 2 else ""


def test_a_value_in_a_mask_takes_the_image_with_it() -> None:
    mask = shown(64, 32, b"\x81" * 2048)
    image = shown(64, 32, bytes(2048), "/ColorSpace/DeviceGray/BitsPerComponent 8/SMask 21 0 R")
    document = opened(scanned(image, "q 500 0 0 250 50 400 cm /I Do Q", mask), "a.pdf", SaysOfTheMask())
    copy = document.redacted(spans_of(document, SSN))
    assert zlib.compress(b"\x81" * 2048) not in copy
    assert b"/SMask" not in copy


def test_the_scan_under_a_line_that_goes_goes_too() -> None:
    # A scanner lays what it recognised, unseen, above its picture; the picture is not read here.
    unseen = "BT 3 Tr /F1 12 Tf 72 500 Td (%s) Tj ET"
    inline = "q 500 0 0 250 50 400 cm BI /W 2 /H 2 /BPC 8 /CS /G ID qrst EI Q"
    picture_ = "q 500 0 0 250 50 400 cm /I Do Q"
    image = shown(64, 32, b"\x80" * 2048)
    for page, mark in ((picture_, zlib.compress(b"\x80" * 2048)), (inline, b"qrst")):
        document = opened(scanned(image, f"{page} {unseen % SSN} {line('kept', 100)}"), "a.pdf")
        spans = spans_of(document, SSN)
        copy = document.redacted(spans)
        assert not holds(copy, "qrst")
        assert mark not in copy
        assert "kept" in opened(copy, "a.pdf").text
    aside = opened(scanned(image, f"{picture_} {line(SSN, 100)}"), "a.pdf")
    assert zlib.compress(b"\x80" * 2048) in aside.redacted(spans_of(aside, SSN))


def test_an_image_that_no_page_shows_is_in_no_copy() -> None:
    document = opened(scanned(shown(64, 32, b"\x80" * 2048), line("kept")), "a.pdf")
    assert zlib.compress(b"\x80" * 2048) not in document.redacted([])


def test_a_scan_in_strips_may_hide_a_line_between_two() -> None:
    strips = "q 500 0 0 100 50 500 cm /I Do Q q 500 0 0 100 50 400 cm /I Do Q"
    document = opened(scanned(shown(64, 32, b"\x80" * 2048), strips), "a.pdf", Says("nothing"))
    assert any(one.may_hide for one in document.unread)


@needs_tesseract
@pytest.mark.parametrize("turned", [0, 90, 180])
def test_characters_are_read_off_an_image(turned: int) -> None:
    lines = f"Call {NAME} at {PHONE} today, please.\\ The front desk of the city hall is open from nine to five.\\ " * 3
    text = opened(picture(lines, turned), "a.png", TESSERACT).text
    assert text.count(PHONE) == 3


def grey(content: bytes) -> tuple[int, int, bytes]:
    """Unpack a PNG of the typesetter (four samples, eight bits each) to width, height and its greens."""
    size = image_size(content)
    packed = b"".join(part for name, part in png_chunks(content) if name == b"IDAT")
    rows, stride = zlib.decompress(packed), size.width * 4
    above, plain = bytearray(stride), bytearray()
    for at in range(0, len(rows), stride + 1):
        row = bytearray(rows[at + 1 : at + 1 + stride])
        for index in range(stride):
            left, corner = (row[index - 4], above[index - 4]) if index > 3 else (0, 0)
            guess = left + above[index] - corner
            nearest = min((left, above[index], corner), key=lambda one: abs(guess - one))
            row[index] = (row[index] + (0, left, above[index], (left + above[index]) // 2, nearest)[rows[at]]) & 0xFF
        above = row
        plain += row[1::4]
    return size.width, size.height, bytes(plain)


@needs_tesseract
def test_a_scanned_pdf_is_read_and_its_page_goes_black() -> None:
    width, height, samples = grey(picture(f"Call {NAME} at {PHONE} today.", size=10))
    content = scanned(shown(width, height, samples))
    document = opened(content, "a.pdf", TESSERACT)
    assert [(one.what, one.may_hide) for one in document.unread] == [("image_read_by_ocr", False)]
    copy = document.redacted(spans_of(document, PHONE))
    assert zlib.compress(samples)[:200] not in copy
    assert PHONE not in opened(copy, "a.pdf", TESSERACT).text


def script(folder: Path, body: str) -> Tesseract:
    path = folder / "reader"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return Tesseract(str(path))


def test_a_reader_that_fails_hangs_or_is_ended_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "_SECONDS", 1)
    cases = (
        ("cat > /dev/null; exit 1", "broken_image"),
        ("kill -9 $$", "image_too_slow"),
        ("/bin/sleep 20", "image_too_slow"),
    )
    for body, code in cases:
        with pytest.raises(UnreadableDocument) as refused:
            script(tmp_path, body).read(GREY)
        assert refused.value.code == code
    assert script(tmp_path, "/bin/cat").read(b"said") == "said"


def test_a_reader_cannot_write_a_file(tmp_path: Path) -> None:
    script(tmp_path, f"/bin/cat > {tmp_path}/kept; echo done").read(GREY * 100)
    assert (tmp_path / "kept").stat().st_size == 0


def test_a_reader_and_what_it_starts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = script(tmp_path, "ulimit -f; ulimit -c; ulimit -v; ulimit -t; ulimit -n; env; pwd").read(b"").split()
    assert told[:5] == ["0", "0", str(2 << 20), "90", "64"]
    assert not any(word.startswith(("HOME=", "REGISTRY", "USER=")) for word in told)
    assert told[-1] == "/"
    monkeypatch.setattr(ocr, "_MEMORY_BYTES", 1 << 20)
    with pytest.raises(UnreadableDocument):
        script(tmp_path, "/bin/cat").read(GREY)


def fax(width: int, height: int, packed: bytes, told: str) -> bytes:
    head = f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/BitsPerComponent 1{told}"
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (head.encode(), len(packed), packed)


def test_a_fax_page_is_read_as_it_is_packed() -> None:
    plain, black = "/K -1/Columns 32", "/K -1/Columns 32/BlackIs1 true"
    turned = "/Decode[1 0]"
    for told, decode, photometric in ((plain, "", 0), (black, "", 1), (plain, turned, 1), (black, turned, 0)):
        packed, reader = b"\xff\x00\x10\x01", Says()
        image = fax(48, 8, packed, f"/Filter/CCITTFaxDecode/DecodeParms<<{told}>>{decode}")
        assert SSN in opened(scanned(image), "a.pdf", reader).text
        (given,) = reader.given
        assert given.endswith(packed)
        assert (image_kind(given), image_size(given)) == ("tiff", ImageSize(32, 8, 256))
        tags = next(iter(tiff_pages(given)))
        assert (tags[262][2][0], tags[259][2][0]) == (photometric, 4)


# "900-12-3456" in black on white, 264 points wide and 64 high, packed as a fax of group 4.
_FAX = base64.b64decode(
    "JqC2L/////8hpcQfCD4QMYQsyCjiBFkVBBPwgwgwgwUIMINcJ6aafd+vNnRyo5Zjy48uTRdZgGDhdJuEG4QbHFsXX0EPT/+/X19ra3+v/9PT"
    "/pev//qlXNBEbO1/+iGz14eEHtr/6VJdxfH/6w65HLOH2aL/6RDMtcQ3TeGF/5p6RFm2lvT4r/+lvEH/1a2o6Q//q9PWl+///pKQeFtcg0jh"
    "KGEoYS0iBh0sjcJNpcUxsZDOGjoC4+Kj6aa+umthBhBheGCwwgwsRERERH///////4AIAIA="
)


@needs_tesseract
def test_a_fax_page_shows_its_words() -> None:
    image = fax(264, 64, _FAX, "/Filter[/CCITTFaxDecode]/DecodeParms[<</K -1/Columns 264/BlackIs1 true>>]")
    document = opened(scanned(image), "a.pdf", TESSERACT)
    assert SSN in document.text
    assert [one.what for one in document.unread] == ["image_read_by_ocr"]


@pytest.mark.parametrize(
    ("told", "packed"),
    [
        ("/Filter[/FlateDecode/CCITTFaxDecode]/DecodeParms[null<</K -1/Columns 264>>]", zlib.compress(_FAX)),
        ("/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns 264/EncodedByteAlign true>>", _FAX),
    ],
)
def test_a_fax_that_no_tiff_can_hold_as_it_is_is_told(told: str, packed: bytes) -> None:
    image = fax(264, 64, packed, told)
    assert [(one.what, one.may_hide) for one in opened(scanned(image), "a.pdf", Says()).unread] == [("image", True)]
