"""Word documents and workbooks: read wherever a value can stand, written without it, hostile ones refused."""

from __future__ import annotations

import io
import zipfile

import pytest

from registry.documents import limits
from registry.documents.formats import format_of
from registry.documents.model import MARK
from registry.domain.errors import UnreadableDocument
from tests.unit.documents.making import (
    NAME,
    PHONE,
    SSN,
    STREET,
    docx,
    holds,
    in_sheet,
    in_word,
    line,
    members,
    paragraph,
    pdf,
    xlsx,
    zipped,
)
from tests.unit.documents.test_texts import opened, spans_of, without


def refused(content: bytes, name: str) -> str:
    with pytest.raises(UnreadableDocument) as error:
        opened(content, name)
    return error.value.code


def test_a_value_cut_into_runs_is_read_and_goes() -> None:
    content = docx(paragraph("SSN 90", "0-12-", "3456 of ", NAME) + paragraph("kept"))
    written = without(content, "a.docx", SSN)
    assert opened(written, "a.docx").text.splitlines()[:2] == [f"SSN {MARK} of {NAME}", "kept"]
    assert not holds(written, SSN)


@pytest.mark.parametrize(
    ("part", "xml"),
    [
        ("word_0_header1__xml", in_word("hdr", paragraph(SSN))),
        ("word_0_footnotes__xml", in_word("footnotes", f"<w:footnote>{paragraph(SSN)}</w:footnote>")),
        ("word_0_comments__xml", in_word("comments", f'<w:comment w:author="{NAME}">{paragraph(SSN)}</w:comment>')),
        ("docProps_0_core__xml", f"<cp:coreProperties xmlns:cp='urn:x'><title>{SSN}</title></cp:coreProperties>"),
        ("docProps_0_custom__xml", f"<Properties><property name='n'><lpwstr>{SSN}</lpwstr></property></Properties>"),
        ("customXml_0_item1__xml", f"<data><ssn value='{SSN}'/></data>"),
        ("word_0_glossary_0_document__xml", in_word("glossaryDocument", paragraph(SSN))),
        ("word_0__rels_0_document__xml__rels", f"<R><Relationship TargetMode='External' Target='tel:{SSN}'/></R>"),
    ],
)  # fmt: skip
def test_values_outside_of_the_body_are_found_and_go(part: str, xml: str) -> None:
    written = without(docx(paragraph("kept"), **{part: xml}), "a.docx", SSN)
    assert not holds(written, SSN)
    assert "kept" in opened(written, "a.docx").text


def test_deleted_text_field_codes_and_boxes_are_found_and_go() -> None:
    body = (
        f'<w:p><w:del w:author="x"><w:r><w:delText>{SSN}</w:delText></w:r></w:del><w:r><w:t>kept</w:t></w:r></w:p>'
        f'<w:p><w:r><w:instrText>HYPERLINK "tel:{PHONE}"</w:instrText></w:r></w:p>'
        f'<w:p><w:r><w:pict><v:textbox xmlns:v="urn:v"><w:txbxContent>{paragraph(STREET)}</w:txbxContent></v:textbox>'
        "</w:pict></w:r></w:p>"
    )
    written = without(docx(body), "a.docx", SSN, PHONE, STREET)
    assert not any(holds(written, value) for value in (SSN, PHONE, STREET))


def test_a_tracked_change_is_read_as_it_is_and_as_it_was() -> None:
    was = "<w:del><w:r><w:delText>3456</w:delText></w:r></w:del>"
    body = f"<w:p><w:r><w:t>900-12-</w:t></w:r><w:ins><w:r><w:t>9999</w:t></w:r></w:ins>{was}</w:p>"
    text = opened(docx(body), "a.docx").text
    assert "900-12-9999" in text
    assert SSN in text


def test_rows_of_a_table_are_lines() -> None:
    row = "<w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr>"
    rows = row.format(paragraph("a"), paragraph("b")) + row.format(paragraph("c"), paragraph("d"))
    lines = [line_.split() for line_ in opened(docx(f"<w:tbl>{rows}</w:tbl>"), "a.docx").text.splitlines()]
    assert lines[:2] == [["a", "b"], ["c", "d"]]


def test_objects_macros_and_thumbnails_are_told_and_go() -> None:
    content = docx(
        paragraph("kept"),
        word_0_vbaProject__bin=SSN.encode(),
        word_0_embeddings_0_oleObject1__bin=SSN.encode(),
        docProps_0_thumbnail__jpeg=SSN.encode(),
        word_0_media_0_image1__png=b"PNG",
    )
    document = opened(content, "a.docx")
    assert {(one.what, one.may_hide) for one in document.unread} == {
        ("macros", True),
        ("embedded_object", True),
        ("image", True),
    }
    written = document.redacted([])
    assert not holds(written, SSN)
    kept = {"[Content_Types].xml", "_rels/.rels", "word/document.xml", "word/media/image1.png"}
    assert set(members(written)) == kept


def test_a_document_inside_of_a_document_is_read_and_changed() -> None:
    inner = xlsx(['<row r="1"><c r="A1" t="s"><v>0</v></c></row>'], [SSN])
    content = docx(paragraph("see"), word_0_embeddings_0_book__xlsx=inner, word_0_embeddings_0_a__pdf=pdf(line(PHONE)))
    written = without(content, "a.docx", SSN, PHONE)
    assert not any(holds(one, value) for one in members(written).values() for value in (SSN, PHONE))


