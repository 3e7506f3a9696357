"""Lookups over HTTP: exact shapes, refusals with receipts, batches."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.categories import Category
from registry.domain.errors import AuditUnavailable
from registry.domain.principals import Role
from registry.domain.purposes import PurposeCode
from registry.services.refusals import Refusals
from tests.fakes.digits import tells
from tests.fakes.purposes import SHIPPED
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.services.homes import person

SAFETY = {"code": "safety", "case": "CASE-1"}


def ask(**changes: Any) -> dict[str, Any]:
    purpose = {"code": "emergency_contact"}
    return {"employee_number": NUMBER, "categories": ["phone"], "purpose": purpose, "form": "as_entered"} | changes


def test_a_lookup_has_the_promised_shape(site: Site) -> None:
    enrolled = site.enroll()
    phone = next(record for record in enrolled["records"] if record["category"] == "phone")
    answer = site.disclose(ask())
    document = answer.json()
    assert answer.status_code == 200
    assert list(document) == ["disclosure", "subject", "form", "records", "receipt"]
    assert (document["subject"], document["form"]) == (enrolled["subject"], "as_entered")
    assert document["records"] == [
        {
            "record": phone["record"],
            "category": "phone",
            "member": None,
            "version": 1,
            "value": {"kind": "mobile", "number": "816-555-0142"},
            "display": "816-555-0142 (mobile)",
        }
    ]
    receipt = document["receipt"]
    assert answer.headers["audit-receipt"] == f"{receipt['origin']} {receipt['index']} {receipt['size']}"
    entry = site.home.entries()[receipt["index"]]
    assert (entry.kind, entry.values and entry.values["event"]) == ("disclose", document["disclosure"])


def test_values_come_back_as_enrolled(site: Site) -> None:
    body = person()
    site.enroll()
    answer = site.disclose(ask(categories=[str(category) for category in Category], purpose=SAFETY))
    found = [(record["category"], record["value"]) for record in answer.json()["records"]]
    for record in body["records"]:
        value = {"last_four": "1111"} if record["category"] == "payment_card" else record["value"]
        assert (record["category"], value) in found
    family = {(value["relation"], value["given_name"]) for category, value in found if category == "family_member"}
    assert family == {("spouse", "Robin"), ("child", "Mika")}
    assert not tells(answer.text, "4111")
    assert "canonical" not in answer.text
    assert "digest" not in answer.text
    school = next(record for record in answer.json()["records"] if record["category"] == "school")
    assert school["member"] == "c1"


def test_records_can_be_named_by_id(site: Site) -> None:
    enrolled = site.enroll()
    wanted = [record["record"] for record in enrolled["records"] if record["category"] in {"phone", "home_address"}]
    body = ask(subject=enrolled["subject"], records=wanted)
    del body["employee_number"], body["categories"]
    answer = site.disclose(body)
    assert {record["record"] for record in answer.json()["records"]} == set(wanted)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"categories": ["ssn"]}, "purpose_not_allowed"),
        ({"purpose": {"code": "official_mail"}, "categories": ["home_address"]}, "case_needed"),
        ({"purpose": {"code": "safety", "case": ""}}, "case_needed"),
        ({"categories": ["email"]}, "purpose_not_allowed"),
    ],
)
def test_a_purpose_opens_what_it_opens(site: Site, changes: dict[str, Any], reason: str) -> None:
    site.enroll()
    assert_refused(site, site.disclose(ask(**changes)), reason)


def assert_refused(site: Site, answer: Any, reason: str) -> None:
    document = answer.json()
    assert (answer.status_code, document["code"], document["reason"]) == (403, "access_denied", reason)
    receipt = document["receipt"]
    assert answer.headers["audit-receipt"] == f"{receipt['origin']} {receipt['index']} {receipt['size']}"
    entry = site.home.entries()[receipt["index"]]
    assert (entry.kind, (entry.values or {})["result"]) == ("deny", f"denied {reason}")
    assert "816-555" not in answer.text


def test_nobody_looks_up_the_own_record(site: Site) -> None:
    site.enroll()
    answer = site.http.post("/v1/disclosures", json=ask(), headers=site.as_(Role.READER, NUMBER))
    assert_refused(site, answer, "conflict_of_interest")


@pytest.mark.parametrize(
    "changes",
    [
        {"employee_number": "T-9999"},
        {"employee_number": None, "subject": "0" * 32},
        {"categories": None, "records": ["0" * 32]},
    ],
)
def test_unknown_is_not_found_and_an_entry(site: Site, changes: dict[str, Any]) -> None:
    site.enroll()
    body = {key: value for key, value in ask(**changes).items() if value is not None}
    answer = site.disclose(body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    entry = site.home.entries()[answer.json()["receipt"]["index"]]
    assert (entry.kind, (entry.values or {})["result"]) == ("deny", "denied not_found")


def test_unknown_foreign_and_ended_look_the_same(site: Site) -> None:
    other = site.enroll("T-0002", family=[], records=[])["subject"]
    phone = next(record for record in site.enroll()["records"] if record["category"] == "phone")["record"]
    bodies = [
        {"subject": other, "records": [phone]},
        {"subject": other, "records": ["0" * 32]},
        {"subject": "0" * 32, "records": [phone]},
    ]
    answers = [site.disclose(body | {"purpose": {"code": "emergency_contact"}}) for body in bodies]
    assert {answer.status_code for answer in answers} == {404}
    documents = [answer.json() for answer in answers]
    for document in documents:
        del document["receipt"]
    assert documents[0] == documents[1] == documents[2]


@pytest.mark.parametrize(
    "changes",
    [
        {"form": "postal"},
        {"categories": []},
        {"categories": "phone"},
        {"categories": ["phone", "phone"]},
        {"categories": ["shoe_size"]},
        {"categories": [7]},
        {"records": ["0" * 32]},
        {"subject": "0" * 32},
        {"employee_number": "../../etc"},
        {"employee_number": None},
        {"employee_number": "\U0001d7ce" * 5},
        {"purpose": None},
        {"purpose": "payroll"},
        {"purpose": {}},
        {"purpose": {"code": "curiosity"}},
        {"purpose": {"code": "payroll", "why": "816-555-0142"}},
        {"purpose": {"code": "payroll", "case": "x" * 101}},
        {"purpose": {"code": "payroll", "note": "\u0000"}},
        {"816-555-0142": "816-555-0142"},
    ],
)
def test_a_malformed_ask_is_refused_without_an_echo(site: Site, changes: dict[str, Any]) -> None:
    size = len(site.home.entries())
    answer = site.disclose({key: value for key, value in ask(**changes).items() if value is not None})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "816-555-0142" not in answer.text
    assert [entry.kind for entry in site.home.entries()[size:]] == ["grant", "deny"]
    said = site.last().values or {}
    assert (said["result"], said["detail"]) == ("refused 422", "disclose; count 1")
    assert said["principal"].endswith("#the reader")


def test_misread_requests_are_counted_by_principal_action_and_status(site: Site) -> None:
    headers = site.as_(Role.READER) | {"Content-Type": "application/json"}
    size = len(site.home.entries())
    for _ in range(20):
        assert site.http.post("/v1/disclosures", content=b"{", headers=headers).status_code == 400
        assert site.http.post("/v1/subjects/search", content=b"[]", headers=headers).status_code == 422
    said = [(entry.values or {})["detail"] for entry in site.home.entries()[size:]]
    assert said == ["disclose; count 1", "search; count 1"]
    site.home.app.refusals.close()
    said = [(entry.values or {})["detail"] for entry in site.home.entries()[size:]]
    assert said[2:] == ["disclose; count 19", "search; count 19"]


def test_a_misread_request_is_answered_when_the_ledger_takes_nothing_and_written_later(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = site.as_(Role.READER)
    with monkeypatch.context() as broken:
        broken.setattr(Refusals, "_write", unavailable)
        assert site.http.post("/v1/disclosures", json=[], headers=headers).status_code == 422
    site.home.app.refusals.close()
    assert (site.last().values or {})["detail"] == "disclose; count 1"


def unavailable(*_: object) -> None:
    raise AuditUnavailable("disk_full")


def test_form_points_to_itself(site: Site) -> None:
    assert site.disclose(ask(form="postal")).json()["errors"] == [{"pointer": "/form", "code": "not_one_of"}]
    site.enroll()
    assert site.disclose(ask(form="as_entered")).status_code == 200


def test_people_are_served_marked_copies_unless_they_ask_otherwise(site: Site) -> None:
    site.enroll()
    asked = ask()
    del asked["form"]
    marked, again = site.disclose(asked).json(), site.disclose(ask(form="marked")).json()
    assert marked["form"] == again["form"] == "marked"
    assert marked["records"] == again["records"]
    (record,) = marked["records"]
    assert "".join(char for char in record["value"]["number"] if char.isdigit()).endswith("8165550142")
    assert record["value"]["number"] in record["display"]
    assert (site.last().values or {})["form"] == "marked"


def test_a_batch_answers_each_item_on_its_own(site: Site) -> None:
    first = site.enroll()["subject"]
    second = site.enroll("T-0002")["subject"]
    restricted = person("T-0003")
    restricted["records"][1]["confidentiality"] = "sealed"
    site.post("/v1/subjects", restricted, Role.ENROLLER)
    items = [
        {"subject": first, "categories": ["phone"]},
        {"employee_number": "T-9999", "categories": ["phone"]},
        {"employee_number": "T-0003", "categories": ["phone"]},
        {"employee_number": "T-0002", "categories": ["phone"]},
        {"employee_number": "T-0002", "categories": ["ssn"]},
    ]
    body = {"items": items, "purpose": {"code": "emergency_contact"}}
    answer = site.post("/v1/disclosures/batch", body, Role.READER)
    results = answer.json()["results"]
    assert answer.status_code == 200
    assert [result["status"] for result in results] == [200, 404, 202, 200, 403]
    assert [result.get("reason") for result in results] == [
        None,
        None,
        None,
        None,
        "purpose_not_allowed",
    ]
    assert [results[0]["subject"], results[3]["subject"]] == [first, second]
    indexes = [result["receipt"]["index"] for result in results]
    kinds = [site.home.entries()[index].kind for index in indexes]
    assert kinds == ["disclose", "deny", "request", "disclose", "deny"]
    assert "via batch" in site.said(indexes[0])["detail"]


def test_a_batch_of_five_hundred_gives_way(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = site.enroll()["subject"]
    turns: list[int] = []
    disclose = type(site.home.app.disclose).disclose_many

    def counted(self: Any, asks: Any) -> Any:
        turns.append(len(asks))
        return disclose(self, asks)

    monkeypatch.setattr(type(site.home.app.disclose), "disclose_many", counted)
    body = {"items": [{"subject": subject, "categories": ["phone"]}] * 500, "purpose": {"code": "emergency_contact"}}
    results = site.post("/v1/disclosures/batch", body, Role.READER).json()["results"]
    assert [result["status"] for result in results] == [200] * 500
    assert len({result["receipt"]["index"] for result in results}) == 500
    assert (max(turns), sum(turns)) == (64, 500)


@pytest.mark.parametrize("items", [None, [], {}, "x", [{}], [7], [{"employee_number": NUMBER, "categories": []}]])
def test_a_malformed_batch_is_refused(site: Site, items: Any) -> None:
    body = {"items": items, "purpose": {"code": "payroll"}} if items is not None else {"purpose": {"code": "payroll"}}
    answer = site.post("/v1/disclosures/batch", body, Role.READER)
    assert answer.status_code == 422
    assert all(error["pointer"].startswith("/items") for error in answer.json()["errors"])


def test_too_many_items_are_refused(site: Site) -> None:
    items = [{"employee_number": NUMBER, "categories": ["phone"]}] * 501
    answer = site.post("/v1/disclosures/batch", {"items": items, "purpose": {"code": "payroll"}}, Role.READER)
    assert answer.json()["errors"] == [{"pointer": "/items", "code": "too_many"}]


def test_each_category_has_a_line_for_people(site: Site) -> None:
    parts = {"street": "12 Larkspur Ave", "unit": "Apt 3", "city": "Fairhollow", "state": "MO", "postal_code": "64999"}
    records = [
        {"category": "home_address", "value": parts},
        {"category": "health", "value": {"statement": "First line\nsecond line"}},
    ]
    site.enroll("T-0007", records=records)
    site.enroll()
    shown: dict[str, str] = {}
    for number in ("T-0007", NUMBER):
        body = ask(employee_number=number, categories=[str(category) for category in Category], purpose=SAFETY)
        for record in site.disclose(body).json()["records"]:
            shown.setdefault(record["category"], record["display"])
    assert shown == {
        "home_address": "12 Larkspur Ave Apt 3, Fairhollow, MO 64999",
        "health": "First line second line",
        "family_member": shown["family_member"],
        "phone": "816-555-0142 (mobile)",
        "ssn": "741-12-3456",
        "date_of_birth": "1984-02-29",
        "payment_card": "ending in 1111",
        "school": "Larch Hill Elementary School",
        "email": "dana.brightwater@example.org",
        "vehicle_plate": "ZX4 T9Q (MO)",
    }
    assert shown["family_member"] in {"Robin Brightwater (spouse)", "Mika Brightwater (child)"}


@pytest.mark.parametrize(("hl7", "code"), [(one.hl7, code) for code, one in SHIPPED.items() if one.hl7])
def test_a_purpose_may_be_stated_by_the_code_of_hl7(site: Site, hl7: str, code: PurposeCode) -> None:
    """The entry holds ours: rules, limits and the accounting know no other."""
    site.enroll()
    body = {"employee_number": NUMBER, "categories": ["home_address"], "purpose": {"code": hl7, "case": "C-1"}}
    answer = site.disclose(body)
    assert answer.status_code == 200
    assert site.said(answer.json()["receipt"]["index"])["purpose"] == code
    for other in (hl7.lower(), f" {hl7}", "TREAT"):
        assert site.disclose(body | {"purpose": {"code": other, "case": "C-1"}}).status_code == 422
