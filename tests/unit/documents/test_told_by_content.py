"""Mail, cards and mainframe text whose name does not say what they are: told by their content, and read whole."""

from __future__ import annotations

import base64
import contextlib
import quopri
import time

import pytest

from registry.documents import content_lines
from registry.documents.content_lines import read_content_lines
from registry.documents.ebcdic import ebcdic_page
from registry.documents.formats import format_of, open_document
from registry.documents.limits import MAX_MAILS
from registry.documents.mailbox import read_mailbox
from registry.documents.model import MARK, Document
from registry.domain.errors import UnreadableDocument
from tests.unit.documents.making import NAME, PHONE, SSN, STREET, mail
from tests.unit.documents.test_images import GREY
from tests.unit.documents.test_texts import spans_of

_FROM = b"From clerk@city.example Sat Jan  3 10:20:30 2026\n"


def opened(content: bytes, name: str = "", media_type: str = "") -> Document:
    return open_document(content, format_of(content, media_type, name))


def coded(body: str, encoding: str = "base64") -> bytes:
    packed = base64.encodebytes(body.encode()) if encoding == "base64" else quopri.encodestring(body.encode())
    head = "Received: by mx.example; x\nFrom: a@city.example\nSubject: note\nMIME-Version: 1.0\n"
    return f"{head}Content-Type: text/plain\nContent-Transfer-Encoding: {encoding}\n\n".encode() + packed


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize("name", ["", "note.txt", "note.log"])
def test_a_coded_mail_is_opened_whatever_it_is_called(encoding: str, name: str) -> None:
    content = coded(f"{SSN} {'=' * 90} {PHONE}", encoding)
    assert format_of(content, name=name) == "eml"
    assert SSN in opened(content, name).text
    assert PHONE in opened(b"\n" + content, name).text


def test_a_pasted_mail_in_plain_sight_stays_a_text() -> None:
    plain = b"From: a@city.example\nTo: b@city.example\nSubject: note\n\nContent-Transfer-Encoding: base64\n"
    assert format_of(plain) == "txt"
    assert format_of(b"Note: =?utf-8?b?eA==?=\nIt: is no mail\n\n") == "txt"


def test_all_mails_of_a_mailbox_are_read() -> None:
    mails = [coded(SSN), coded(PHONE, "quoted-printable"), mail(STREET, attached=[("a.txt", "text/plain", b"hello")])]
    content = b"\n".join(_FROM + one for one in mails)
    for name in ("", "box.mbox", "box.txt", "box.eml"):
        document = opened(content, name)
        assert all(value in document.text for value in (SSN, PHONE, STREET, "hello"))
        at = document.text.index(PHONE)
        assert document.places([(at, at + 1)]) == [(("mail", 2),)]
        assert document.unread == ()


def test_what_stands_in_the_place_of_a_mail_is_read_and_told() -> None:
    content = _FROM + coded(PHONE) + b"\n" + _FROM + b"no header at all\n\n" + SSN.encode()
    document = opened(content)
    assert SSN in document.text
    assert [(one.what, one.place, one.may_hide) for one in document.unread] == [
        ("embedded_object", (("mail", 2),), True)
    ]


def test_a_mailbox_is_never_read_in_part() -> None:
    content = (_FROM + b"From: a@x.example\nTo: b@x.example\n\nx\n\n") * (MAX_MAILS + 1)
    with pytest.raises(UnreadableDocument, match="too_large"):
        opened(content)


@pytest.mark.parametrize(
    "content",
    [
        (b"From a" * 200_000),
        (_FROM[:-1] * 20_000),
        b"From: a\nTo: b\n" + b"X:\n " * 300_000,
        b"From: a\nTo: b\nSubject: " + b"=?" * 500_000,
        b"BEGIN:VCARD\n" + b"A;" * 300_000,
        b"BEGIN:VCARD\n" + b"NOTE;ENCODING=QUOTED-PRINTABLE:=\n" * 40_000,
        b'BEGIN:VCARD\nA;="' * 60_000,
    ],
)
def test_hostile_beginnings_take_no_time(content: bytes) -> None:
    begin = time.process_time()
    with contextlib.suppress(UnreadableDocument):
        opened(content)
    assert time.process_time() - begin < 2.0


_CARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Example;Dana;Q.;Dr.;\r\nFN:Dr. Dana\r\n  Q. Example\r\n"
    'item1.ADR;TYPE=HOME:;Apt 4;1234 Exam\r\n ple Rd;Dayton;OH;45402;USA\r\nTEL;TYPE="CELL:x":816-5\r\n\t55-0123\r\n'
    "BDAY:1961-04-27\r\nNOTE:one\\, two\\nSSN 900-12\r\n -3456\r\nEND:VCARD\r\n"
)


@pytest.mark.parametrize("name", ["", "a.vcf", "a.txt"])
def test_lines_of_a_card_that_go_on_are_joined(name: str) -> None:
    text = opened(_CARD.encode(), name).text
    assert "fn: Dr. Dana Q. Example\n" in text
    assert "n: Dr. Dana Q. Example\n" in text
    assert "adr: 1234 Example Rd, Apt 4, Dayton, OH 45402, USA\n" in text
    assert f"tel: {PHONE}\n" in text
    assert "one, two\nSSN 900-12-3456" in text


def test_a_card_in_quoted_printable_is_read() -> None:
    content = (
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Villase=C3=B1or;Dana\n"
        "ADR;HOME;ENCODING=QUOTED-PRINTABLE:;;1234=20Exam=\nple=20Rd;Dayton;OH;45402\nTEL;CELL:816-555-0123\nEND:VCARD\n"
    )
    text = opened(content.encode()).text
    assert "n: Dana Villaseñor" in text
    assert f"adr: {STREET}, Dayton, OH 45402\n" in text
    assert PHONE in text


def test_what_a_card_carries_is_opened_or_told() -> None:
    packed = base64.b64encode(SSN.encode()).decode()
    key = f"KEY;ENCODING=B:{packed[:8]}\n {packed[8:]}\nPHOTO;ENCODING=BASE64;TYPE=WEBP:UklG\n"
    card = f"BEGIN:VCARD\nFN:{NAME}\n{key}END:VCARD\n"
    document = opened(card.encode())
    assert SSN in document.text
    portrait = f"PHOTO:data:image/x;base64,{base64.b64encode(b'7z' + bytes.fromhex('bcaf271c')).decode()}\n"
    told = opened(card.replace("END", portrait + "END").encode()).unread
    assert ("image", (("card", 1), ("property", "photo")), True) in [
        (one.what, one.place, one.may_hide) for one in told
    ]


def test_cards_stand_apart_and_a_calendar_is_read() -> None:
    text = opened(_CARD.encode() * 2).text
    assert "\n\n" in text.strip()
    event = "BEGIN:VEVENT\nLOCATION:1234 Example\n  Rd\\, Dayton\nX-OWN:900-12\n -3456\nEND:VEVENT\n"
    text = opened(f"BEGIN:VCALENDAR\n{event}END:VCALENDAR\n".encode(), "party.ics").text
    assert f"location: {STREET}, Dayton" in text
    assert SSN in text


_LINES = f"{NAME};{STREET};{PHONE};{SSN}"


