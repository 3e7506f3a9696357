"""Enrolling, changing and searching over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.principals import Role
from tests.fakes.digits import tells
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.services.homes import person

MARKERS = ("Brightwater", "Larkspur", "816-555-0142", "741-12-3456", "Mika", "vestibular", "ZX4")


def assert_nothing_told(text: str) -> None:
    assert [marker for marker in MARKERS if marker in text] == []


def test_enrollment_answers_with_ids_and_a_receipt(site: Site) -> None:
    answer = site.post("/v1/subjects", person(), Role.ENROLLER)
    document = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/subjects/{document['subject']}"
    assert answer.headers["etag"] == '"1"'
    receipt = document["receipt"]
    assert answer.headers["audit-receipt"] == f"{receipt['origin']} {receipt['index']} {receipt['size']}"
    assert site.home.entries()[receipt["index"]].kind == "enroll"
    assert [record["category"] for record in document["records"]].count("family_member") == 2
    assert {record["member"] for record in document["records"]} == {None, "s1", "c1"}
    assert_nothing_told(answer.text + str(answer.headers))


def test_a_known_employee_number_is_a_conflict(site: Site) -> None:
    site.enroll()
    answer = site.post("/v1/subjects", person(given_name="Somebody"), Role.ENROLLER)
    assert (answer.status_code, answer.json()["code"]) == (409, "exists")


def test_the_same_key_gives_the_same_answer(site: Site) -> None:
    first = site.post("/v1/subjects", person(), Role.ENROLLER, **{"Idempotency-Key": "key-1"})
    size = len(site.home.entries())
    again = site.post("/v1/subjects", person(), Role.ENROLLER, **{"Idempotency-Key": "key-1"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert [again.headers[name] == first.headers[name] for name in ("location", "etag", "audit-receipt")] == [True] * 3
    assert len(site.home.entries()) == size


def test_the_same_key_with_another_body_is_a_conflict(site: Site) -> None:
    site.post("/v1/subjects", person(), Role.ENROLLER, **{"Idempotency-Key": "key-1"})
    other = site.post("/v1/subjects", person("T-0002"), Role.ENROLLER, **{"Idempotency-Key": "key-1"})
    assert (other.status_code, other.json()["code"]) == (409, "key_reused")


@pytest.mark.parametrize("key", ["", "a b", "k" * 201, "\u00e9"])
def test_a_malformed_key_is_refused(site: Site, key: str) -> None:
    headers = [(name.encode(), text.encode()) for name, text in site.as_(Role.ENROLLER).items()]
    answer = site.http.post("/v1/subjects", json=person(), headers=[*headers, (b"Idempotency-Key", key.encode())])
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_form")


def test_two_keys_are_refused(site: Site) -> None:
    headers = [*site.as_(Role.ENROLLER).items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = site.http.post("/v1/subjects", json=person(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_form")


def test_what_is_wrong_is_named_by_place_never_by_value(site: Site) -> None:
    body = person(records=[{"category": "ssn", "value": {"number": "666-12-3456"}}], **{"741-12-3456": "x"})
    answer = site.post("/v1/subjects", body, Role.ENROLLER)
    assert answer.status_code == 422
    assert {"pointer": "/records/0/value/number", "code": "ssn_area"} in answer.json()["errors"]
    assert {"pointer": "", "code": "unknown_key"} in answer.json()["errors"]
    assert not tells(answer.text, "666-12-3456")
    assert_nothing_told(answer.text)


def test_an_update_makes_a_version(site: Site) -> None:
    enrolled = site.enroll()
    phone = next(record for record in enrolled["records"] if record["category"] == "phone")
    change = {"title": "Chief", "versions": [{"record": phone["record"], "value": {"kind": "home", "number": NEW}}]}
    answer = patch(site, enrolled["subject"], change, '"1"')
    document = answer.json()
    assert (answer.status_code, document["version"], answer.headers["etag"]) == (200, 2, '"2"')
    assert [(record["record"], record["version"]) for record in document["records"]] == [(phone["record"], 2)]
    assert NEW not in answer.text


NEW = "816-555-0177"


def patch(site: Site, subject: str, change: dict[str, Any], known: str | None = None) -> Any:
    headers = site.as_(Role.ENROLLER) | ({} if known is None else {"If-Match": known})
    return site.http.patch(f"/v1/subjects/{subject}", json=change, headers=headers)


def test_a_change_in_between_is_a_conflict(site: Site) -> None:
    subject = site.enroll()["subject"]
    assert patch(site, subject, {"title": "Chief"}, '"1"').status_code == 200
    late = patch(site, subject, {"title": "Clerk"}, '"1"')
    assert (late.status_code, late.json()["code"]) == (409, "changed")
    assert patch(site, subject, {"title": "Clerk"}, '"2"').status_code == 200
    assert patch(site, subject, {"title": "Cook"}).json()["version"] == 4
    assert patch(site, subject, {"title": "Cook"}, "*").json()["version"] == 5


@pytest.mark.parametrize("known", ["1", 'W/"1"', '"one"', '"1", "2"', '"01"', '"' + "9" * 40 + '"'])
def test_a_malformed_etag_is_refused(site: Site, known: str) -> None:
    answer = patch(site, site.enroll()["subject"], {"title": "Chief"}, known)
    assert (answer.status_code, answer.json()["code"]) == (400, "if_match_form")


@pytest.mark.parametrize(
    "subject", ["0" * 32, "x", "A" * 32, "%0A", "..%2F..%2Fetc", "\u00fc", "0" * 31 + "1%0A", "%00"]
)
def test_an_unknown_subject_is_not_found(site: Site, subject: str) -> None:
    site.enroll()
    answer = patch(site, subject, {"title": "Chief"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_unknown_and_malformed_ids_get_one_answer_and_an_entry(site: Site) -> None:
    bodies = {patch(site, subject, {"title": "Chief"}).text for subject in ("0" * 32, "nonsense")}
    assert len(bodies) == 1
    assert [entry.values["result"] for entry in site.home.entries()[-2:] if entry.values] == ["not_found"] * 2


@pytest.mark.parametrize(
    ("body", "role"),
    [
        ({"employee_number": NUMBER}, Role.READER),
        ({"given_name": "Dana", "family_name": "Brightwater"}, Role.READER),
        ({"given_name": "Dana", "family_name": "Brightwater", "department": "parks"}, Role.ENROLLER),
        ({"department": "Parks"}, Role.ENROLLER),
        ({"value": {"category": "phone", "value": {"kind": "home", "number": "(816) 555 0142"}}}, Role.INVESTIGATOR),
    ],
)
def test_a_search_shows_directory_data_of_hits(site: Site, body: dict[str, Any], role: Role) -> None:
    subject = site.enroll()["subject"]
    answer = site.post("/v1/subjects/search", body, role)
    hit = {"subject": subject, "given_name": "Dana", "family_name": "Brightwater"}
    assert answer.status_code == 200, answer.text
    assert answer.json()["hits"] == [hit | {"department": "Parks", "title": "Ranger"}]
    assert answer.json()["truncated"] is False
    entry = site.home.entries()[answer.json()["receipt"]["index"]]
    assert (entry.kind, (entry.values or {})["result"]) == ("search", "hits 1")


def test_an_empty_search_is_an_entry(site: Site) -> None:
    answer = site.post("/v1/subjects/search", {"employee_number": "T-9999"}, Role.READER)
    assert (answer.status_code, answer.json()["hits"]) == (200, [])
    assert site.said(answer.json()["receipt"]["index"])["result"] == "hits 0"


@pytest.mark.parametrize(
    ("body", "role"),
    [
        ({"department": "Parks"}, Role.READER),
        ({"department": "Parks"}, Role.INVESTIGATOR),
        ({"value": {"category": "email", "value": {"address": "dana.brightwater@example.org"}}}, Role.READER),
        ({"value": {"category": "email", "value": {"address": "dana.brightwater@example.org"}}}, Role.ENROLLER),
    ],
)
def test_a_target_list_or_a_reverse_lookup_is_refused(site: Site, body: dict[str, Any], role: Role) -> None:
    site.enroll()
    answer = site.post("/v1/subjects/search", body, role)
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_permitted")
    entry = site.home.entries()[answer.json()["receipt"]["index"]]
    assert (entry.kind, (entry.values or {})["result"]) == ("search", "denied not_permitted")
    assert_nothing_told(answer.text)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"employee_number": NUMBER, "department": "Parks"},
        {"employee_number": NUMBER, "given_name": "Dana"},
        {"employee_number": ""},
        {"employee_number": 7},
        {"value": "816-555-0142"},
        {"value": {"category": "phone"}},
        {"value": {"category": "shoe_size", "value": {}}},
        {"value": {"category": "phone", "value": {"number": "12"}}},
        {"value": {"category": "phone", "value": {"kind": "home", "number": "816-555-0142"}}, "department": "Parks"},
        {"department": "Parks", "title": "Ranger"},
        {"department": "\u202eParks"},
    ],
)
def test_a_search_goes_by_exactly_one_thing(site: Site, body: Any) -> None:
    answer = site.post("/v1/subjects/search", body, Role.INVESTIGATOR)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert_nothing_told(answer.text)
