"""A document before it is published, in the console: places, the copy, and what stays with another person's word."""

from __future__ import annotations

import gc
import io
import re
import tempfile
from base64 import b64decode
from typing import Any

import pytest

from registry.console.sessions import Session
from registry.documents.formats import open_document
from registry.documents.limits import MAX_FILE_BYTES
from registry.domain.principals import Role
from tests.functional.console.browsers import Browser
from tests.functional.services.homes import Home
from tests.unit.documents.making import docx, paragraph

PHONE = "816-555-0142"
LETTER = f"Call {PHONE}, not 816-555-0199.".encode()
REASON = "The office line, published by the person"


@pytest.fixture
def officer(home: Home, browser: Browser) -> Browser:
    home.enroll()
    browser.sign_in("otto", Role.RECORDS_OFFICER)
    return browser


def check(browser: Browser, content: bytes, name: str = "letter.txt", **fields: Any) -> Any:
    asked = {"purpose": "records_request", "case": "RR-1"} | fields
    return browser.post("/console/release", asked, files={"file": (name, content)})


def copy_in(page: Any) -> bytes:
    found = re.search(r'href="data:application/octet-stream;base64,([^"]*)" download="redacted\.\w+"', page.text)
    assert found is not None, page.text
    return b64decode(found[1])


def places(page: Any) -> list[str]:
    return re.findall(r'name="place" value="(\w{32})"', page.text)


def test_places_and_kinds_are_shown_and_no_value_and_the_copy_is_in_the_page(officer: Browser) -> None:
    page = check(officer, LETTER)
    assert page.status_code == 200
    assert "line 1, column 6" in page.text
    assert "Phone number" in page.text
    assert not any(text in page.text for text in (PHONE, "Brightwater", "T-0001"))
    assert copy_in(page) == b"Call [redacted], not 816-555-0199."
    entry = officer.home.entries()[-1]
    assert (entry.kind, page.headers["audit-receipt"].split()[1]) == ("release-check", str(entry.index))
    assert page.headers["cache-control"] == "no-store"


def test_office_documents_are_checked(officer: Browser) -> None:
    page = check(officer, docx(paragraph(f"Call {PHONE}")), "letter.docx")
    assert "body, paragraph 1" in page.text
    assert "Call [redacted]" in open_document(copy_in(page), "docx").text


def test_clean_and_not_read_are_told_apart(officer: Browser) -> None:
    assert "Nothing protected was found,</strong>" in check(officer, b"The council met.").text
    hiding = check(officer, docx(paragraph("x"), word_0_vbaProject__bin=b"x"), "a.docx").text
    assert "a part could not be read" in hiding
    assert "It may hide something" in hiding


def test_a_place_stays_once_an_approver_agreed(officer: Browser) -> None:
    (place,) = places(check(officer, LETTER))
    waits = check(officer, LETTER, place=place, reason=REASON)
    assert waits.status_code == 202
    assert officer.home.entries()[-1].kind == "request"
    request = re.search(r'href="(/console/requests/\w+)"', waits.text)
    assert request is not None
    other = Browser(officer.home, officer.site)
    other.sign_in("ada", Role.APPROVER)
    shown = other.get(request[1]).text
    assert "Let a protected value stay in a document" in shown
    assert REASON in shown
    assert PHONE not in shown
    assert other.post(request[1], {"verdict": "approve"}).status_code == 303
    # What was chosen stands in the form again; the document is chosen once more.
    again = officer.get("/console/release").text
    assert places(officer.get("/console/release")) == [place]
    assert "checked" in again
    assert REASON in again
    page = check(officer, LETTER, place=place, reason=REASON)
    assert "stays, as agreed" in page.text
    assert copy_in(page) == LETTER
    assert places(officer.get("/console/release")) == []


def test_places_of_another_document_are_refused_beside_the_document(officer: Browser) -> None:
    (place,) = places(check(officer, LETTER))
    page = check(officer, LETTER + b" ", place=place, reason=REASON)
    assert page.status_code == 422
    assert 'id="file-error"' in page.text
    assert places(page) == [place]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"purpose": ""}, "purpose"),
        ({"case": "x" * 101}, "case"),
        ({"reason": REASON}, "place"),
        ({"place": "0" * 32}, "reason"),
        ({"place": "0" * 32, "reason": "short"}, "reason"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(officer: Browser, fields: dict[str, str], field: str) -> None:
    before = len(officer.home.rows())
    page = check(officer, LETTER, **fields)
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text
    assert f'id="{field}"' in page.text
    assert len(officer.home.rows()) == before


def test_a_document_is_needed_and_has_a_limit(officer: Browser) -> None:
    assert 'id="file-error"' in officer.post("/console/release", {"purpose": "publication"}).text
    large = check(officer, b"x" * (MAX_FILE_BYTES + 1))
    assert (large.status_code, "larger than 15 MB" in large.text) == (422, True)
    assert check(officer, b"x" * (MAX_FILE_BYTES + (1 << 17))).status_code == 413


def test_what_cannot_be_read_says_its_entry(officer: Browser) -> None:
    page = check(officer, b"%PDF-1.7", "a.pdf")
    assert page.status_code == 400
    assert f"entry {officer.home.entries()[-1].index} of the ledger" in page.text


def test_a_document_is_in_no_file_and_no_session(officer: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for name in ("TemporaryFile", "NamedTemporaryFile", "mkstemp", "SpooledTemporaryFile", "_mkstemp_inner"):
        monkeypatch.setattr(tempfile, name, lambda *_args, _name=name, **_options: made.append(_name) or io.BytesIO())
    (place,) = places(check(officer, LETTER + b"\n" * 2_000_000))
    assert check(officer, LETTER + b"\n" * 2_000_000, place=place, reason=REASON).status_code == 202
    assert made == []
    kept = [one for one in gc.get_objects() if isinstance(one, Session) and one.waiver.get("place") == [place]]
    assert len(kept) == 1
    assert set(kept[0].waiver) == {"purpose", "case", "note", "place", "reason"}


def test_another_session_does_not_see_what_was_asked(officer: Browser) -> None:
    (place,) = places(check(officer, LETTER))
    check(officer, LETTER, place=place, reason=REASON)
    other = Browser(officer.home, officer.site)
    other.sign_in("otis", Role.RECORDS_OFFICER)
    assert REASON not in other.get("/console/release").text
