"""People who have an account, or none, and try for more than it gives."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from tests.fakes.plain_http import plain_client
from tests.fakes.purposes import SHIPPED
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.api.test_petitions import OTHER, TEXT, correction, disputed, looked_up, mine, phone_of
from tests.functional.services.homes import person
from tests.functional.services.test_at_once import at_once

ROLES = tuple(Role)
HOME = [{"category": "home_address", "value": {"line": "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"}}]
CONTACT = {"kind": "email", "value": "quillfeather@mail.example"}


def test_an_abuser_in_the_household_sees_nothing_of_the_other(site: Site) -> None:
    body = person(NUMBER)
    body["family"].append({"ref": "p1", "relation": "spouse", "given_name": "Ada", "family_name": "Brightwater"})
    own = site.post("/v1/subjects", body, Role.ENROLLER)
    assert own.status_code == 201, own.text
    moved = person(OTHER)
    moved["records"] = [
        {"category": "home_address", "value": {"line": "77 Quillfeather Rd, Kansas City, MO 64118"}},
        {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0188"}},
    ]
    theirs = site.post("/v1/subjects", moved, Role.ENROLLER).json()
    phone, entry = phone_of(theirs), looked_up(site, OTHER)
    dispute = disputed(site, OTHER)
    mine(site, "PUT", "/v1/me/contact", {"kind": "email", "value": "quillfeather@mail.example"}, OTHER)
    answers = [
        mine(site, "POST", "/v1/me/disclosures", {}),
        mine(site, "POST", "/v1/me/disclosures", {"records": [phone]}),
        mine(site, "GET", "/v1/me/records"),
        mine(site, "GET", "/v1/me/accounting"),
        mine(site, "GET", "/v1/me/disputes"),
        mine(site, "GET", "/v1/me/corrections"),
        mine(site, "POST", f"/v1/me/disputes/{dispute}/reveal"),
        mine(site, "POST", "/v1/me/disputes", {"entry": entry, "text": TEXT}),
        correction(site, phone),
        mine(site, "POST", "/v1/me/contact/reveal"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 200, 200, 200, 200, 404, 404, 404, 404]
    for answer in answers:
        for marker in ("uillfeather", "555-0188", theirs["subject"], phone, dispute):
            assert marker not in answer.text
    assert entry not in {line["index"] for line in answers[3].json()["entries"]}


def test_a_new_owner_of_an_account_sees_nothing_of_the_former(site: Site) -> None:
    site.enroll()
    site.enroll(OTHER)
    headers = {"Authorization": f"Bearer {site.token('shared', Role.SUBJECT, number=NUMBER)}"}
    filed = site.http.post("/v1/me/disputes", json={"entry": looked_up(site), "text": TEXT}, headers=headers)
    assert filed.status_code == 201
    site.token("shared", Role.SUBJECT, number=OTHER)
    assert site.http.get("/v1/me/disputes", headers=headers).json()["disputes"] == []
    assert site.http.post(f"/v1/me/disputes/{filed.json()['id']}/reveal", headers=headers).status_code == 404


# What decides: nobody sets it by naming it, wherever in a body.
PRIVILEGED = ("answered_by", "approvals", "approved_by", "is_admin", "guard", "tier", "owner")
# These have a place somewhere; none where the body's own form does not name it.
ELSEWHERE = ("state", "principal", "subject", "id", "version", "role", "roles", "approved", "entry", "issuer")


def objects(body: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a body but protected values, which have rules of their own."""
    if isinstance(body, dict):
        yield body
        body = [part for name, part in body.items() if name != "value"]
    for part in body if isinstance(body, list) else ():
        yield from objects(part)


REFUSED = {"unknown_key", "exactly_one"}


