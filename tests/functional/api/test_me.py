"""The subject's own view."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.principals import Role
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.services.homes import person


def mine(site: Site, method: str, path: str, body: Any = None) -> Any:
    headers = site.as_(Role.SUBJECT, NUMBER)
    return site.http.request(method, path, headers=headers, **({} if body is None else {"json": body}))


def test_own_values_come_by_post(site: Site) -> None:
    subject = site.enroll()["subject"]
    answer = mine(site, "POST", "/v1/me/disclosures", {})
    assert (answer.status_code, answer.json()["subject"]) == (200, subject)
    assert {record["category"] for record in answer.json()["records"]} == {
        *(record["category"] for record in person()["records"]),
        "family_member",
    }
    said = site.said(answer.json()["receipt"]["index"])
    assert (said["purpose"], said["detail"].split(" variant")[0]) == ("own_record", "via self")


def test_own_values_can_be_chosen(site: Site) -> None:
    enrolled = site.enroll()
    phone = next(record["record"] for record in enrolled["records"] if record["category"] == "phone")
    by_category = mine(site, "POST", "/v1/me/disclosures", {"categories": ["phone"], "form": "as_entered"})
    by_record = mine(site, "POST", "/v1/me/disclosures", {"records": [phone]})
    assert [record["record"] for record in by_category.json()["records"]] == [phone]
    assert [record["record"] for record in by_record.json()["records"]] == [phone]
    assert mine(site, "POST", "/v1/me/disclosures", {"records": [phone], "categories": ["phone"]}).status_code == 422
    assert mine(site, "POST", "/v1/me/disclosures", {"subject": enrolled["subject"]}).status_code == 422


def test_nobody_elses_record_can_be_had(site: Site) -> None:
    site.enroll()
    other = next(record for record in site.enroll("T-0002")["records"] if record["category"] == "phone")["record"]
    answer = mine(site, "POST", "/v1/me/disclosures", {"records": [other]})
    assert (answer.status_code, "value" in answer.text) == (404, False)


def test_without_an_own_record_there_is_nothing(site: Site) -> None:
    site.enroll()
    headers = site.as_(Role.SUBJECT)
    assert site.http.post("/v1/me/disclosures", json={}, headers=headers).status_code == 404
    assert (site.last().kind, (site.last().values or {})["result"]) == ("deny", "denied not_found")
    for path in ("/v1/me/records", "/v1/me/accounting"):
        assert site.http.get(path, headers=headers).status_code == 404


def test_own_records_are_listed_without_values(site: Site) -> None:
    body = person()
    body["records"][0] |= {"confidentiality": "sealed", "review_on": "2027-01-31", "basis": "HR policy 12"}
    site.post("/v1/subjects", body, Role.ENROLLER)
    answer = mine(site, "GET", "/v1/me/records")
    address = next(record for record in answer.json()["records"] if record["category"] == "home_address")
    assert (address["confidentiality"], address["review_on"], address["version"]) == ("sealed", "2027-01-31", 1)
    for marker in ("Larkspur", "816-555", "741-12", "Brightwater", "HR policy"):
        assert marker not in answer.text
    assert site.last().kind == "audit-read"


def test_the_accounting_shows_who_asked_allowed_or_refused(site: Site) -> None:
    site.enroll()
    purpose = {"code": "emergency_contact", "case": "SECRET-CASE", "note": "about the neighbour"}
    site.disclose({"employee_number": NUMBER, "categories": ["phone"], "purpose": purpose})
    site.disclose({"employee_number": NUMBER, "categories": ["ssn"], "purpose": purpose})
    site.post("/v1/traces", {"text": "call 816 555 0142"}, Role.INVESTIGATOR)
    answer = mine(site, "GET", "/v1/me/accounting")
    lines = answer.json()["entries"]
    assert [line["kind"] for line in lines] == ["audit-read", "grant", "trace", "open", "deny", "disclose", "enroll"]
    released, refused = lines[5], lines[4]
    assert released["recipient"].endswith("#the reader")
    assert (released["purpose"], released["result"], released["categories"]) == (
        "emergency_contact",
        "permitted",
        ["phone"],
    )
    assert (refused["result"], refused["categories"]) == ("denied purpose_not_allowed", ["ssn"])
    # Who looks into a leak, why somebody asked and which rule decided are not for the people around it.
    for hidden in ("investigator", "SECRET-CASE", "neighbour", "plain/1", "findings"):
        assert hidden not in answer.text


@pytest.mark.parametrize("path", ["/v1/me/records", "/v1/me/accounting"])
def test_reading_is_for_subjects(site: Site, path: str) -> None:
    answer = site.get(path, Role.READER)
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_permitted")
    assert site.home.entries()[answer.json()["receipt"]["index"]].kind == "deny"