def test_cells_formulas_and_shared_strings_lose_a_value() -> None:
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
        f'<row r="2"><c r="A2" t="str"><f>"900-12-"&amp;"3456"</f><v>{SSN}</v></c>'
        f'<c r="B2"><f>LEN("{SSN}")</f><v>11</v></c><c r="C2" t="inlineStr"><is><t>{PHONE}</t></is></c></row>'
    )
    content = xlsx([rows, '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'], [SSN, "kept", f"unused {SSN}"])
    document = opened(content, "a.xlsx")
    assert (("part", "sheet 1"), ("cell", "A1")) in document.places(spans_of(document, SSN))
    written = document.redacted(spans_of(document, SSN, PHONE))
    assert not holds(written, SSN)
    assert not holds(written, "900-12-")
    assert not holds(written, PHONE)
    again = opened(written, "a.xlsx").text
    assert again.splitlines()[0] == f"{MARK}\tkept"
    assert "11" in again


def test_numbers_are_read_as_they_are_shown() -> None:
    styles = in_sheet(
        "styleSheet",
        '<numFmts><numFmt numFmtId="170" formatCode="000\\-00\\-0000"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs>',
    )
    cells = '<c r="A1" s="1"><v>30741</v></c><c r="B1" s="2"><v>900123456</v></c><c r="C1"><v>8165550123</v></c>'
    rows = f'<row r="1">{cells}</row>'
    document = opened(xlsx([rows], xl_0_styles__xml=styles), "a.xlsx")
    assert document.text.splitlines()[0] == f"1984-02-29\t{SSN}\t8165550123"
    written = document.redacted(spans_of(document, "1984-02-29", SSN))
    assert not holds(written, "30741")
    assert not holds(written, "900123456")


def test_hidden_sheets_comments_names_charts_and_pivot_caches_lose_a_value() -> None:
    content = xlsx(
        ["", f'<row r="1"><c r="A1" t="inlineStr"><is><t>{SSN}</t></is></c></row>'],
        xl_0_comments1__xml=in_sheet("comments", f"<comment ref='A1'><text><t>{SSN}</t></text></comment>"),
        xl_0_pivotCache_0_pivotCacheDefinition1__xml=in_sheet("p", f"<s v='{SSN}'/><n v='900123456'/>"),
        xl_0_pivotCache_0_pivotCacheRecords1__xml=in_sheet("pivotCacheRecords", f"<r><s v='{SSN}'/></r>"),
        xl_0_charts_0_chart1__xml=f"<c:chart xmlns:c='urn:c'><c:pt><c:v>{SSN}</c:v></c:pt></c:chart>",
        xl_0_queryTables_0_queryTable1__xml=in_sheet("queryTable", f"<x name='{SSN}'/>"),
    )  # fmt: skip
    written = without(content, "a.xlsx", SSN, "900123456")
    assert not holds(written, SSN)
    assert not holds(written, "900123456")
    assert b'<s v="' in members(written)["xl/pivotCache/pivotCacheDefinition1.xml"].replace(b"'", b'"')


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = docx("", word_0_media_0_x__xml=b" " * (limits.MAX_MEMBER_BYTES + 1))
    assert len(bomb) < 1 << 20
    assert refused(bomb, "a.docx") == "archive_too_large"


def test_bombs_in_many_documents_inside_share_one_budget() -> None:
    inner = docx("", word_0_x__xml=b"<a>" + b" " * (16 << 20) + b"</a>")
    content = docx("", **{f"word_0_embeddings_0_a{number}__docx": inner for number in range(12)})
    assert refused(content, "a.docx") == "archive_too_large"


def test_an_archive_that_lies_about_its_sizes_is_refused() -> None:
    content = docx("", word_0_x__xml=b"<a>" + b" " * 10_000 + b"</a>")
    lied = content.replace((10_007).to_bytes(4, "little"), (7).to_bytes(4, "little"))
    assert lied != content
    assert refused(lied, "a.docx") == "broken_archive"


def test_too_many_members_are_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(limits.MAX_MEMBERS + 1):
            archive.writestr(f"word/{number}.xml", "")
    assert refused(target.getvalue(), "a.docx") == "archive_too_large"


def test_two_members_of_one_name_are_refused() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", "<a/>")
        archive.writestr("Word/Document.xml", "<a/>")
    assert refused(target.getvalue(), "a.docx") == "broken_archive"


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ('<!DOCTYPE a [<!ENTITY x "x">]><a>&x;</a>', "xml_entities"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "xml_entities"),
        ("<a>" * 500 + "</a>" * 500, "xml_too_deep"),
        ("<a><b></a>", "broken_xml"),
        ("<a/>" * 2, "broken_xml"),
    ],
)
def test_hostile_xml_is_refused(xml: str, code: str) -> None:
    assert refused(docx("", word_0_x__xml=xml), "a.docx") == code


def test_elements_are_counted_over_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_XML_ELEMENTS", 1_000)
    parts = {f"word_0_x{number}__xml": "<a>" + "<b/>" * 400 + "</a>" for number in range(3)}
    assert refused(docx("", **parts), "a.docx") == "too_large"


def test_broken_and_encrypted_archives_are_refused() -> None:
    content = docx(paragraph("x"))
    assert refused(content[: len(content) // 2], "a.docx") == "broken_archive"
    assert format_of(zipped({"other": "x"}), name="a.docx") == "zip"
    flagged = bytearray(content)
    at = flagged.index(b"PK\x01\x02")
    flagged[at + 8] |= 1
    assert refused(bytes(flagged), "a.docx") == "encrypted"
