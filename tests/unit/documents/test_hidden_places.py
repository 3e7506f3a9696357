"""Where programs keep text that few people look at: a value is found there, is gone from the copy, and the rest stays.

Gone means: not in the file, its members and streams unpacked, in any usual encoding; nor in what is read of it again.
"""

from __future__ import annotations

import base64
import binascii
import io
import zipfile

import pytest

from registry.documents.formats import format_of, open_document
from registry.services.redaction import redact
from tests.unit.documents.making import docx, holds, in_sheet, in_word, paragraph, xlsx

PHONE = "816-555-0123"
KEPT = "kept words"
DIGITS = "8165550123"


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def gone(content: bytes, name: str, value: str = PHONE) -> bool:
    """Demand that a value is found, gone from the copy and from all that it holds, and that the rest stays."""
    form = format_of(content, name=name)
    document = open_document(content, form)
    assert value in document.text
    spans, position = [], document.text.find(value)
    while position >= 0:
        spans.append((position, position + len(value)))
        position = document.text.find(value, position + 1)
    copy = redact(document, form, spans)
    assert copy.problem == ""
    assert not holds(copy.content, value)
    again = open_document(copy.content, form)
    assert value not in again.text
    return KEPT in again.text


def run(*texts: str) -> str:
    return "<w:r>" + "".join(f"<w:t>{text}</w:t>" for text in texts) + "</w:r>"


WORD = {
    "control": f"<w:p>{run('816-5')}<w:sdt><w:sdtContent>{run('55-')}</w:sdtContent></w:sdt>{run('0123')}</w:p>",
    "link": f"<w:p>{run('816-')}<w:proofErr/><w:hyperlink>{run('555-0123')}</w:hyperlink></w:p>",
    "smart tag": f"<w:p><w:smartTag>{run('816-')}</w:smartTag><w:bookmarkStart w:id='1'/>{run('555-0123')}</w:p>",
    "hidden": f"<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>{PHONE}</w:t></w:r></w:p>",
    "symbol": f"<w:p>{run('816-555-01')}<w:r><w:sym w:font='Symbol' w:char='F032'/></w:r>{run('3')}</w:p>",
    "hyphens": "<w:p><w:r><w:t>816</w:t><w:noBreakHyphen/><w:t>555</w:t><w:noBreakHyphen/><w:t>0123</w:t></w:r></w:p>",
    "soft hyphen": "<w:p><w:r><w:t>816-55</w:t><w:softHyphen/><w:t>5-0123</w:t></w:r></w:p>",
    "form field": f"<w:p><w:r><w:fldChar><w:ffData><w:default w:val='{PHONE}'/></w:ffData></w:fldChar></w:r></w:p>",
    "field": f"<w:p><w:fldSimple w:instr=' QUOTE {PHONE} '>{run('x')}</w:fldSimple></w:p>",
    "field code": "<w:p><w:r><w:instrText>816-5</w:instrText></w:r><w:r><w:instrText>55-0123</w:instrText></w:r></w:p>",
    "boxes": "<w:p><w:r><mc:AlternateContent xmlns:mc='urn:mc'><mc:Choice Requires='wps'><w:txbxContent>"
    + paragraph("816-5", "55-0123")
    + "</w:txbxContent></mc:Choice><mc:Fallback><w:pict><w:txbxContent>"
    + paragraph("816-", "555-0123")
    + "</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>",
    "word art": f"<w:p><w:r><w:pict><v:textpath xmlns:v='urn:v' string='{PHONE}'/></w:pict></w:r></w:p>",
    "comment": f"<!-- {PHONE} -->",
    "comment within": "<w:p><w:r><w:t>816-<!-- x -->555-0123</w:t></w:r></w:p>",
    "instruction": f"<?x {PHONE}?>",
    "literal": f"<w:p><w:r><w:t><![CDATA[{PHONE}]]></w:t></w:r></w:p>",
    "number": "<w:p><w:r><w:t>&#0000000000056;16-555-0123</w:t></w:r></w:p>",
    "number in a name": "<w:p><w:bookmarkStart w:name='&#0000000000056;16-555-0123'/></w:p>",
    "formula": f"<m:oMath xmlns:m='urn:m'><m:r><m:t>{PHONE}</m:t></m:r></m:oMath>",
    "ruby": f"<w:p><w:r><w:ruby><w:rubyBase>{run(PHONE)}</w:rubyBase></w:ruby></w:r></w:p>",
    "list": f"<w:sdt><w:sdtPr><w:dropDownList><w:listItem w:displayText='{PHONE}'/></w:dropDownList></w:sdtPr></w:sdt>",
}


