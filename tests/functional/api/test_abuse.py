"""People who have an account, or none, and try for more than it gives."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.api.test_petitions import NOTE, OTHER, TEXT, correction, disputed, looked_up, mine, phone_of
from tests.functional.services.homes import person

ROLES = tuple(Role)
VOLATILE = {"date", "x-request-id", "content-length"}


def seen(answer: httpx2.Response) -> tuple[int, dict[str, str], bytes]:
    """Return what somebody can compare of an answer to a refusal that names no entry."""
    headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    return answer.status_code, headers, answer.content


def of_everybody_else(site: Site) -> list[tuple[str, str, Role, Any]]:
    """Return every route that takes the id of a petition, with one of somebody else."""
    disputes, corrections = disputed(site, OTHER), correction(site, phone_of(site.enroll("T-0003")), number="T-0003")
    return [
        ("POST", f"/v1/me/disputes/{disputes}/reveal", Role.SUBJECT, None),
        ("POST", f"/v1/me/corrections/{corrections.json()['id']}/reveal", Role.SUBJECT, None),
        # One sort's id in the other sort's place.
        ("POST", f"/v1/disputes/{corrections.json()['id']}/reveal", Role.AUDITOR, None),
        ("POST", f"/v1/disputes/{corrections.json()['id']}/answer", Role.AUDITOR, {"finding": "upheld", "note": NOTE}),
        ("POST", f"/v1/corrections/{disputes}/reveal", Role.ENROLLER, None),
        ("POST", f"/v1/corrections/{disputes}/accept", Role.ENROLLER, {"note": NOTE}),
        ("POST", f"/v1/corrections/{disputes}/refuse", Role.ENROLLER, {"note": NOTE}),
    ]


def test_somebody_elses_id_looks_like_none(site: Site) -> None:
    site.enroll()
    site.enroll(OTHER)
    for method, path, role, body in of_everybody_else(site):
        headers = site.as_(role, NUMBER if role is Role.SUBJECT else None)
        sent: dict[str, Any] = {} if body is None else {"json": body}
        theirs = site.http.request(method, path, headers=headers, **sent)
        nobodys = site.http.request(method, re.sub(r"[0-9a-f]{32}", "0" * 32, path), headers=headers, **sent)
        assert theirs.status_code == 404, path
        assert seen(theirs) == seen(nobodys), path


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


@pytest.mark.parametrize(
    "asked",
    [
        ("POST", "/v1/me/disputes", {"entry": 1, "text": TEXT}, Role.SUBJECT),
        ("POST", "/v1/me/corrections", {"record": "0" * 32, "text": TEXT}, Role.SUBJECT),
        ("PUT", "/v1/me/contact", {"kind": "email", "value": "a@mail.example"}, Role.SUBJECT),
        ("POST", f"/v1/disputes/{'0' * 32}/answer", {"finding": "upheld", "note": NOTE}, Role.AUDITOR),
        ("POST", f"/v1/corrections/{'0' * 32}/accept", {"note": NOTE}, Role.ENROLLER),
        ("POST", f"/v1/corrections/{'0' * 32}/refuse", {"note": NOTE}, Role.ENROLLER),
        ("POST", "/v1/me/disclosures", {}, Role.SUBJECT),
        (
            "POST",
            "/v1/disclosures",
            {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "safety"}},
            Role.READER,
        ),
        ("POST", "/v1/principals", {"issuer": "i", "sub": "s", "roles": ["reader"]}, Role.SECURITY_ADMIN),
    ],
)
@pytest.mark.parametrize("extra", ["subject", "state", "principal", "answered_by", "id", "approved", "role", "version"])
def test_no_member_more_than_a_body_has_is_taken(
    site: Site, asked: tuple[str, str, dict[str, Any], Role], extra: str
) -> None:
    method, path, body, role = asked
    site.enroll()
    if extra in body or (path == "/v1/disclosures" and extra == "subject"):
        return
    number = NUMBER if role is Role.SUBJECT else None
    answer = site.http.request(method, path, json={**body, extra: "0" * 32}, headers=site.as_(role, number))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown_key")


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
