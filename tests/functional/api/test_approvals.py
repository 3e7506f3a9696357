"""Approval over HTTP: 202, who may decide, and the same lookup afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.principals import Role
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.services.homes import person

ASK = {
    "employee_number": NUMBER,
    "categories": ["phone"],
    "purpose": {"code": "emergency_contact"},
    "form": "as_entered",
}


@pytest.fixture
def waiting(site: Site) -> dict[str, Any]:
    body = person()
    body["records"][1]["confidentiality"] = "restricted"
    site.post("/v1/subjects", body, Role.ENROLLER)
    answer = site.disclose(ASK)
    assert answer.status_code == 202
    document: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/requests/{document['request']}"
    receipt = document["receipt"]
    assert answer.headers["audit-receipt"] == f"{receipt['origin']} {receipt['index']} {receipt['size']}"
    assert "816-555" not in answer.text
    return document


def test_from_202_to_200(site: Site, waiting: dict[str, Any]) -> None:
    path = f"/v1/requests/{waiting['request']}"
    assert waiting["needs"] == {"approvals": 1, "other_unit": False}
    own = site.get(path, Role.READER).json()
    assert (own["state"], own["categories"], own["approvals"]) == ("pending", ["phone"], 0)
    assert site.get("/v1/requests", Role.APPROVER).json()["requests"][0]["request"] == waiting["request"]
    decided = site.post(f"{path}/approve", {"note": "Spoke with the duty officer"}, Role.APPROVER)
    assert (decided.status_code, decided.json()["state"]) == (200, "approved")
    assert site.said(decided.json()["receipt"]["index"])["note"] == "Spoke with the duty officer"
    shown = site.disclose(ASK)
    assert (shown.status_code, shown.json()["records"][0]["value"]["number"]) == (200, "816-555-0142")
    assert site.post(f"{path}/refuse", {}, Role.APPROVER).json()["code"] == "decided"
    figures = site.get("/v1/requests/statistics", Role.AUDITOR).json()["approvers"]
    assert [(one["approved"], one["refused"]) for one in figures] == [(1, 0)]


def test_refused_it_stays_shut(site: Site, waiting: dict[str, Any]) -> None:
    answer = site.post(f"/v1/requests/{waiting['request']}/refuse", {}, Role.APPROVER)
    assert (answer.status_code, answer.json()["state"]) == (200, "refused")
    again = site.disclose(ASK)
    assert again.status_code == 202
    assert again.json()["request"] != waiting["request"]


def test_a_batch_waits_item_by_item(site: Site, waiting: dict[str, Any]) -> None:
    body = {"items": [{"employee_number": NUMBER, "categories": ["phone"]}] * 2, "purpose": ASK["purpose"]}
    results = site.post("/v1/disclosures/batch", body, Role.READER).json()["results"]
    assert [(one["status"], one["request"]) for one in results] == [(202, waiting["request"])] * 2


def test_unknown_and_somebody_elses_look_the_same(site: Site, waiting: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {site.token('another reader', Role.READER)}"}
    answers = [site.http.get(f"/v1/requests/{one}", headers=headers) for one in (waiting["request"], "0" * 32)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert site.http.get("/v1/requests", headers=headers).json() == {"requests": []}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.APPROVER])
@pytest.mark.parametrize("word", ["approve", "refuse"])
def test_only_approvers_decide(site: Site, waiting: dict[str, Any], role: Role, word: str) -> None:
    answer = site.post(f"/v1/requests/{waiting['request']}/{word}", {}, role)
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_permitted")


def test_an_own_ask_is_not_approved_by_who_asked(site: Site, waiting: dict[str, Any]) -> None:
    both = {"Authorization": f"Bearer {site.token('both', Role.READER, Role.APPROVER)}"}
    asked = site.http.post("/v1/disclosures", json=ASK, headers=both).json()["request"]
    assert asked != waiting["request"]
    answer = site.http.post(f"/v1/requests/{asked}/approve", json={}, headers=both)
    assert (answer.status_code, answer.json()["reason"]) == (403, "conflict_of_interest")


@pytest.mark.parametrize("body", [{"note": 5}, {"state": "approved"}, {"note": "x", "needs": 0}, []])
def test_a_word_takes_a_note_and_nothing_else(site: Site, waiting: dict[str, Any], body: Any) -> None:
    answer = site.post(f"/v1/requests/{waiting['request']}/approve", body, Role.APPROVER)
    assert answer.status_code == 422
    assert site.get(f"/v1/requests/{waiting['request']}", Role.APPROVER).json()["approvals"] == 0
