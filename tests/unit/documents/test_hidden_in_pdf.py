"""Where a PDF keeps text that no page shows, or shows it in a way that hides it: found, and gone from the copy."""

from __future__ import annotations

import pytest

from registry.documents.formats import open_document
from registry.domain.errors import UnreadableDocument
from tests.unit.documents.making import docx, line, paragraph, pdf, stream
from tests.unit.documents.test_hidden_places import KEPT, PHONE, gone

KEPT_LINE = line(KEPT, 600)
SHOWN = b"BT /F1 12 Tf 2 2 Td (816-555-0123) Tj ET"
FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 200 30]/Resources 3 0 R"
WIDE = "FEFF" + PHONE.encode("utf-16-be").hex()
HELVETICA = "/Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"


def with_resources(content: str, resources: str, *objects: bytes) -> bytes:
    """One page with resources of its own beside those of the tests."""
    whole = pdf(content, objects=objects, page=f"/Resources<<{HELVETICA}{resources}>>")
    return whole.replace(b"/Resources 3 0 R/Contents", b"/Contents", 1)


CONTENTS = {
    "escaped": "BT /F1 12 Tf 72 700 Td (816\\055555\\\n-0123) Tj ET",
    "comment": f"% {PHONE}\n",
    "stands for": f"/Span<</ActualText({PHONE})>>BDC BT /F1 12 Tf 72 700 Td (x) Tj ET EMC",
    "stands for, wide": f"/Span<</ActualText<{WIDE}>>>BDC BT /F1 12 Tf 72 700 Td (x) Tj ET EMC",
    "end before begin": "BT /F1 12 Tf 112.4 700 Td (-0123) Tj ET BT /F1 12 Tf 72 700 Td (816-555) Tj ET",
    "spaced": f"BT /F1 12 Tf 1 Tc 72 700 Td ({PHONE}) Tj ET",
    "narrow": f"BT /F1 12 Tf 50 Tz 72 700 Td ({PHONE}) Tj ET",
    "upside down": f"BT /F1 -12 Tf -1 0 0 -1 300 700 Tm ({PHONE}) Tj ET",
    "mirrored": f"q -1 0 0 1 612 0 cm BT /F1 12 Tf 72 700 Td ({PHONE}) Tj ET Q",
    "tiny": f"BT /F1 0.1 Tf 72 700 Td ({PHONE}) Tj ET",
    "off the page": f"BT /F1 12 Tf 2000 -700 Td ({PHONE}) Tj ET",
    "cutting": f"BT /F1 12 Tf 7 Tr 72 700 Td ({PHONE}) Tj ET",
    "covered": f"BT /F1 12 Tf 72 700 Td ({PHONE}) Tj ET 0 g 60 690 200 30 re f",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_in_what_a_page_shows(name: str) -> None:
    assert gone(pdf(f"{KEPT_LINE} {CONTENTS[name]}"), "a.pdf")


NOTES = {
    "note": f"/Subtype/Text/Contents({PHONE})",
    "hidden": f"/Subtype/FreeText/F 2/Contents({PHONE})/RC(<p>{PHONE}</p>)",
    "field": f"/Subtype/Widget/FT/Tx/T({PHONE})/V({PHONE})/DV({PHONE})",
    "choice": f"/Subtype/Widget/FT/Ch/Opt[({PHONE})[(a)({PHONE})]]",
    "link": f"/Subtype/Link/A<</S/URI/URI(tel:{PHONE})>>",
    "stamp": "/Subtype/Stamp/AP<</N 21 0 R>>",
    "hidden stamp": "/Subtype/Stamp/F 2/AP<</N 21 0 R>>",
    "pressed": "/Subtype/Widget/AP<</D 21 0 R>>",
    "switched off": "/Subtype/Widget/AS/Off/AP<</N<</Off 22 0 R/On 21 0 R>>>>",
}


@pytest.mark.parametrize("name", NOTES)
def test_in_what_is_laid_above_a_page(name: str) -> None:
    note = f"<</Type/Annot/Rect[100 100 300 130]{NOTES[name]}>>".encode()
    assert gone(pdf(KEPT_LINE, objects=[note, stream(SHOWN, FORM), stream(b"", FORM)], page="/Annots[20 0 R]"), "a.pdf")


SAID = PHONE.encode()
OBJECTS: dict[str, tuple[list[bytes], str]] = {
    "outline": ([f"<</Title({PHONE})>>".encode()], ""),
    "name": ([f"<</Type/{PHONE}>>".encode()], ""),
    "key": ([f"<</{PHONE} 1>>".encode()], ""),
    "structure": ([f"<</Type/StructElem/Alt({PHONE})/ActualText({PHONE})>>".encode()], ""),
    "destinations": ([], f"/Names<</Dests<</Names[({PHONE})[100 0 R/Fit]]>>>>"),
    "page label": ([], f"/PageLabels<</Nums[0<</P({PHONE})>>]>>"),
    "script": ([], f"/OpenAction<</S/JavaScript/JS(app.alert\\('{PHONE}'\\))>>"),
    "script apart": ([stream(b"app.alert('816-555-0123')")], "/OpenAction<</S/JavaScript/JS 20 0 R>>"),
    "metadata": ([stream(b"<x>&#56;16-555-0123</x>", b"/Type/Metadata/Subtype/XML")], "/Metadata 20 0 R"),
    "wide metadata": ([stream(f"<x>{PHONE}</x>".encode("utf-16"), b"/Type/Metadata")], "/Metadata 20 0 R"),
    "program's own": ([stream(SAID)], "/PieceInfo<</A<</Private 20 0 R>>>>"),
    "nobody's": ([stream(SAID)], ""),
    "form's data": ([stream(b"<x>816-555-0123</x>")], "/AcroForm<</XFA[(t) 20 0 R]>>"),
    "file": ([f"<</F({PHONE}.txt)/EF<</F 21 0 R>>>>".encode(), stream(SAID, b"/Type/EmbeddedFile")], ""),
    "file without a type": ([b"<</F(a.txt)/EF<</F 21 0 R>>>>", stream(SAID)], ""),
    "letter": ([b"<</EF<</F 21 0 R>>>>", stream(docx(paragraph("816-", "555-0123")), b"/Type/EmbeddedFile")], ""),
    "page": ([b"<</EF<</F 21 0 R>>>>", stream(b"<p>816-<b>555</b>-0123</p>", b"/Type/EmbeddedFile")], ""),
    "form that no page shows": ([stream(SHOWN, FORM)], ""),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_beside_the_pages(name: str) -> None:
    objects, catalog = OBJECTS[name]
    assert gone(pdf(KEPT_LINE, objects=objects, catalog=catalog), "a.pdf")


def test_in_resources() -> None:
    marked = f"{KEPT_LINE} /Span /P1 BDC BT /F1 12 Tf 72 700 Td (x) Tj ET EMC"
    assert gone(with_resources(marked, f"/Properties<</P1<</ActualText({PHONE})>>>>"), "a.pdf")
    assert gone(with_resources(KEPT_LINE, "/XObject<</X 20 0 R>>", stream(SHOWN, FORM)), "a.pdf")
    mask = "/ExtGState<</GS<</SMask<</S/Luminosity/G 20 0 R>>>>>>"
    assert gone(with_resources(f"{KEPT_LINE} /GS gs 0 0 100 100 re f", mask, stream(SHOWN, FORM)), "a.pdf")


@pytest.mark.parametrize(
    "content",
    [
        SAID + b"\n" + pdf(KEPT_LINE),
        pdf(KEPT_LINE) + SAID,
        pdf(KEPT_LINE).replace(b"xref\n0", b"% " + SAID + b"\nxref\n0", 1),
    ],
    ids=["before", "behind", "between"],
)
def test_around_the_objects(content: bytes) -> None:
    assert gone(content, "a.pdf")


def changed(base: bytes, number: int, content: bytes) -> bytes:
    """Put another version of an object behind a file."""
    start = base.rindex(b"startxref\n") + 10
    before = base[start : base.index(b"\n", start)].decode()
    whole = base + b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = f"xref\n{number} 1\n{len(base):010d} 00000 n \ntrailer\n<</Size 200/Root 1 0 R/Prev {before}>>\n"
    return whole + f"{table}startxref\n{len(whole)}\n%%EOF\n".encode()


def test_in_an_earlier_version() -> None:
    assert gone(changed(pdf(f"{KEPT_LINE} {line(PHONE)}"), 101, stream(KEPT_LINE.encode())), "a.pdf")
    noted = pdf(KEPT_LINE, objects=[f"<</Title({PHONE})>>".encode()])
    assert gone(changed(noted, 20, b"<</Title(x)>>"), "a.pdf")


MAP = b"""begincmap 1 begincodespacerange <0000><ffff> endcodespacerange
9 beginbfchar <0001><0038> <0002><0031> <0003><0036> <0004><002d> <0005><0035> <0006><0030> <0007><0032> <0008><0033>
<0009><006600660069> endbfchar endcmap"""


def test_in_a_font_that_has_some_glyphs_and_one_for_three_letters() -> None:
    font = (
        "/Type/Font/Subtype/Type0/BaseFont/ABCDEF+X/Encoding/Identity-H/ToUnicode 20 0 R"
        "/DescendantFonts[<</Type/Font/Subtype/CIDFontType2/BaseFont/X/DW 500>>]"
    )
    codes = "0009000100020003000400050005000500040006000200070008"
    page = f"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>/F2<<{font}>>>>>>"
    content = f"{KEPT_LINE} BT /F2 12 Tf 72 700 Td <{codes}> Tj ET"
    whole = pdf(content, objects=[stream(MAP)], page=page).replace(b"/Resources 3 0 R/Contents", b"/Contents", 1)
    assert f"ffi{PHONE}" in open_document(whole, "pdf").text
    document = open_document(whole, "pdf")
    start = document.text.index(PHONE)
    copy = document.redacted([(start, start + len(PHONE))])
    assert open_document(copy, "pdf").text.split("\n")[1] == "ffi"


def test_glyphs_that_are_drawn_with_other_texts_may_show_anything() -> None:
    drawn = (
        "/Font<</F1<</Type/Font/Subtype/Type3/FontBBox[0 0 10 10]/FontMatrix[.1 0 0 .1 0 0]/CharProcs<</a 20 0 R>>"
        "/Encoding<</Differences[97/a]>>/FirstChar 97/LastChar 97/Widths[6]/Resources 3 0 R>>>>"
    )
    whole = pdf(
        "BT /F1 12 Tf 72 700 Td (a) Tj ET", objects=[stream(b"60 0 d0 " + SHOWN)], page=f"/Resources<<{drawn}>>"
    )
    document = open_document(whole.replace(b"/Resources 3 0 R/Contents", b"/Contents", 1), "pdf")
    assert [(one.what, one.may_hide) for one in document.unread] == [("undecodable_text", True)]
    with pytest.raises(UnreadableDocument):
        document.redacted([])


def test_a_file_that_nothing_here_reads_is_told() -> None:
    attached = [b"<</EF<</F 21 0 R>>>>", stream(b"\x1f\x8b" + bytes(range(256)), b"/Type/EmbeddedFile")]
    document = open_document(pdf(KEPT_LINE, objects=attached), "pdf")
    assert [(one.what, one.may_hide) for one in document.unread] == [("embedded_object", True)]
