"""The pages of who enrolls people and of who sets roles: what they do, what they refuse, what stands in the ledger."""

from __future__ import annotations

import json
import re

import pytest

from registry.domain.principals import Role
from tests.functional.console.browsers import Browser, newest, said
from tests.functional.services.homes import Home, person

# ---- enroller ----


def test_one_person_is_enrolled_and_no_value_comes_back(home: Home, browser: Browser) -> None:
    browser.sign_in("hr.lee", Role.ENROLLER)
    fields = {
        "employee_number": "T-0042",
        "given_name": "Wren",
        "family_name": "Quist",
        "department": "Water",
        "home_address": "88 Orchard Row, Fairhollow, MO 64999",
        "phone": "816-555-0177",
        "date_of_birth": "1990-04-05",
    }
    answer = browser.post("/console/enroll", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/enroll")
    page = browser.get("/console/enroll").text
    assert "The person is enrolled with 3 protected values." in page
    assert not any(text in page for text in ("Orchard", "816-555-0177", "Wren"))
    assert {line.category for line in newest(home, "enroll").records} >= {"home_address", "phone", "date_of_birth"}
    again = browser.post("/console/enroll", fields)
    assert again.status_code == 422
    assert "This employee number is enrolled already." in again.text


def test_wrong_fields_of_a_person_are_named(browser: Browser) -> None:
    browser.sign_in("hr.lee", Role.ENROLLER)
    fields = {"employee_number": "T-1", "family_name": "Quist", "phone": "12", "ssn": "000-00-0000"}
    answer = browser.post("/console/enroll", fields)
    assert answer.status_code == 422
    assert sorted(re.findall(r'<a href="#(\w+)">', answer.text)) == ["department", "phone", "ssn"]


def lines(*documents: object) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def test_a_file_is_enrolled_line_by_line(home: Home, browser: Browser) -> None:
    browser.sign_in("hr.lee", Role.ENROLLER)
    other = person("T-2", family=[], records=[])
    content = lines(person("T-1"), {"unknown": "741-12-3456"}, other)
    first = browser.post("/console/import", files={"file": ("people.NDJSON", content)})
    assert first.status_code == 200
    assert counts(first.text) == {"Lines read": 3, "Enrolled": 2, "Updated": 0, "Unchanged": 0, "Rejected": 1}
    assert "741-12-3456" not in first.text
    assert '<th scope="row">2</th>' in first.text

    changed = lines(person("T-1"), other | {"title": "Chief"})
    kept = browser.post("/console/import", {"existing": "reject"}, files={"file": ("p.jsonl", changed)})
    assert counts(kept.text) == {"Lines read": 2, "Enrolled": 0, "Updated": 0, "Unchanged": 1, "Rejected": 1}
    assert "is enrolled already, with other content" in kept.text
    brought = browser.post("/console/import", {"existing": "update"}, files={"file": ("p.jsonl", changed)})
    assert counts(brought.text) == {"Lines read": 2, "Enrolled": 0, "Updated": 1, "Unchanged": 1, "Rejected": 0}
    assert "Every line is in." in brought.text


def counts(page: str) -> dict[str, int]:
    pairs = re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page)
    return {name.replace("Brought up to date", "Updated"): int(count) for name, count in pairs}


def test_a_csv_file_is_enrolled(browser: Browser) -> None:
    browser.sign_in("hr.lee", Role.ENROLLER)
    content = b"employee_number,given_name,family_name,department\nT-7,Wren,Quist,Water\n"
    answer = browser.post("/console/import", files={"file": ("people.csv", content)})
    assert counts(answer.text)["Enrolled"] == 1, answer.text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("people.xlsx", b"PK", "must end in .csv, .ndjson or .jsonl"),
        ("people.csv", b"", "Choose a file that is not empty."),
        ("people.csv", b"x" * ((5 << 20) + 1), "The file is larger than 5 MB."),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(browser: Browser, name: str, content: bytes, words: str) -> None:
    browser.sign_in("hr.lee", Role.ENROLLER)
    answer = browser.post("/console/import", files={"file": (name, content)})
    assert answer.status_code == 422
    assert words in answer.text


# ---- security administrator ----


def test_an_administrator_sets_roles_and_it_is_an_entry(home: Home, browser: Browser) -> None:
    browser.sign_in("sam", Role.SECURITY_ADMIN)
    fields = {
        "issuer": "https://issuer.example",
        "sub": "new.clerk",
        "roles": ["reader", "approver"],
        "unit": "Records",
        "employee_number": "T-5",
    }
    answer = browser.post("/console/principals", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/principals")
    page = browser.get("/console/principals").text
    assert "Roles were saved." in page
    assert "<bdi>new.clerk</bdi>" in page
    assert "Approver, Reader" in page
    refused = browser.post("/console/principals", {**fields, "roles": ["reader", "enroller"]})
    assert refused.status_code == 422
    assert "Nobody may hold these roles together." in refused.text
    assert "refused conflicting_roles" in {said(entry)["result"] for entry in home.entries() if entry.kind == "grant"}
    entry = next(one for one in reversed(home.entries()) if one.kind == "grant" and said(one)["result"] == "active")
    assert said(entry)["request"] == "https://issuer.example#new.clerk"
    assert "sam" in said(entry)["principal"]
    ended = browser.post("/console/principals", {"issuer": "https://issuer.example", "sub": "new.clerk"})
    assert ended.status_code == 303
    assert "The principal was ended." in browser.get("/console/principals").text


@pytest.mark.parametrize(
    "fields", [{"sub": ""}, {"sub": "a\u202eb"}, {"issuer": " \t"}, {"employee_number": "T 1"}, {"unit": "a\nb"}]
)
def test_a_grant_with_a_wrong_field_changes_nothing(home: Home, browser: Browser, fields: dict[str, str]) -> None:
    browser.sign_in("sam", Role.SECURITY_ADMIN)
    answer = browser.post("/console/principals", {"issuer": "i", "sub": "s", "roles": ["reader"]} | fields)
    assert answer.status_code == 422
    last = home.entries()[-1]
    assert (last.kind, last.values and last.values["detail"]) == ("audit-read", "principals")  # the page lists them
    assert [row.sub for row in home.app.principals.listing()] == ["sam"]