def form_of(site: Site, schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = site.contract.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def test_no_member_more_than_a_body_has_is_taken(site: Site) -> None:
    """Mass assignment, in every object of every body that is described."""
    site.enroll()
    tried = 0
    for path, operations in site.contract.document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {"content": {}})["content"].get("application/json")
            if content is None:
                continue
            found = re.search(r"[Rr]oles? `(\w+)`", operation["description"])
            assert found, path
            role = Role(found[1])
            headers = site.as_(role, NUMBER if role is Role.SUBJECT else None)
            example = next(iter(content["examples"].values()))["value"]
            known = form_of(site, content["schema"]).get("properties", {})
            places = [(place, extra) for place in range(len(list(objects(example)))) for extra in PRIVILEGED]
            for place, extra in places + [(0, extra) for extra in ELSEWHERE if extra not in known]:
                body = copy.deepcopy(example)
                list(objects(body))[place][extra] = "0" * 32
                url = re.sub(r"{\w+}", "0" * 32, path)
                answer = site.http.request(method, url, json=body, headers=headers)
                codes = {one["code"] for one in answer.json().get("errors", ())}
                assert (answer.status_code, bool(codes & REFUSED)) == (422, True), (path, place, extra, answer.text)
                tried += 1
    assert tried > 300


def restricted(site: Site) -> tuple[dict[str, Any], str]:
    """Have somebody ask for what one other person must approve; return the ask and the request."""
    body = person("T-0030")
    body["records"][1]["confidentiality"] = "restricted"
    site.post("/v1/subjects", body, Role.ENROLLER)
    asked = {"employee_number": "T-0030", "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
    return asked, str(site.disclose(asked).json()["request"])


def test_approvals_and_refusals_at_once_are_one_word(site: Site) -> None:
    asked, request = restricted(site)
    tokens = [site.token(f"approver {number}", Role.APPROVER) for number in range(8)]

    def say(number: int) -> int:
        word = "approve" if number % 2 else "refuse"
        headers = {"Authorization": f"Bearer {tokens[number]}"}
        with plain_client(site.url, headers=headers) as client:
            return client.post(f"/v1/requests/{request}/{word}", json={}).status_code

    given = at_once([partial(say, number) for number in range(8)])
    assert Counter(given) == {200: 1, 409: 7}
    state = site.get(f"/v1/requests/{request}", Role.APPROVER).json()["state"]
    assert state == ("approved" if given.index(200) % 2 else "refused")
    shown = site.disclose(asked)
    assert shown.status_code == (200 if state == "approved" else 202)


def test_an_approval_after_its_time_opens_nothing(site: Site) -> None:
    asked, request = restricted(site)
    rules = site.home.app.kernel.rules
    site.home.clock.step(rules.decide_ms / 1000)
    late = site.post(f"/v1/requests/{request}/approve", {}, Role.APPROVER)
    assert (late.status_code, late.json()["code"]) == (409, "expired")
    again = site.disclose(asked).json()["request"]
    assert again != request
    assert site.post(f"/v1/requests/{again}/approve", {}, Role.APPROVER).status_code == 200
    site.home.clock.step(rules.use_ms / 1000)
    assert site.disclose(asked).status_code == 202


def test_nobody_approves_their_own_ask_under_a_second_account(site: Site) -> None:
    _, request = restricted(site)
    site.token("the reader", Role.READER, number="T-0031")
    twin = {"Authorization": f"Bearer {site.token('twin', Role.APPROVER, number='T-0031')}"}
    answer = site.http.post(f"/v1/requests/{request}/approve", json={}, headers=twin)
    assert (answer.status_code, answer.json()["reason"]) == (403, "conflict_of_interest")
    assert site.get(f"/v1/requests/{request}", Role.APPROVER).json()["approvals"] == 0


@pytest.mark.parametrize(("stayed", "left"), [(NUMBER, OTHER), (OTHER, NUMBER)])
def test_who_shared_a_household_learns_nothing_new_in_either_direction(site: Site, stayed: str, left: str) -> None:
    """Both work here, were enrolled as each other's household, and part; one moves and sets a contact."""
    subjects = {}
    for number, other in ((stayed, left), (left, stayed)):
        spouse = {"ref": "s1", "relation": "spouse", "given_name": "Robin", "family_name": "Brightwater"}
        subjects[number] = site.enroll(number, family=[{**spouse, "employee_number": other}], records=HOME)
    address = next(one["record"] for one in subjects[left]["records"] if one["category"] == "home_address")
    member = next(one["record"] for one in subjects[left]["records"] if one["category"] == "family_member")
    changes = {
        "versions": [{"record": address, "value": {"line": "77 Quillfeather Rd, Fairhollow, MO 64999"}}],
        "ends": [{"record": member}],
        "relations": [{"kind": "former_partner", "employee_number": stayed}],
    }
    path = f"/v1/subjects/{subjects[left]['subject']}"
    assert site.http.patch(path, json=changes, headers=site.as_(Role.ENROLLER)).status_code == 200
    assert mine(site, "PUT", "/v1/me/contact", CONTACT, left).status_code == 200
    other = {"Authorization": f"Bearer {site.token('as reader', Role.READER, number=stayed)}"}
    named = {"employee_number": left, "categories": ["home_address"]}
    purposes = [{"code": code, "case": "CASE-7", "note": "a welfare check that was asked for"} for code in SHIPPED]
    answers = [site.http.post("/v1/disclosures", json={**named, "purpose": one}, headers=other) for one in purposes]
    glass = {**named, "reason": "They do not answer the telephone"}
    answers.append(site.http.post("/v1/break-glass", json=glass, headers=other))
    assert {answer.status_code for answer in answers} == {403}
    own = [
        mine(site, "POST", "/v1/me/disclosures", {}, stayed),
        mine(site, "GET", "/v1/me/records", number=stayed),
        mine(site, "GET", "/v1/me/accounting", number=stayed),
        mine(site, "POST", "/v1/me/disclosures", {"records": [address]}, stayed),
        mine(site, "POST", "/v1/me/contact/reveal", number=stayed),
    ]
    assert [answer.status_code for answer in own] == [200, 200, 200, 404, 404]
    assert not [answer for answer in (*answers, *own) if "uillfeather" in answer.text]
    assert "77 Quillfeather" in mine(site, "POST", "/v1/me/disclosures", {}, left).text
    told = mine(site, "GET", "/v1/me/accounting", number=left).json()["entries"]
    assert [line["kind"] for line in told].count("deny") == len(answers)


def test_a_stolen_session_is_worth_nothing_after_the_account_ended(site: Site) -> None:
    site.enroll()
    headers = {"Authorization": f"Bearer {site.token('thief', Role.READER, Role.AUDITOR)}"}
    asked = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
    assert site.http.post("/v1/disclosures", json=asked, headers=headers).status_code == 200
    ended = site.post(
        "/v1/principals", {"issuer": DEVELOPMENT_ISSUER, "sub": "thief", "roles": []}, Role.SECURITY_ADMIN
    )
    assert ended.status_code < 300, ended.text  # the token itself is still valid
    assert site.http.post("/v1/disclosures", json=asked, headers=headers).status_code == 403
    assert site.http.get("/v1/disputes", headers=headers).status_code == 403


@pytest.mark.parametrize("role", [role for role in ROLES if role is not Role.SUBJECT])
def test_whoever_only_works_here_has_no_own_side(site: Site, role: Role) -> None:
    site.enroll()
    answers = [
        site.post("/v1/me/disputes", {"entry": 1, "text": TEXT}, role),
        site.get("/v1/me/disputes", role),
        site.post("/v1/me/corrections", {"record": "0" * 32, "text": TEXT}, role),
        site.http.put("/v1/me/contact", json={"kind": "post", "value": "Box 1"}, headers=site.as_(role)),
        site.http.post("/v1/me/contact/reveal", headers=site.as_(role)),
    ]
    assert {answer.status_code for answer in answers} == {403}