@pytest.mark.parametrize("name", WORD)
def test_in_the_body_of_a_letter(name: str) -> None:
    assert gone(docx(paragraph(KEPT) + WORD[name]), "a.docx")


LINK = (
    '<Relationships xmlns="x"><Relationship Id="r1" Type="h" Target="tel:816%2D555-0123" TargetMode="External"/>'
    "</Relationships>"
)
WORD_PARTS: dict[str, tuple[str, str | bytes]] = {
    "variables": ("word_0_settings__xml", in_word("settings", f"<w:docVars><w:docVar w:val='{PHONE}'/></w:docVars>")),
    "authors": ("word_0_people__xml", in_word("people", f"<w:person w:author='{PHONE}'/>")),
    "building blocks": ("word_0_glossary_0_document__xml", in_word("glossaryDocument", paragraph("816-", "555-0123"))),
    "custom number": ("customXml_0_item1__xml", f"<p id='{PHONE}' r='{PHONE}'><q>{PHONE}</q></p>"),
    "company": ("docProps_0_app__xml", f"<Properties><Company>{PHONE}</Company></Properties>"),
    "property": ("docProps_0_custom__xml", f"<Properties><property name='{PHONE}'/></Properties>"),
    "page within": ("word_0_afchunk__html", b"<p>816-<b>555</b>-0123</p>"),
    "target": ("word_0__rels_0_document__xml__rels", LINK),
    "wide header": ("word_0_header1__xml", in_word("hdr", paragraph(PHONE)).encode("utf-16")),
}


@pytest.mark.parametrize("name", WORD_PARTS)
def test_beside_the_body_of_a_letter(name: str) -> None:
    part, content = WORD_PARTS[name]
    assert gone(docx(paragraph(KEPT), **{part: content}), "a.docx")


@pytest.mark.parametrize("attribute", ["tel", "id", "s"])
def test_a_bare_number_in_custom_data(attribute: str) -> None:
    assert gone(docx(paragraph(KEPT), customXml_0_item1__xml=f"<p {attribute}='{DIGITS}'/>"), "a.docx", DIGITS)


def test_a_single_word_in_custom_data() -> None:
    assert gone(docx(paragraph(KEPT), customXml_0_item1__xml="<p said='Endometriosis'/>"), "a.docx", "Endometriosis")


def test_what_an_archive_says_about_itself() -> None:
    target = io.BytesIO(docx(paragraph(KEPT)))
    with zipfile.ZipFile(target, "a") as archive:
        archive.comment = PHONE.encode()
        info = zipfile.ZipInfo("word/notes.xml")
        info.comment = PHONE.encode()
        archive.writestr(info, "<a/>")
    assert gone(target.getvalue(), "a.docx")


def test_a_name_of_a_member_that_holds_a_value_gives_no_copy() -> None:
    content = docx(paragraph(KEPT), **{f"customXml_0_{PHONE}__xml": "<a/>"})
    document = open_document(content, "docx")
    start = document.text.index(PHONE)
    assert redact(document, "docx", [(start, start + len(PHONE))]).problem == "not_surely_removed"


def cells(*more: str) -> str:
    kept = f'<c t="inlineStr"><is><t>{KEPT}</t></is></c>'
    return f'<row r="1">{kept}{"".join(more)}</row>'