@pytest.mark.parametrize("page", ["cp037", "cp500", "cp1140"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\x85"])
def test_ebcdic_is_told_by_its_content(page: str, line_end: str) -> None:
    content = line_end.join([_LINES] * 4).encode(page)
    document = opened(content, "dump.csv")
    assert document.text.replace(line_end, "\n") == "\n".join([_LINES] * 4)
    copy = document.redacted(spans_of(document, SSN)[:1])
    # Brackets differ between pages, and nothing in the text tells which it is of.
    assert copy.decode(page).replace("¬", "[").replace("|", "]") == line_end.join([_LINES] * 4).replace(SSN, MARK, 1)


def test_page_1047_differs_from_it_in_signs_alone() -> None:
    # Brackets of page 1047, which Python has no name for.
    content = f"{NAME} lives at {STREET}".encode("cp037") + b"\x40\xad" + SSN.encode("cp037") + b"\xbd"
    assert f"{NAME} lives at {STREET} " in opened(content).text
    assert SSN in opened(content).text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Größe über öffentliche Straßen. " * 4, "cp1252"),
        ("Завтра в школе нет уроков. " * 4, "cp1251"),
        ("Завтра в школе нет уроков. " * 4, "koi8-r"),
        ("Завтра в школе нет уроков. " * 4, "utf-8"),
        ("明日は学校が休みです。" * 8, "shift_jis"),
        ("明日は学校が休みです。" * 8, "euc_jp"),
        ("Αύριο δεν έχει σχολείο. " * 4, "cp1253"),
    ],
)
def test_other_alphabets_are_not_taken_for_ebcdic(text: str, encoding: str) -> None:
    assert ebcdic_page(text.encode(encoding)) is None


@pytest.mark.parametrize(
    "text",
    [
        "a,b;c.d:" * 10,  # as many signs as letters
        "abcdefgh\x00\x01" * 10,
    ],
)
def test_what_reads_as_no_words_is_not_taken_for_ebcdic(text: str) -> None:
    assert ebcdic_page(text.encode("cp037")) is None


def test_what_is_utf_8_is_not_taken_for_ebcdic() -> None:
    assert "É".encode().decode("cp037") == "Ci"
    assert ebcdic_page("É".encode() * 40) is None


def too_large(content: bytes, form: str) -> Document:
    if form == "txt":
        return opened(content, "a.txt")
    raise UnreadableDocument("too_large")


def with_image(_: bytes, __: str) -> Document:
    return opened(mail("hello", attached=[("a.png", "image/png", GREY)]), "a.eml")


def test_what_is_beyond_a_limit_inside_is_beyond_it() -> None:
    with pytest.raises(UnreadableDocument, match="too_large"):
        read_mailbox(_FROM + coded(SSN), too_large)
    with pytest.raises(UnreadableDocument, match="too_large"):
        read_content_lines(b"BEGIN:VCARD\nKEY;ENCODING=B:AAAA\nEND:VCARD\n", too_large)


def test_a_card_of_too_many_characters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_lines, "MAX_TEXT_CHARACTERS", 40)
    with pytest.raises(UnreadableDocument, match="too_large"):
        opened(_CARD.encode())


def test_what_is_not_read_inside_is_told_with_its_place() -> None:
    assert [one.what for one in with_image(b"", "").unread] == ["image"]
    box = read_mailbox(_FROM + coded(SSN), with_image)
    assert [(one.what, one.place[0]) for one in box.unread] == [("image", ("mail", 1))]
    card = read_content_lines(b"BEGIN:VCARD\nKEY;ENCODING=B:AAAA\nEND:VCARD\n", with_image)
    assert [(one.what, one.place[:2]) for one in card.unread] == [("image", (("card", 1), ("property", "key")))]


def test_a_name_of_no_standard_is_not_told() -> None:
    (unread,) = opened(f"BEGIN:VCARD\n{SSN};ENCODING=B:N3q8ryccAAAA\nEND:VCARD\n".encode()).unread
    assert unread.place == (("card", 1), ("property", "other"))


def test_a_line_of_a_card_that_is_none_is_read() -> None:
    assert f"{NAME} {SSN}" in opened(f"BEGIN:VCARD\n{NAME} {SSN}\nEND:VCARD\n".encode()).text


def test_a_text_that_begins_like_a_mailbox_is_none_without_headers() -> None:
    assert format_of(_FROM + b"and nobody knew: who had come\n") == "txt"


@pytest.mark.timeout(30)
def test_a_value_that_goes_on_for_ever_is_read_in_one_go() -> None:
    """Looked at from its beginning for each line, this would take hours."""
    soft = "=\n" * 1_000_000
    content = f"BEGIN:VCARD\nNOTE;ENCODING=QUOTED-PRINTABLE:{soft}{SSN}\nEND:VCARD\n".encode()
    assert SSN in opened(content, "a.vcf").text
