"""What takes two persons, tried over HTTP by one of them, by both identities of one, and by many at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from registry.bootstrap import key_life, open_application
from registry.domain.approvals import Action
from registry.domain.errors import KeyUnavailable
from registry.domain.principals import Role
from tests.fakes.plain_http import plain_client
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.api.test_dual_control import approved_then
from tests.functional.services.homes import Home, person
from tests.functional.services.test_at_once import at_once

BOSS, KIN = "T-0901", "T-0902"
TIED = {"supervisor": BOSS, "relations": [{"kind": "kin", "employee_number": KIN}]}
REASON = "yearly exchange, ticket OPS-118"
REAL = {"issuer": "https://sign-in.example", "employee_number": "T-0400"}


@pytest.fixture
def home(home: Home) -> Home:
    """The same registry, opened with relations and keys under dual control."""
    home.app.close()
    approvals = {"dual_control": frozenset({Action.RELATIONS, Action.KEYS})}
    home.app = open_application(replace(home.app.settings, approvals=approvals), home.clock)
    return home


def patched(site: Site, subject: str, body: dict[str, Any]) -> httpx2.Response:
    return site.http.patch(f"/v1/subjects/{subject}", json=body, headers=site.as_(Role.ENROLLER))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"supervisor": ""}, "supervisor"),
        ({"relations": []}, "kin"),
        ({"department": "Water"}, "unit"),
    ],
)
def test_a_relation_is_taken_away_by_two(site: Site, body: dict[str, Any], told: str) -> None:
    subject = site.enroll(**TIED)["subject"]
    request = approved_then(site, lambda: patched(site, subject, body), 200)
    assert (request["action"], request["about"]) == ("relations", f"of subject {subject}: takes away {told}")


def test_a_friend_opens_nothing_while_nobody_else_has_agreed(site: Site) -> None:
    subject = site.enroll(**TIED)["subject"]
    friend = {"Authorization": f"Bearer {site.token('friend', Role.READER, number=KIN)}"}
    ask = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
    assert patched(site, subject, {"relations": []}).status_code == 202
    answer = site.http.post("/v1/disclosures", json=ask, headers=friend)
    assert (answer.status_code, answer.json()["reason"]) == (403, "conflict_of_interest")


def test_whom_the_relation_is_to_does_not_approve_it(site: Site) -> None:
    subject = site.enroll(**TIED)["subject"]
    request = patched(site, subject, {"supervisor": ""}).json()["request"]
    for name, number in (("boss", BOSS), ("kin", KIN), ("self", NUMBER)):
        own = {"Authorization": f"Bearer {site.token(name, Role.APPROVER, number=number)}"}
        answer = site.http.post(f"/v1/requests/{request}/approve", json={}, headers=own)
        assert (answer.status_code, answer.json()["reason"]) == (403, "conflict_of_interest")
    assert patched(site, subject, {"supervisor": ""}).status_code == 202


def test_one_approval_is_used_once_by_many_at_once(site: Site) -> None:
    subject = site.enroll(**TIED)["subject"]
    request = patched(site, subject, {"supervisor": ""}).json()["request"]
    assert site.post(f"/v1/requests/{request}/approve", {}, Role.APPROVER).status_code == 200
    headers = site.as_(Role.ENROLLER)

    def send() -> int:
        with plain_client(site.url, headers=headers) as client:
            return client.patch(f"/v1/subjects/{subject}", json={"supervisor": ""}).status_code

    given = Counter(at_once([send] * 6))
    assert set(given) <= {200, 409}  # the rest change nothing any more, or come too late
    assert [entry.kind for entry in site.home.entries()].count("use") == 1


def test_what_is_approved_is_not_what_is_sent_afterwards(site: Site) -> None:
    subject, other = site.enroll(**TIED)["subject"], site.enroll("T-0002", **TIED)["subject"]
    request = patched(site, subject, {"supervisor": ""}).json()["request"]
    site.post(f"/v1/requests/{request}/approve", {}, Role.APPROVER)
    assert patched(site, other, {"supervisor": ""}).status_code == 202
    assert patched(site, subject, {"supervisor": "", "relations": []}).status_code == 202
    assert patched(site, subject, {"supervisor": "", "department": "Water"}).status_code == 202
    assert patched(site, subject, {"supervisor": ""}).status_code == 200


def test_a_file_takes_no_relation_away(site: Site) -> None:
    subject = site.enroll(**TIED)["subject"]
    answer = site.http.post(
        "/v1/subjects/import?update=true",
        json=person(NUMBER, title="Warden"),
        headers=site.as_(Role.ENROLLER) | {"Content-Type": "application/x-ndjson"},
    )
    assert (answer.json()["updated"], answer.json()["errors"]) == (1, [])
    assert patched(site, subject, {"supervisor": "", "relations": []}).status_code == 202  # they are there still


def test_one_person_is_not_two_by_having_two_accounts(site: Site) -> None:
    def grant(sub: str, role: str) -> httpx2.Response:
        return site.post("/v1/principals", REAL | {"sub": sub, "roles": [role]}, Role.SECURITY_ADMIN)

    assert grant("clerk", "enroller").status_code == 200
    for role in ("reader", "auditor", "investigator", "security_admin"):
        answer = grant("clerk-2", role)
        assert (answer.status_code, answer.json()["errors"]) == (
            422,
            [{"pointer": "/roles", "code": "conflicting_roles"}],
        )
    assert grant("clerk-2", "approver").status_code == 200
    listed = site.get("/v1/principals", Role.SECURITY_ADMIN).json()["principals"]
    (second,) = [one["principal"] for one in listed if one["sub"] == "clerk-2"]
    moved = site.post(f"/v1/principals/{second}/move", {"roles": ["reader"]}, Role.SECURITY_ADMIN)
    assert (moved.status_code, moved.json()["errors"][0]["code"]) == (422, "conflicting_roles")


def test_a_key_change_is_asked_for_and_made_at_the_machine(site: Site) -> None:
    life, body = key_life(site.home.app), {"change": "rotate data", "reason": REASON}
    first = site.post("/v1/keys", body, Role.SECURITY_ADMIN)
    assert first.status_code == 202
    assert site.post("/v1/keys", body, Role.SECURITY_ADMIN).json()["request"] == first.json()["request"]
    path = first.headers["location"]
    told = site.get(path, Role.APPROVER).json()
    assert (told["action"], told["about"], told["reason"]) == ("keys", "rotate data", REASON)
    with pytest.raises(KeyUnavailable):
        life.rotate("data", operator="local:test")
    assert site.post(f"{path}/approve", {}, Role.APPROVER).json()["state"] == "approved"
    again = site.post("/v1/keys", body, Role.SECURITY_ADMIN)
    assert (again.status_code, again.json()["code"]) == (409, "approved")
    assert life.rotate("data", operator="local:test")
    assert site.get(path, Role.APPROVER).json()["state"] == "used"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"change": "rotate index"}, "/change", "not_a_change"),
        ({"change": "rotate data; rewrap"}, "/change", "not_a_change"),
        ({"change": "shred ../../data.key"}, "/change", "not_a_change"),
        ({"change": ""}, "/change", "empty"),
        ({"reason": "."}, "/reason", None),
        ({"approved": True}, "", "unknown_key"),
    ],
)
def test_what_is_no_key_change_is_refused(site: Site, change: dict[str, Any], pointer: str, code: str | None) -> None:
    body = {"change": "rotate data", "reason": REASON} | change
    answer = site.post("/v1/keys", body, Role.SECURITY_ADMIN)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (422, pointer)
    assert code in (None, error["code"])
    assert all(entry.kind != "request" for entry in site.home.entries())


def test_an_emergency_in_a_batch_opens_one_card_until_its_time(site: Site) -> None:
    people = [NUMBER, "T-0002"]
    for number in people:
        body = person(number)
        body["records"][1]["confidentiality"] = "restricted"
        site.post("/v1/subjects", body, Role.ENROLLER)
    why = {"categories": ["phone"], "reason": "Threat called in just now", "case": "C-1"}
    opened = site.post("/v1/break-glass", why | {"employee_number": NUMBER}, Role.READER)
    assert opened.status_code == 201
    items = [{"employee_number": number, "categories": ["phone"]} for number in people]
    batch = {"items": items, "purpose": {"code": "emergency_contact"}}

    def statuses() -> list[int]:
        results = site.post("/v1/disclosures/batch", batch, Role.READER).json()["results"]
        return [one["status"] for one in results]

    assert statuses() == [200, 202]
    site.home.clock.step(site.home.app.kernel.rules.emergency_ms / 1000)
    assert statuses() == [202, 202]