CELLS = {
    "numbers of characters": ('<c t="inlineStr"><is><t>_x0038_16-555-0123</t></is></c>', PHONE),
    "runs": ('<c t="inlineStr"><is><r><t>816-</t></r><r><t>555-0123</t></r></is></c>', PHONE),
    "reading": (f'<c t="inlineStr"><is><t>x</t><rPh><t>{PHONE}</t></rPh></is></c>', PHONE),
    "exponent": ("<c><v>8.165550123E9</v></c>", DIGITS),
    "formula's text": (f'<c t="str"><f>"816-"&amp;"555-0123"</f><v>{PHONE}</v></c>', PHONE),
    "formula": (f'<c><f>IF(A1="{PHONE}",1,0)</f><v>0</v></c>', PHONE),
    "literal": (f'<c t="inlineStr"><is><t><![CDATA[{PHONE}]]></t></is></c>', PHONE),
    "comment within": ('<c t="inlineStr"><is><t>816-<!--x-->555-0123</t></is></c>', PHONE),
    "comment": (f"<!-- {PHONE} -->", PHONE),
}


@pytest.mark.parametrize("name", CELLS)
def test_in_a_cell(name: str) -> None:
    cell, value = CELLS[name]
    assert gone(xlsx([cells(cell)]), "a.xlsx", value)


def test_a_shared_string_with_numbers_of_characters_loses_them_and_others_keep_theirs() -> None:
    strings = ["_x0038_16-555-0123 and _x005F_x0041_", "_x005F_x0041_"]
    content = xlsx([cells('<c t="s"><v>0</v></c><c t="s"><v>1</v></c>')], strings)
    assert gone(content, "a.xlsx")
    document = open_document(content, "xlsx")
    assert document.text.count("_x0041_") == 2
    start = document.text.index(PHONE)
    again = open_document(document.redacted([(start, start + len(PHONE))]), "xlsx")
    assert again.text.count("_x0041_") == 2


SHEET = (
    f"<autoFilter ref='A1'><filterColumn colId='0'><filter val='{PHONE}'/></filterColumn></autoFilter>"
    f'<dataValidations><dataValidation><formula1>"{PHONE}"</formula1></dataValidation></dataValidations>'
    f"<headerFooter><oddHeader>&amp;C{PHONE}</oddHeader></headerFooter>"
)
BOOK = (
    "<sheets><sheet name='816-555-0123' sheetId='1'/></sheets>"
    "<definedNames><definedName name='a'>\"816-555-0123\"</definedName></definedNames>"
)
OTHER_BOOK = "<externalBook><sheetData><row><cell r='A1'><v>{}</v></cell></row></sheetData></externalBook>"
BOOK_PARTS = {
    "names": ("xl_0_workbook__xml", in_sheet("workbook", BOOK), PHONE),
    "another book": (
        "xl_0_externalLinks_0_externalLink1__xml",
        in_sheet("externalLink", OTHER_BOOK.format(DIGITS)),
        DIGITS,
    ),
    "chart": (
        "xl_0_charts_0_chart1__xml",
        f"<c:chart xmlns:c='urn:c'><c:pt><c:v>{DIGITS}</c:v></c:pt></c:chart>",
        DIGITS,
    ),
    "table": ("xl_0_tables_0_table1__xml", in_sheet("table", f"<tableColumn id='1' name='{PHONE}'/>"), PHONE),
    "query": ("xl_0_connections__xml", in_sheet("connections", f"<dbPr command='select {PHONE}'/>"), PHONE),
    "number format": ("xl_0_styles__xml", in_sheet("styleSheet", f"<numFmt formatCode='&quot;{PHONE}&quot;'/>"), PHONE),
    "pivot": ("xl_0_pivotCache_0_pivotCacheDefinition1__xml", in_sheet("pivot", f"<n v='{DIGITS}'/>"), DIGITS),
    "note": (
        "xl_0_comments1__xml",
        in_sheet("comments", "<text><r><t>816-5</t></r><r><t>55-0123</t></r></text>"),
        PHONE,
    ),
    "drawn note": ("xl_0_drawings_0_vmlDrawing1__vml", f"<xml><div>{PHONE}</div></xml>", PHONE),
}


@pytest.mark.parametrize("name", BOOK_PARTS)
def test_beside_the_cells(name: str) -> None:
    part, content, value = BOOK_PARTS[name]
    assert gone(xlsx([cells()], **{part: content}), "a.xlsx", value)


def test_around_the_cells() -> None:
    assert gone(
        xlsx(
            [cells()], xl_0_worksheets_0_sheet1__xml=in_sheet("worksheet", f"<sheetData>{cells()}</sheetData>{SHEET}")
        ),
        "a.xlsx",
    )


