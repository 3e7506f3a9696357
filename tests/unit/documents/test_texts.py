"""Plain text, tables, JSON, HTML and mail: read with the way back, and written without some of it."""

from __future__ import annotations

import json

import pytest

from registry.documents.formats import format_of, open_document
from registry.documents.model import MARK, Document, Span
from registry.domain.errors import UnreadableDocument
from tests.unit.documents.making import NAME, PHONE, SSN, docx, holds, line, mail, paragraph, pdf, xlsx


def opened(content: bytes, name: str) -> Document:
    return open_document(content, format_of(content, name=name))


def spans_of(document: Document, *values: str) -> list[Span]:
    """Every place where one of these values stands in the text; at least one of each."""
    found: list[Span] = []
    for value in values:
        assert value in document.text
        at = -1
        while (at := document.text.find(value, at + 1)) >= 0:
            found.append((at, at + len(value)))
    return found


def without(content: bytes, name: str, *values: str) -> bytes:
    document = opened(content, name)
    return document.redacted(spans_of(document, *values))


def test_a_text_is_written_without_a_value_and_keeps_all_else() -> None:
    assert without(f"call {PHONE}, please\r\n".encode(), "a.txt", PHONE) == f"call {MARK}, please\r\n".encode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_text_keeps_its_encoding(encoding: str) -> None:
    written = without(f"“Müller” {SSN}\n".encode(encoding), "a.txt", SSN)
    assert written.decode(encoding) == f"“Müller” {MARK}\n"


def test_a_place_of_a_text_is_line_and_column() -> None:
    document = opened(f"one\ntwo {SSN}".encode(), "a.txt")
    assert document.places(spans_of(document, SSN)) == [(("line", 2), ("column", 5))]


def test_a_cell_goes_and_the_columns_stay() -> None:
    table = f'name,address,ssn\n"{NAME}","1 A St, B",{SSN}\n'
    assert (
        without(table.encode(), "a.csv", SSN, "1 A St, B") == f'name,address,ssn\n"{NAME}","{MARK}",{MARK}\n'.encode()
    )


def test_a_range_over_cells_leaves_the_delimiters() -> None:
    document = opened(b"a\tb\tc\n1\t2\t3\n", "a.tsv")
    start = document.text.index("1")
    assert document.redacted([(start, start + 5)]) == f"a\tb\tc\n{MARK}\t{MARK}\t{MARK}\n".encode()


def test_a_place_of_a_table_is_row_and_column() -> None:
    document = opened(f"a;b\nx;{SSN}\n".encode(), "a.csv")
    assert document.places(spans_of(document, SSN)) == [(("row", 2), ("column", 2))]


def test_stray_quotes_do_not_take_long() -> None:
    document = opened(b'"a' * 200_000, "a.csv")
    assert document.redacted([(0, 1)])


def test_json_is_read_without_its_escapes_and_stays_json() -> None:
    text = json.dumps({"phone": "816‑555‑0123", "ssn": 900123456, "list": [SSN, "kept"]})
    document = opened(text.encode(), "a.json")
    written = document.redacted(spans_of(document, "816‑555‑0123", "900123456", SSN))
    assert json.loads(written) == {"phone": MARK, "ssn": MARK, "list": [MARK, "kept"]}


def test_a_value_over_two_json_strings_leaves_json() -> None:
    document = opened(b'["Dana", "Example", 12]', "a.json")
    written = document.redacted([(2, document.text.index("12") + 1)])
    assert json.loads(written) == [MARK, MARK, MARK]


def test_lines_of_json_are_json() -> None:
    document = opened(f'{{"a":"{SSN}"}}\n{{"a":1}}\n'.encode(), "a.ndjson")
    assert document.places(spans_of(document, SSN)) == [(("line", 1), ("column", 7))]


