"""Archives, rich text, OpenDocument and presentations: read, told where they cannot be, and never copied."""

from __future__ import annotations

import pytest

from registry.documents import rtf as rtf_module
from registry.documents.formats import format_of, open_document
from registry.documents.model import Document
from registry.domain.errors import UnreadableDocument
from tests.unit.documents.making import NAME, PHONE, SSN, STREET, docx, holds, line, mail, paragraph, pdf, zipped

_ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
)
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'


def opened(content: bytes, name: str = "") -> Document:
    return open_document(content, format_of(content, name=name))


def code_of(content: bytes, name: str = "") -> str:
    with pytest.raises(UnreadableDocument) as refused:
        opened(content, name)
    return refused.value.code


def odf(body: str, kind: str = "text", **more: str) -> bytes:
    content = f"<office:document-content {_ODF}><office:body>{body}</office:body></office:document-content>"
    return zipped({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content, **more})


def rtf(body: str) -> bytes:
    return (r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial 900-12-0000;}}" + body + "}").encode("latin-1")


def test_members_of_an_archive_are_read_as_what_they_are() -> None:
    inner = zipped({"notes/dump.sql": f"INSERT INTO p VALUES ('{SSN}');"})
    content = zipped(
        {"in.zip": inner, "b.docx": docx(paragraph(PHONE)), "c.pdf": pdf(line(NAME)), "d": STREET.encode("utf-16")}
    )
    document = opened(content, "a.txt")
    assert all(value in document.text for value in (SSN, PHONE, NAME, STREET))
    assert document.unread == ()
    at = document.text.index(PHONE)
    assert document.places([(at, at + 1)]) == [(("member", 2),)]


def test_what_cannot_be_read_in_an_archive_is_told() -> None:
    content = zipped({"a.7z": b"7z\xbc\xaf\x27\x1c", "b.bin": b"\0\1\2", "c.doc": bytes.fromhex("d0cf11e0a1b11ae1")})
    assert [(one.what, one.may_hide, one.place) for one in opened(content).unread] == [
        ("embedded_object", True, (("member", number),)) for number in (1, 2, 3)
    ]


def test_an_encrypted_member_of_an_archive_is_told_as_that() -> None:
    locked = odf("", **{"META-INF/manifest.xml": "<m:encryption-data xmlns:m='x'/>"})
    (unread,) = opened(zipped({"a.odt": locked, "b.txt": SSN})).unread
    assert (unread.what, unread.may_hide) == ("encrypted_part", True)


def test_an_archive_that_is_broken_or_too_deep_is_refused() -> None:
    content = zipped({"a.txt": SSN})
    for _ in range(5):
        content = zipped({"a.zip": content})
    assert code_of(content) == "nested_too_deep"
    assert code_of(b"PK\x03\x04" + SSN.encode()) == "broken_archive"
    assert code_of(b"hello", "a.zip") == "broken_archive"


def test_no_copy_is_made_and_within_another_document_it_goes_whole() -> None:
    content = zipped({"a.txt": SSN})
    document = opened(content)
    assert document.redacted([]) == content
    at = document.text.index(SSN)
    with pytest.raises(UnreadableDocument, match="no_copy"):
        document.redacted([(at, at + len(SSN))])
    letter = mail("x", attached=[("a.zip", "application/zip", content), ("b.rtf", "application/rtf", rtf(PHONE))])
    whole = opened(letter, "a.eml")
    spans = [(at, at + len(value)) for value in (SSN, PHONE) for at in (whole.text.index(value),)]
    copy = whole.redacted(spans)
    assert not holds(copy, SSN)
    assert not holds(copy, PHONE)