SVG = "<svg><text>816-<tspan>555</tspan>-0123</text></svg>"
PAGES = {
    "numbers": "<p>&#56;&#x31;&#0000000000054;&#45;555&#45;0123</p>",
    "numbers without an end": "<p>&#56&#49&#54-555-0123</p>",
    "tags": "<p>8<b>1</b>6<!-- x -->-5<span>55</span>-<wbr>0123</p>",
    "conditional comment": "<!--[if mso]><p>816-<b>555</b>-&#48;123</p><![endif]-->",
    "revealed comment": f"<![if !mso]><p>{PHONE}</p><![endif]>",
    "script": "<script>var a='816-\\u0035\\x355-0123';</script>",
    "style": "<style>p:after{content:'\\38 16-555-0123'}</style>",
    "own style": f"<p style=\"content:'{PHONE}'\">x</p>",
    "class": f"<p class='{PHONE}'>x</p>",
    "no value": f"<p {PHONE}>x</p>",
    "unknown tag": f"<Dana {PHONE}>",
    "end tag": f"</p {PHONE}>",
    "no quotes": f"<input value={PHONE}>",
    "backtick": f"<p x=`{PHONE}`>",
    "no space": f'<p title="a"data-x="{PHONE}">',
    "no script": "<noscript>816-<b>555</b>-0123</noscript>",
    "no embedding": "<noembed>816-<b>555</b>-0123</noembed>",
    "no frames": "<noframes>816-<b>555</b>-0123</noframes>",
    "example": f"<xmp>{PHONE}</xmp>",
    "template": "<template>816-<b>555</b>-0123</template>",
    "field": "<textarea>816-&#53;55-0123</textarea>",
    "drawing": SVG,
    "dial": "<a href='tel:816%2D555%2D0123'>x</a>",
    "query": "<a href='?a=1&amp;b=816&#45;555-0123'>x</a>",
    "sources": f"<img srcset='{PHONE}.png 2x'>",
    "text in an address": "<a href='data:text/plain,816%2D555-0123'>x</a>",
    "page in an address": "<a href='data:text/html,<p>816-<b>555</b>-0123'>x</a>",
    "drawing in a style": f'<style>a{{src:url("data:image/svg+xml;utf8,<svg><text>{PHONE}</text></svg>")}}</style>',
    "packed drawing": f"<style>a{{background:url(data:image/svg+xml;base64,{coded(SVG)})}}</style>",
    "packed text": f"<script>x='data:text/plain;base64,{coded(PHONE)}'</script>",
    "page in an attribute": "<iframe srcdoc='816-&lt;b&gt;555&lt;/b&gt;-0123'></iframe>",
    "instruction": f"<?php echo '{PHONE}'; ?>",
    "document type": f"<!DOCTYPE x '{PHONE}'>",
    "open comment": f"<!-- {PHONE}",
    "open script": f"<script> {PHONE}",
}


@pytest.mark.parametrize("name", PAGES)
def test_in_a_page(name: str) -> None:
    assert gone(f"<p>{KEPT}</p>{PAGES[name]}".encode(), "a.html")


HEAD = "From: a@b.example\nTo: c@d.example\nMIME-Version: 1.0\n"
INNER = f"From: a@b.example\nSubject: {PHONE}\nContent-Type: text/plain\n\n{PHONE}\n"
IN_TWO = f"Subject: =?utf-8?B?{coded('816-555-')}?=\n =?utf-8?Q?0123?=\n\n{KEPT}\n"


def mixed(part: str) -> str:
    return f"Content-Type: multipart/mixed; boundary=x\n\n--x\n\n{KEPT}\n--x\n{part}\n--x--\n"


def packed(media_type: str, content: bytes) -> str:
    return f"Content-Type: {media_type}\nContent-Transfer-Encoding: base64\n\n{base64.encodebytes(content).decode()}"