def test_html_is_read_as_seen_and_loses_what_is_unseen() -> None:
    page = (
        f"<html><!-- {SSN} --><body title='{SSN}'><p>Call 816-<b>555</b>-01&#50;3</p>"
        f"<a href='tel:816%2D555%2D0123'>x</a><script>var a='{SSN}'</script></body></html>"
    )
    written = without(page.encode(), "a.html", PHONE, SSN)
    assert not holds(written, SSN)
    assert b"555" not in written
    assert written.startswith(b"<html><!-- [redacted] --><body title='[redacted]'><p>Call [redacted]<b></b></p>")


def test_a_row_of_an_html_table_is_a_line() -> None:
    document = opened(b"<table><tr><td>a</td><td>b<br>c</td></tr><tr><td>d</td><td>e</td></tr></table>", "a.html")
    assert document.text.strip().splitlines() == ["a\tb c", "d\te"]


def test_unclosed_tags_do_not_take_long() -> None:
    assert opened(b"<a b='" * 100_000, "a.html").text
    assert opened(b"<!--" * 100_000, "a.html").text


def test_a_mail_loses_values_in_every_part() -> None:
    inner = mail(f"inside {SSN}")
    content = mail(
        f"My number is {SSN}",
        subject=f"=?utf-8?q?about_{SSN.replace('-', '=2D')}?=",
        attached=[
            ("a.csv", "text/csv", f"name,ssn\nx,{SSN}\n".encode()),
            ("b.docx", "application/octet-stream", docx(paragraph(SSN[:5], SSN[5:]))),
            ("c.pdf", "application/pdf", pdf(line(SSN))),
            ("d.xlsx", "application/octet-stream", xlsx(['<row r="1"><c r="A1" t="s"><v>0</v></c></row>'], [SSN])),
            ("e.eml", "message/rfc822", inner),
        ],
    )
    document = opened(content, "a.eml")
    assert document.text.count(SSN) == 7
    written = document.redacted(spans_of(document, SSN))
    assert SSN not in opened(written, "a.eml").text
    assert not holds(written, SSN)
    assert opened(written, "a.eml").text.count(MARK) >= 6


def test_what_cannot_be_read_in_a_mail_is_told_and_goes() -> None:
    content = mail("x", attached=[("a.zip", "application/zip", b"PK\x03\x04" + SSN.encode())])
    document = opened(content, "a.eml")
    assert [one.what for one in document.unread] == ["embedded_object"]
    assert all(one.may_hide for one in document.unread)
    assert not holds(document.redacted([]), SSN)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"\x89PNG\r\n", "a.txt", "broken_image"),
        (b"\x1f\x8b\x08", "a.txt", "unsupported_format"),
        (b"{}", "a.docx", "broken_archive"),
        (b"hello", "a.pdf", "broken_pdf"),
        (b"hello", "a.exe", "unsupported_format"),
        (b"{not json", "a.json", "not_json"),
        (b"a\0b", "a.txt", "not_text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"E\0n\0c\0r\0y\0p\0t\0e\0d\0", "a.docx", "encrypted"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1Word", "a.doc", "old_office"),
        (b"no headers at all", "a.eml", "not_mail"),
        (b"x" * ((15 << 20) + 1), "a.txt", "too_large"),
    ],
)
def test_what_is_no_such_document_is_refused_with_a_code(content: bytes, name: str, code: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        opened(content, name)
    assert refused.value.code == code


def test_the_content_tells_the_format_whatever_the_name_says() -> None:
    assert format_of(docx(""), name="a.txt") == "docx"
    assert format_of(xlsx([""]), media_type="text/plain") == "xlsx"
    assert format_of(pdf(line("x")), name="a.docx") == format_of(pdf(line("x")), name="a.txt") == "pdf"


def test_mail_in_mail_in_mail_ends() -> None:
    content = mail("x")
    for _ in range(6):
        content = mail("x", attached=[("a.eml", "message/rfc822", content)])
    with pytest.raises(UnreadableDocument) as refused:
        opened(content, "a.eml")
    assert refused.value.code == "nested_too_deep"
