"""Emergencies over HTTP: opened, looked up, listed and reviewed."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.principals import Role
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.services.homes import person

LOOKUP = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
EMERGENCY = {"employee_number": NUMBER, "categories": ["phone"], "reason": "Threat called in just now", "case": "C-1"}


@pytest.fixture
def glass(site: Site) -> dict[str, Any]:
    body = person()
    body["records"][1]["confidentiality"] = "restricted"
    site.post("/v1/subjects", body, Role.ENROLLER)
    assert site.disclose(LOOKUP).status_code == 202
    answer = site.post("/v1/break-glass", EMERGENCY, Role.READER)
    assert answer.status_code == 201
    document: dict[str, Any] = answer.json()
    return document


def test_from_emergency_to_review(site: Site, glass: dict[str, Any]) -> None:
    assert site.said(glass["receipt"]["index"])["note"] == EMERGENCY["reason"]
    assert site.disclose(LOOKUP).status_code == 200
    (listed,) = site.get("/v1/break-glass", Role.AUDITOR).json()["break_glass"]
    assert (listed["id"], listed["overdue"], listed["finding"]) == (glass["id"], False, None)
    path = f"/v1/break-glass/{glass['id']}"
    told = site.get(path, Role.APPROVER).json()
    assert (told["reason"], told["case"], told["categories"]) == (EMERGENCY["reason"], "C-1", ["phone"])
    word = {"finding": "not_justified", "note": "No such call in the log"}
    done = site.post(f"{path}/review", word, Role.APPROVER)
    assert (done.status_code, done.json()["finding"]) == (200, "not_justified")
    again = site.post(f"{path}/review", word, Role.APPROVER)
    assert (again.status_code, again.json()["code"]) == (409, "decided")


def test_an_unknown_subject_is_not_found(site: Site) -> None:
    answer = site.post("/v1/break-glass", EMERGENCY | {"employee_number": "KC-999999"}, Role.READER)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "."},
        {"reason": "          . "},
        {"reason": None},
        {"categories": []},
        {"categories": ["everything"]},
        {"subject": "0" * 32},
        {"until": "2030-01-01T00:00:00Z"},
        {"finding": "justified"},
    ],
)
def test_an_emergency_says_why_and_for_what_and_nothing_else(site: Site, change: dict[str, Any]) -> None:
    assert site.post("/v1/break-glass", EMERGENCY | change, Role.READER).status_code == 422


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.APPROVER])
def test_only_approvers_review(site: Site, glass: dict[str, Any], role: Role) -> None:
    word = {"finding": "justified", "note": "Looks right to me"}
    answer = site.post(f"/v1/break-glass/{glass['id']}/review", word, role)
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_permitted")


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.APPROVER, Role.AUDITOR}])
def test_only_approvers_and_auditors_watch(site: Site, glass: dict[str, Any], role: Role) -> None:
    for path in ("/v1/break-glass", f"/v1/break-glass/{glass['id']}"):
        assert site.get(path, role).status_code == 403


def test_a_review_of_nothing_is_not_found(site: Site) -> None:
    word = {"finding": "justified", "note": "Looks right to me"}
    assert site.post(f"/v1/break-glass/{'0' * 32}/review", word, Role.APPROVER).status_code == 404
    assert site.get("/v1/break-glass/not-an-id", Role.AUDITOR).status_code == 404
