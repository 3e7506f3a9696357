"""Checking a document over HTTP: the answer, its receipt, and what is refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from registry.domain.principals import Role
from tests.functional.api.conftest import Site
from tests.unit.documents.making import docx, line, paragraph, pdf
from tests.unit.documents.test_images import GREY, needs_tesseract, picture

PHONE = "816-555-0142"


def body(content: bytes, name: str = "letter.txt", **changes: Any) -> dict[str, Any]:
    file = {"content": base64.b64encode(content).decode(), "name": name}
    return {"file": file, "purpose": {"code": "records_request", "case": "RR-1"}} | changes


def test_places_and_a_copy(site: Site) -> None:
    site.enroll()
    answer = site.post("/v1/release-checks", body(f"Call {PHONE}, not 816-555-0199.".encode()), Role.RECORDS_OFFICER)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    (place,) = document["places"]
    assert (place["kind"], place["certain"], place["at"]) == ("phone:mobile", True, [["line", 1], ["column", 6]])
    assert base64.b64decode(document["redacted"]["content"]) == b"Call [redacted], not 816-555-0199."
    assert document["redacted"]["media_type"] == "text/plain"
    assert not document["clean"]
    assert site.home.entries()[document["receipt"]["index"]].kind == "release-check"
    assert "T-0001" not in answer.text
    assert "Brightwater" not in answer.text


def test_office_documents_and_pdf(site: Site) -> None:
    site.enroll()
    for content in (docx(paragraph(f"Call {PHONE}")), pdf(line(f"Call {PHONE}"))):
        document = site.post("/v1/release-checks", body(content, "a.txt"), Role.RECORDS_OFFICER).json()
        assert document["format"] in ("docx", "pdf")
        assert PHONE.encode() not in base64.b64decode(document["redacted"]["content"])


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"file": {"content": "@@"}}, 422, "invalid"),
        ({"file": {"content": "", "path": "x"}}, 422, "invalid"),
        ({"purpose": {"code": "payroll"}}, 422, "invalid"),
        ({"file": {"content": base64.b64encode(b"PK\x03\x04x").decode()}}, 400, "broken_archive"),
        ({"file": {"content": base64.b64encode(b"\x89PNG").decode()}}, 400, "broken_image"),
        ({"file": {"content": base64.b64encode(b"\x1f\x8b").decode()}}, 400, "unsupported_format"),
    ],
)
def test_what_is_no_document_is_refused(site: Site, changes: dict[str, Any], status: int, code: str) -> None:
    answer = site.post("/v1/release-checks", body(b"x", **changes), Role.RECORDS_OFFICER)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_cannot_be_read_has_a_receipt_too(site: Site) -> None:
    file = {"content": base64.b64encode(b"%PDF-1.7").decode()}
    checked = site.post("/v1/release-checks", body(b"", file=file), Role.RECORDS_OFFICER)
    traced = site.post("/v1/traces", {"file": file}, Role.INVESTIGATOR)
    for answer, kind in ((checked, "release-check"), (traced, "trace")):
        assert (answer.status_code, answer.json()["code"]) == (400, "broken_pdf")
        entry = site.home.entries()[answer.json()["receipt"]["index"]]
        assert (entry.kind, (entry.values or {})["result"]) == (kind, "unreadable broken_pdf")
        assert answer.headers["Audit-Receipt"].split()[1] == str(entry.index)


def test_a_prober_gets_429_with_a_receipt(site: Site) -> None:
    site.enroll()
    headers = {"Authorization": f"Bearer {site.token('prober', Role.RECORDS_OFFICER)}"}
    tries = [f"Dana Brightwater, 816-555-01{number:02}".encode() for number in (1, 2, 3, 42)]
    site.home.clock.step(1)
    answers = [site.http.post("/v1/release-checks", json=body(one), headers=headers) for one in tries]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[3].json()["code"] == "quota_exceeded"
    assert answers[3].headers["audit-receipt"]


@needs_tesseract
def test_a_picture_of_a_text_is_traced(site: Site) -> None:
    site.enroll()
    file = {"content": base64.b64encode(picture(f"Call {PHONE} after nine in the morning.")).decode()}
    answer = site.post("/v1/traces", {"file": file}, Role.INVESTIGATOR)
    assert answer.status_code == 201, answer.text
    (found,) = answer.json()["findings"]
    text = site.post(f"/v1/traces/{answer.json()['trace']}/reveal", None, Role.INVESTIGATOR).json()["text"]
    ((start, end),) = found["spans"]
    assert text[start:end] == PHONE


def test_a_picture_is_415_where_nothing_reads_it(site: Site) -> None:
    object.__setattr__(site.home.app.trace._matching, "images", None)
    answer = site.post("/v1/traces", {"file": {"content": base64.b64encode(GREY).decode()}}, Role.INVESTIGATOR)
    assert (answer.status_code, answer.json()["code"]) == (415, "ocr_unavailable")
    assert answer.json()["receipt"]["index"] == site.home.entries()[-1].index


def test_a_document_is_traced(site: Site) -> None:
    site.enroll()
    file = {"content": base64.b64encode(docx(paragraph("Call 816-", "555-0142"))).decode()}
    answer = site.post("/v1/traces", {"file": file}, Role.INVESTIGATOR)
    assert answer.status_code == 201, answer.text
    assert [found["kind"] for found in answer.json()["findings"]] == ["phone:mobile"]
    both = site.post("/v1/traces", {"file": file, "text": "x"}, Role.INVESTIGATOR)
    assert (both.status_code, both.json()["errors"][0]["code"]) == (422, "exactly_one")


def test_a_place_stays_once_somebody_else_agreed(site: Site) -> None:
    site.enroll()
    content = f"Call {PHONE}, not 816-555-0199.".encode()
    (place,) = site.post("/v1/release-checks", body(content), Role.RECORDS_OFFICER).json()["places"]
    asked = body(content, waive={"places": [place["place"]], "reason": "The press office's own line"})
    waiting = site.post("/v1/release-checks", asked, Role.RECORDS_OFFICER)
    assert (waiting.status_code, waiting.json()["state"]) == (202, "pending")
    request = waiting.headers["location"]
    shown = site.get(request, Role.RECORDS_OFFICER).json()
    assert (shown["action"], shown["subject"]) == ("waive", None)
    assert PHONE not in shown["about"]
    assert site.post(f"{request}/approve", {"note": "seen"}, Role.APPROVER).status_code == 200
    document = site.post("/v1/release-checks", asked, Role.RECORDS_OFFICER).json()
    assert [one["waived"] for one in document["places"]] == [True]
    assert base64.b64decode(document["redacted"]["content"]) == content


@pytest.mark.parametrize(
    ("waive", "pointer", "code"),
    [
        ({}, "/waive/places", "missing"),
        ({"places": [], "reason": "A reason that says something"}, "/waive/places", "missing"),
        ({"places": ["x"], "reason": "A reason that says something"}, "/waive/places/0", "id_form"),
        ({"places": ["0" * 32] * 2, "reason": "A reason that says something"}, "/waive/places/1", "repeated"),
        ({"places": ["0" * 32] * 201, "reason": "A reason that says something"}, "/waive/places", "too_many"),
        ({"places": ["0" * 32], "reason": "short"}, "/waive/reason", "too_short"),
        ({"places": ["0" * 32], "reason": "A reason that says something"}, "/waive/places", "unknown_place"),
        ([], "/waive", "wrong_type"),
    ],
)
def test_a_waiver_that_is_none_is_refused(site: Site, waive: Any, pointer: str, code: str) -> None:
    site.enroll()
    answer = site.post("/v1/release-checks", body(f"Call {PHONE}".encode(), waive=waive), Role.RECORDS_OFFICER)
    assert answer.status_code == 422
    assert {"pointer": pointer, "code": code} in answer.json()["errors"]