MAILS = {
    "quoted": f"Content-Transfer-Encoding: Quoted-Printable \n\n{KEPT}\n816-5=\n55-=30123\n",
    "packed": packed("text/plain", f"{KEPT} {PHONE}".encode()),
    "wide": packed("text/plain; charset=utf-16", f"{KEPT} {PHONE}".encode("utf-16")),
    "seven bits": f"Content-Type: text/plain; charset=utf-7\n\n{KEPT} +ADgAMQA2--555-0123\n",
    "page": f"Content-Type: text/html\n\n<p>{KEPT}</p><p>816-&#53;55-<b>0123</b></p>\n",
    "mail": mixed(f"Content-Type: message/rfc822\n\n{INNER}"),
    "packed mail": mixed(packed("message/rfc822", INNER.encode())),
    "letter": mixed(packed("application/octet-stream", docx(paragraph("816-", "555-0123")))),
    "words in two": IN_TWO,
    "words with a language": f"Subject: =?utf-8*en?q?816=2D555=2D0123?=\n\n{KEPT}\n",
    "name": mixed(f'Content-Type: text/plain; name="{PHONE}.txt"\n\nzz'),
    "name in pieces": mixed(
        "Content-Type: application/octet-stream\n"
        "Content-Disposition: attachment; filename*0*=utf-8''816%2D55; filename*1=\"5-0123.bin\"\n\nzz"
    ),
    "around parts": f"Content-Type: multipart/mixed; boundary=x\n\n{PHONE}\n--x\n\n{KEPT}\n--x--\n{PHONE}\n",
    "comment": f"Cc: Dana ({PHONE}) <a@b.example>\n\n{KEPT}\n",
}


@pytest.mark.parametrize("name", MAILS)
def test_in_a_mail(name: str) -> None:
    assert gone((HEAD + MAILS[name]).replace("\n", "\r\n").encode(), "a.eml")


@pytest.mark.parametrize(
    "mail",
    [
        f"Content-Transfer-Encoding: x-hex\n\n{PHONE.encode().hex()}\n",
        f"\n{KEPT}\nbegin 644 a\n{binascii.b2a_uu(PHONE.encode()).decode()}`\nend\n",
        mixed(packed("application/ms-tnef", PHONE.encode())),
        f"Content-Type: multipart/mixed\n\n{PHONE}\n",
    ],
    ids=["encoding", "lines", "winmail", "no boundary"],
)
def test_what_a_mail_packs_in_ways_that_are_not_read_is_told(mail: str) -> None:
    document = open_document((HEAD + mail).encode(), "eml")
    assert [one.what for one in document.unread if one.may_hide] == ["embedded_object"]


JSON = {
    "numbers": ('{"k":"kept words","a":"\\u0038\\u00316-555-0123"}', PHONE),
    "key": ('{"k":"kept words","816-555-0123":1}', PHONE),
    "number": ('{"k":"kept words","a":8165550123.0}', DIGITS),
    "twice": ('{"k":"kept words","a":"{\\"b\\":\\"816\\\\u002d555-0123\\"}"}', PHONE),
    "half a pair": ('{"k":"kept words","a":"\\ud83d\\ude00 816-555-0123 \\ud83d"}', PHONE),
    "two of a name": ('{"k":"kept words","a":"816-555-0123","a":1}', PHONE),
}


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_in_json(name: str, encoding: str) -> None:
    text, value = JSON[name]
    assert gone(text.encode(encoding), "a.json", value)


def test_a_document_packed_into_json_is_told() -> None:
    document = open_document(f'{{"a":"data:text/plain;base64,{coded(PHONE)}"}}'.encode(), "json")
    assert [(one.what, one.may_hide) for one in document.unread] == [("embedded_object", True)]


TABLES = {
    "quotes": f'a,b\n"{KEPT}","{PHONE}"\n',
    "quoted quotes": f'"x ""{PHONE}"" y",{KEPT}\n',
    "formula": f'"=""{PHONE}""",{KEPT}\n',
    "old line ends": f"a,{PHONE}\r{KEPT},b\r",
    "named delimiter": f"sep=;\n{PHONE};{KEPT}\n",
    "open quote": f'{KEPT},"{PHONE}\nx,y\n',
    "stray quotes": f'{KEPT};ab"{PHONE}"cd;x\n',
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32"])
def test_in_a_table(name: str, encoding: str) -> None:
    assert gone(TABLES[name].encode(encoding), "a.csv")
