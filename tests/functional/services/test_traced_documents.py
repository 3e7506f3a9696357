"""A trace of documents whose words do not stand in plain sight: each value in them is found."""

from __future__ import annotations

import base64
import quopri

import pytest
import typst

from registry.documents.ocr import Tesseract
from registry.services.trace import TraceAsk
from registry.services.uploads import Upload
from tests.functional.services.homes import Home
from tests.functional.services.test_evidence_items import inspector
from tests.functional.services.test_marked_copies import people

_SAID = "Dana0 Example\n1200 N Larkspur Ave Apt 1, Saint Paul, MN 55000\n651-555-0100, SSN 741-12-3456\n"
_HEAD = "From: a@city.example\nSubject: note\nMIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: "
_ALL = {"home_address", "phone:mobile", "ssn"}


def _mail(encoding: str) -> bytes:
    packed = base64.encodebytes(_SAID.encode())
    if encoding == "quoted-printable":
        packed = quopri.encodestring(_SAID.encode()).replace(b"741-12-3456", b"741-1=\n2-34=35=36")
    return f"{_HEAD}{encoding}\n\n".encode() + packed


def _picture() -> bytes:
    lines = "\n\n".join(_SAID.splitlines())
    page = f'#set page(width:auto,height:auto,margin:8pt)\n#set text(size:7pt,font:"DejaVu Sans Mono")\n{lines}'
    return bytes(typst.compile(page.encode(), format="png", ppi=96.0))


_FROM = b"From a@city.example Sat Jan  3 10:20:30 2026\n"
_CARD = (
    "BEGIN:VCARD\nVERSION:2.1\n"
    "ADR;HOME;ENCODING=QUOTED-PRINTABLE:;Apt 1;1200=20N=20Lark=\nspur=20Ave;Saint Paul;MN;55000\n"
    "TEL;CELL:651-5\n 55-0100\nNOTE:741-12-\n 3456\nEND:VCARD\n"
)
_DOCUMENTS = {
    "note.txt": _mail("base64"),
    "saved": _mail("quoted-printable"),
    "box.txt": _FROM + f"{_HEAD}8bit\n\nnothing\n\n".encode() + _FROM + _mail("base64"),
    "card.vcf": _CARD.encode(),
    "dump.csv": _SAID.encode("cp037"),
}


@pytest.mark.parametrize("name", _DOCUMENTS)
def test_values_are_found_that_no_search_of_the_file_would_find(home: Home, name: str) -> None:
    people(home, 2)
    content = _DOCUMENTS[name]
    assert b"741-12-3456" not in content
    report = home.app.trace.trace(inspector(home), TraceAsk("", upload=Upload(content, name))).stored.report
    assert {field.kind for field in report.outside} == _ALL
    assert report.question.not_read == ()


@pytest.mark.skipif(Tesseract.installed() is None, reason="tesseract is not installed")
def test_small_letters_of_a_picture_are_found(home: Home) -> None:
    people(home, 2)
    ask = TraceAsk("", upload=Upload(_picture(), "screen.png"))
    report = home.app.trace.trace(inspector(home), ask).stored.report
    assert {field.kind for field in report.outside} >= {"phone:mobile", "ssn"}
    assert report.question.not_read == (("image_read_by_ocr", 1),)


def test_what_stands_in_the_place_of_a_mail_is_told(home: Home) -> None:
    content = _FROM + _mail("base64") + b"\n" + _FROM + b"no header\n\nnothing\n"
    ask = TraceAsk("", upload=Upload(content, "box.mbox"))
    assert home.app.trace.trace(inspector(home), ask).stored.report.question.not_read == (("embedded_object", 1),)