@pytest.mark.parametrize(
    "body",
    [
        SSN,
        "".join(rf"{{\rtlch\fcs1 \insrsid77{n} {SSN[n]}}}" for n in range(len(SSN))),
        "".join(f"\\'{ord(one):02x}" for one in SSN),
        "".join(rf"\u{ord(one)}?" for one in SSN),
        r"900{\*\bkmkstart here}-12\_34" + "\r\n56",
        r"900\uc2\u45 xx12\uc0\u45 3456",
        r"{\footnote 900-12-3456}",
        r"{\*\unknown 900-12-3456}",
        r"{\field{\*\fldinst HYPERLINK x900-12-3456x}{\fldrslt here}}".replace("x900", " 900").replace("56x", "56 "),
        r"\bin5 }}}}}900-12-3456",
    ],
)
def test_rich_text_is_read_however_it_is_cut(body: str) -> None:
    document = opened(rtf(rf"\pard {body}\par end"))
    assert SSN in document.text
    assert "900-12-0000" not in document.text
    assert document.unread == ()


def test_rich_text_keeps_lines_and_cells_and_letters() -> None:
    document = opened(rtf(r"a\cell b\row Villase\'f1or\line \u8220?x\u8221? \u-10179?\u-8704?"))
    assert document.text.startswith("a\tb\nVillaseñor\n“x” 😀")


def test_pictures_in_rich_text_are_told() -> None:
    document = opened(rtf(r"{\pict\pngblip 3930302d31322d33343536}{\object{\*\objdata 00}}"))
    assert [(one.what, one.may_hide) for one in document.unread] == [("embedded_object", True), ("image", True)]


def test_data_in_rich_text_is_neither_text_nor_braces() -> None:
    document = opened(rtf(r"a\bin8 {{{{x}{{b " + SSN))
    assert f"ab {SSN}" in document.text


def test_rich_text_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtf_module, "MAX_TEXT_CHARACTERS", 100)
    assert opened(rtf("x" * 100)).text.strip() == "x" * 100
    assert code_of(rtf("x" * 101)) == "too_large"


def test_rich_text_without_an_end_or_too_deep_ends() -> None:
    assert SSN in opened(b"{\\rtf1 " + SSN.encode()).text
    assert SSN in opened(b"{\\rtf1 }}}}" + SSN.encode()).text
    assert code_of(b"{\\rtf1 " + b"{" * 10_000) == "nested_too_deep"


def test_paragraphs_notes_and_rows_of_open_documents() -> None:
    spans = "".join(f"<text:span>{one}</text:span>" for one in SSN)
    note = f"<text:note><text:note-body><text:p>{PHONE}</text:p></text:note-body></text:note>"
    document = opened(
        odf(f"<office:text><text:p>{spans[:60]}{spans[60:]}</text:p><text:p>a{note}b</text:p></office:text>")
    )
    assert SSN in document.text
    assert PHONE in document.text
    assert "ab" in document.text
    cells = "".join(f"<table:table-cell><text:p>{one}</text:p></table:table-cell>" for one in (NAME, STREET))
    kept = '<table:table-cell office:value="900123456"><text:p>9E+08</text:p></table:table-cell>'
    sheet = opened(odf(f"<table:table><table:table-row>{cells}{kept}</table:table-row></table:table>", "spreadsheet"))
    assert f"{NAME} \t{STREET} \t9E+08" in sheet.text
    assert "900123456" in sheet.text


def test_an_encrypted_open_document_is_refused() -> None:
    assert code_of(odf("", **{"META-INF/manifest.xml": "<m:encryption-data xmlns:m='x'/>"})) == "encrypted"


def test_slides_and_their_notes_are_read() -> None:
    runs = "".join(f"<a:r><a:t>{one}</a:t></a:r>" for one in SSN)
    slide = f"<p {_A}><a:p>{runs}</a:p></p>"
    content = zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "ppt/presentation.xml": "<p/>",
            "ppt/slides/slide1.xml": slide,
            "ppt/notesSlides/notesSlide1.xml": f"<p {_A}><a:p><a:r><a:t>{PHONE}</a:t></a:r></a:p></p>",
        }
    )
    assert format_of(content) == "pptx"
    document = opened(content)
    assert SSN in document.text
    assert PHONE in document.text
    with pytest.raises(UnreadableDocument, match="no_copy"):
        document.redacted([(0, 3)])


def test_an_encrypted_archive_is_told() -> None:
    content = bytearray(zipped({"a.txt": SSN}))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    assert code_of(bytes(content)) == "encrypted"
