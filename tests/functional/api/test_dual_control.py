"""Dual control over HTTP: 202 with a request, another person's word, and then the same once more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from registry.bootstrap import open_application
from registry.domain.approvals import Action
from registry.domain.principals import Role
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.services.homes import Home, person

Send = Callable[[], httpx2.Response]
LEAK = {"text": "Dana Brightwater, 816-555-0142", "source": "a forum"}
DESK = {"issuer": "https://login.city.example/", "sub": "desk-4", "roles": ["reader"]}


@pytest.fixture
def home(home: Home) -> Home:
    """The same registry, opened with everything under dual control."""
    home.app.close()
    home.app = open_application(replace(home.app.settings, approvals={"dual_control": frozenset(Action)}), home.clock)
    return home


def approved_then(site: Site, send: Send, status: int) -> dict[str, Any]:
    """Send a request until it is done; returns the request for approval as its approver saw it."""
    first = send()
    assert first.status_code == 202, first.text
    waiting = first.json()
    path = first.headers["location"]
    assert path == f"/v1/requests/{waiting['request']}"
    assert send().json()["request"] == waiting["request"]
    told: dict[str, Any] = site.get(path, Role.APPROVER).json()
    assert (told["state"], told["purpose"]) == ("pending", None)
    assert site.post(f"{path}/approve", {"note": "seen"}, Role.APPROVER).json()["state"] == "approved"
    assert send().status_code == status
    assert site.get(path, Role.APPROVER).json()["state"] == "used"
    again = site.post(f"{path}/refuse", {}, Role.APPROVER)
    assert (again.status_code, again.json()["code"]) == (409, "decided")
    return told


def test_a_case(site: Site) -> None:
    told = approved_then(site, lambda: site.post("/v1/traces", LEAK, Role.INVESTIGATOR), 201)
    assert (told["action"], told["subject"], told["categories"]) == ("trace", None, [])
    assert told["about"].endswith("source a forum")
    assert "816-555" not in str(told)


def test_a_bundle(site: Site) -> None:
    approved_then(site, lambda: site.post("/v1/traces", LEAK, Role.INVESTIGATOR), 201)
    (trace,) = site.get("/v1/traces", Role.INVESTIGATOR).json()["traces"]
    path = f"/v1/traces/{trace['trace']}"
    assert site.get(f"{path}/report.txt", Role.INVESTIGATOR).status_code == 200
    told = approved_then(site, lambda: site.get(f"{path}/evidence.zip", Role.INVESTIGATOR), 200)
    assert (told["action"], told["about"]) == ("evidence", f"evidence of trace {trace['trace']}")


@pytest.mark.parametrize("how", ["marks", "ends"])
def test_a_mark(site: Site, how: str) -> None:
    enrolled = site.enroll()
    record = enrolled["records"][0]["record"]
    change: dict[str, Any] = {"record": record} | ({"confidentiality": "none"} if how == "marks" else {})

    def send() -> httpx2.Response:
        body = {how: [change]}
        return site.http.patch(f"/v1/subjects/{enrolled['subject']}", json=body, headers=site.as_(Role.ENROLLER))

    told = approved_then(site, send, 200)
    assert (told["action"], told["subject"]) == ("unmark", enrolled["subject"])


def test_a_line_of_an_import(site: Site) -> None:
    site.enroll()
    less = person()
    less["records"][0]["confidentiality"] = "none"
    answer = site.http.post(
        "/v1/subjects/import?update=true",
        json=less,
        headers=site.as_(Role.ENROLLER) | {"Content-Type": "application/x-ndjson"},
    )
    assert answer.json()["errors"] == [{"line": 1, "pointer": "", "code": "approval_required"}]


def test_an_account(site: Site) -> None:
    told = approved_then(site, lambda: site.post("/v1/principals", DESK, Role.SECURITY_ADMIN), 200)
    assert (told["action"], told["about"]) == ("principals", f"{DESK['issuer']}#desk-4: roles reader; new reader")
    listed = site.get("/v1/principals", Role.SECURITY_ADMIN).json()["principals"]
    (row,) = [one for one in listed if one["sub"] == "desk-4"]
    path = f"/v1/principals/{row['principal']}"
    approved_then(site, lambda: site.post(f"{path}/move", {"unit": "Payroll"}, Role.SECURITY_ADMIN), 200)
    left = site.http.post(f"{path}/leave", headers=site.as_(Role.SECURITY_ADMIN))
    assert (left.status_code, left.json()["state"]) == (200, "ended")  # at once


def test_own_requests_are_listed(site: Site) -> None:
    for role, send in (
        (Role.INVESTIGATOR, lambda: site.post("/v1/traces", LEAK, Role.INVESTIGATOR)),
        (Role.SECURITY_ADMIN, lambda: site.post("/v1/principals", DESK, Role.SECURITY_ADMIN)),
    ):
        request = send().json()["request"]
        (listed,) = site.get("/v1/requests", role).json()["requests"]
        assert listed["request"] == request
        assert site.get(f"/v1/requests/{request}", role).status_code == 200
    assert NUMBER not in site.get("/v1/requests", Role.APPROVER).text


def test_lookups_are_as_ever(site: Site) -> None:
    site.enroll()
    ask = {"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}}
    assert site.disclose(ask).status_code == 200


def test_an_erasure(site: Site) -> None:
    enrolled = site.enroll()
    path, why = f"/v1/subjects/{enrolled['subject']}", {"reason": "Left the service", "basis": "Schedule 4, item 12"}
    headers = site.as_(Role.ENROLLER)
    told = approved_then(site, lambda: site.http.request("DELETE", path, json=why, headers=headers), 200)
    assert (told["action"], told["subject"]) == ("erase", enrolled["subject"])
    assert why["basis"] in told["about"]
    assert site.http.request("DELETE", path, json=why, headers=headers).status_code == 404
    unknown = site.post("/v1/subjects/search", {"employee_number": NUMBER}, Role.ENROLLER).json()
    assert unknown["hits"] == []
