"""PDF: read as its pages show it, written anew without some glyphs and without all that stands beside the pages."""

from __future__ import annotations

import zlib

import pytest

from registry.documents import limits
from registry.documents.model import Document
from registry.domain.errors import UnreadableDocument
from tests.unit.documents.making import NAME, PHONE, SSN, STREET, holds, line, mail, pdf, stream
from tests.unit.documents.test_texts import opened, spans_of, without


def refused(content: bytes) -> str:
    with pytest.raises(UnreadableDocument) as error:
        opened(content, "a.pdf")
    return error.value.code


def text_of(content: bytes) -> str:
    return opened(content, "a.pdf").text


def test_a_value_goes_from_a_line_and_the_rest_stays() -> None:
    written = without(pdf(line(f"SSN {SSN} of {NAME}"), line("second")), "a.pdf", SSN)
    text = text_of(written)
    assert "SSN" in text
    assert NAME in text
    assert "second" in text
    assert not holds(written, SSN)
    assert "3456" not in text


def test_a_place_is_a_page() -> None:
    document = opened(pdf(line("one"), line(SSN)), "a.pdf")
    assert document.places(spans_of(document, SSN)) == [(("page", 2),)]


@pytest.mark.parametrize(
    "content",
    [
        "BT /F1 12 Tf 72 700 Td [(900-) -20 (12-3) 15 (456)] TJ ET",
        "BT /F1 12 Tf 72 700 Td <3930302d31322d33343536> Tj ET",
        "BT /F1 12 Tf 72 700 Td (900-12) Tj (-3456) Tj ET",
        "BT /F1 12 Tf 72 700 Td (900-12) Tj ET BT /F1 12 Tf 111.35 700 Td (-3456) Tj ET",
        "BT /F1 12 Tf 14 TL 72 700 Td (x) Tj (900-12-3456) ' ET",
        "BT /F1 12 Tf 72 700 Td 3 Tr (900-12-3456) Tj ET",
        "BT /F1 12 Tf 1 1 1 rg 72 700 Td (\\071\\060\\060-12-3456) Tj ET",
        "0 1 -1 0 300 300 cm BT /F1 12 Tf 0 0 Td (900-12-3456) Tj ET",
    ],
    ids=["kerned", "hexadecimal", "two", "placed", "next line", "invisible", "escaped", "turned"],
)
def test_a_value_is_read_and_goes_however_it_is_shown(content: str) -> None:
    written = without(pdf(f"{content} {line('kept', 500)}"), "a.pdf", SSN)
    assert not holds(written, SSN)
    assert "kept" in text_of(written)
    assert "3456" not in text_of(written)


def test_a_form_loses_a_value_wherever_it_is_shown() -> None:
    font = b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    form = stream(line(SSN).encode(), b"/Type/XObject/Subtype/Form/BBox[0 0 612 792]" + font)
    page = "/Resources<</XObject<</X1 20 0 R>>>>"
    content = pdf("/X1 Do", "/X1 Do", objects=[form], page=page).replace(b"/Resources 3 0 R", b"", 2)
    written = without(content, "a.pdf", SSN)
    assert not holds(written, SSN)
    assert "3456" not in text_of(written)


def test_all_beside_the_pages_is_read_and_goes() -> None:
    note = f"<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents({SSN})/T({NAME})>>".encode()
    info = f"<</Title({PHONE})/Author(\\376\\377{''.join(chr(0) + c for c in NAME)})>>".encode("latin-1")
    metadata = stream(f"<x:xmpmeta>{STREET}</x:xmpmeta>".encode(), b"/Type/Metadata/Subtype/XML")
    attached = stream(f"name,ssn\nx,{SSN}\n".encode(), b"/Type/EmbeddedFile")
    outline = f"<</Title({SSN})>>".encode()
    unused = f"({PHONE} unused)".encode()
    content = pdf(
        line("kept"),
        objects=[note, info, metadata, attached, outline, unused],
        page="/Annots[20 0 R]",
        catalog="/Metadata 22 0 R/Outlines 24 0 R/AcroForm<</Fields[<</T(f)/V(secret value)>>]>>",
        trailer="/Info 21 0 R",
    )
    document = opened(content, "a.pdf")
    for value in (SSN, PHONE, NAME, STREET, "secret value", f"{PHONE} unused"):
        assert value in document.text
    written = document.redacted([])
    for value in (SSN, PHONE, NAME, STREET, "secret value"):
        assert not holds(written, value)
    assert "kept" in text_of(written)


def test_an_earlier_version_is_read_and_goes() -> None:
    first = pdf(line(SSN))
    start = len(first)
    body = stream(line("nothing here").encode())
    added = b"101 0 obj\n%s\nendobj\n" % body
    xref = b"xref\n101 1\n%010d 00000 n \n" % start
    previous = first.rindex(b"xref\n0")
    tail = b"trailer\n<</Size 102/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (previous, start + len(added))
    document = opened(first + added + xref + tail, "a.pdf")
    assert SSN in document.text
    assert "nothing here" in document.text
    assert not holds(document.redacted([]), SSN)


def test_text_that_nobody_can_tell_is_told_and_not_released() -> None:
    font = "<</Font<</F1<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[<</Type/Font>>]>>>>>>"
    content = pdf("BT /F1 12 Tf 72 700 Td <00010002> Tj ET", page=f"/Resources{font}").replace(b"/Resources 3 0 R", b"")
    document = opened(content, "a.pdf")
    assert [(one.what, one.may_hide) for one in document.unread] == [("undecodable_text", True)]
    with pytest.raises(UnreadableDocument) as error:
        document.redacted([])
    assert error.value.code == "undecodable_text"


def test_a_scanned_page_is_told_to_be_one() -> None:
    head = b"<</Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray/Length 1>>"
    image = head + b"\nstream\nx\nendstream"
    page = "/Resources<</XObject<</I 20 0 R>>>>"
    content = pdf("/I Do", objects=[image], page=page).replace(b"/Resources 3 0 R", b"")
    assert [(one.what, one.may_hide) for one in opened(content, "a.pdf").unread] == [("image", True)]


def test_a_mail_of_a_pdf_is_checked_as_one() -> None:
    document: Document = opened(mail("x", attached=[("a.pdf", "application/pdf", pdf(line(SSN)))]), "a.eml")
    assert SSN in document.text


def test_an_encrypted_file_is_refused() -> None:
    assert (
        refused(pdf(line("x"), trailer="/Encrypt<</Filter/Standard/V 1/R 2/O(x)/U(x)/P -4>>/ID[(a)(a)]")) == "encrypted"
    )


def code_of(content: bytes) -> str:
    """Return the code with which a file is refused; empty when it is read."""
    try:
        opened(content, "a.pdf")
    except UnreadableDocument as error:
        return error.code
    return ""


def test_a_truncated_file_is_refused_or_read_as_far_as_it_shows() -> None:
    content = pdf(line(SSN))
    codes = {code_of(b"%PDF-1.7\n" + content[:part]) for part in range(0, len(content), 37)}
    assert "broken_pdf" in codes
    assert codes <= {"", "broken_pdf"}


def test_a_stream_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.documents.pdf.MAX_STREAM_BYTES", 1 << 16)
    assert refused(pdf(line("x") + " " * (1 << 17))) == "archive_too_large"


def in_object_stream(held: bytes, packing: bytes = b"/FlateDecode") -> bytes:
    """A PDF whose object 6 stands in object stream 5, found by a table that is a stream."""
    written = bytearray(b"%PDF-1.7\n")
    places: dict[int, int] = {}
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
    packed = zlib.compress(b"6 0 " + held)
    holder = b"<</Type/ObjStm/N 1/First 4/Filter %s/Length %d>>\nstream\n%s\nendstream" % (packing, len(packed), packed)
    pages = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
    for number, content in ((1, b"<</Type/Catalog/Pages 2 0 R>>"), (2, pages), (3, page), (5, holder)):
        places[number] = len(written)
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(written)
    rows = [(0, 0, 0), (1, places[1], 0), (1, places[2], 0), (1, places[3], 0), (0, 0, 0), (1, places[5], 0), (2, 5, 0)]
    table = b"".join(bytes([kind]) + where.to_bytes(4, "big") + bytes([last]) for kind, where, last in rows)
    head = b"<</Type/XRef/Size 7/W[1 4 1]/Root 1 0 R/Length %d>>" % len(table)
    written += b"7 0 obj\n%s\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (head, table, start)
    return bytes(written)


def test_objects_in_a_stream_are_read_and_weighed_before_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SSN in opened(in_object_stream(b"(" + SSN.encode() + b")"), "a.pdf").text
    monkeypatch.setattr("registry.documents.pdf.MAX_STREAM_BYTES", 1 << 16)
    assert refused(in_object_stream(b"(" + b" " * (1 << 17) + b")")) == "archive_too_large"
    assert refused(in_object_stream(b"()", b"[/FlateDecode/FlateDecode]")) == "broken_pdf"


def test_forms_within_forms_end() -> None:
    form = stream(b"/X1 Do", b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</X1 20 0 R>>>>")
    content = pdf("/X1 Do", objects=[form], page="/Resources<</XObject<</X1 20 0 R>>>>").replace(
        b"/Resources 3 0 R", b""
    )
    assert refused(content) == "nested_too_deep"


def test_forms_that_multiply_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.documents.pdf_read._MOST_OPERATIONS", 5_000)
    forms = [
        stream(
            b"/X Do " * 10, b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</X %d 0 R>>>>" % (21 + n)
        )
        for n in range(8)
    ]
    content = pdf("/X Do", objects=[*forms, stream(b"", b"/Subtype/Form")], page="/Resources<</XObject<</X 20 0 R>>>>")
    assert refused(content.replace(b"/Resources 3 0 R", b"")) == "too_large"


def test_glyphs_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.documents.pdf_read.MAX_GLYPHS", 100)
    assert refused(pdf(*[line("x" * 60)] * 2)) == "too_large"
    assert limits.MAX_GLYPHS > 100


@pytest.mark.parametrize("content", ["BI /W 1 ID x", "BI " * 1000, "[" * 5000, "(" * 5000, "<" * 5000])
def test_broken_content_ends_quickly(content: str) -> None:
    assert code_of(pdf(content)) in {"", "broken_pdf"}
