"""Holds over HTTP: placed, confirmed by somebody else, read, ended; and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.principals import Role
from tests.functional.api.conftest import NUMBER, Site

ASKED: dict[str, Any] = {
    "employee_number": NUMBER,
    "purposes": ["legal_service", "safety"],
    "days": 30,
    "statement": "oral",
    "asked_by": "County prosecutor",
    "reason": "Subpoena 12: not to be told before the hearing",
}


def test_from_asking_to_the_end(site: Site) -> None:
    subject = site.enroll()["subject"]
    answer = site.post("/v1/holds", ASKED, Role.INVESTIGATOR)
    assert answer.status_code == 201
    placed = answer.json()
    path = f"/v1/holds/{placed['hold']}"
    assert (placed["state"], placed["until"]) == ("pending", "2026-04-01T09:00:00.000Z")
    said = site.said(placed["receipt"]["index"])
    assert (said["request"], said["subject"], said["note"]) == (subject, "", ASKED["reason"])
    assert [one["hold"] for one in site.get("/v1/holds", Role.AUDITOR).json()["holds"]] == [placed["hold"]]
    found = site.get(path, Role.APPROVER).json()
    assert {key: found[key] for key in ("purposes", "statement", "asked_by", "reason")} == {
        key: ASKED[key] for key in ("purposes", "statement", "asked_by", "reason")
    }
    assert (found["subject"], found["case"]) == (subject, None)
    assert site.post(f"{path}/confirm", {"note": "spoke with them"}, Role.APPROVER).json()["state"] == "confirmed"
    assert site.post(f"{path}/refuse", {}, Role.APPROVER).json()["code"] == "decided"
    ended = site.post(f"{path}/end", {}, Role.INVESTIGATOR)
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    accounting = site.http.get("/v1/me/accounting", headers=site.as_(Role.SUBJECT, NUMBER)).text
    assert "hold" not in accounting


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"days": 0}, "out_of_range"),
        ({"days": 31}, "out_of_range"),  # longer than an oral statement counts
        ({"days": 91, "statement": "written"}, "out_of_range"),
        ({"days": True}, "wrong_type"),
        ({"days": "30"}, "wrong_type"),
        ({"statement": "none"}, "not_one_of"),
        ({"purposes": []}, "empty"),
        ({"purposes": ["curiosity"]}, "not_one_of"),
        ({"reason": "."}, "too_short"),
        ({"asked_by": ""}, "empty"),
        ({"until": "2027-01-01T00:00:00Z"}, "unknown_key"),
        ({"state": "confirmed"}, "unknown_key"),
        ({"subject": "0" * 32}, "exactly_one"),
    ],
)
def test_a_hold_says_how_long_for_whom_and_why(site: Site, change: dict[str, Any], code: str) -> None:
    site.enroll()
    answer = site.post("/v1/holds", ASKED | change, Role.INVESTIGATOR)
    assert answer.status_code == 422
    assert code in {problem["code"] for problem in answer.json()["errors"]}


@pytest.mark.parametrize("key", ["days", "statement", "asked_by", "reason", "employee_number"])
def test_nothing_of_it_may_be_left_out(site: Site, key: str) -> None:
    answer = site.post("/v1/holds", {name: ASKED[name] for name in ASKED if name != key}, Role.INVESTIGATOR)
    assert answer.status_code == 422


def test_somebody_unknown_is_not_found(site: Site) -> None:
    assert site.post("/v1/holds", ASKED, Role.INVESTIGATOR).status_code == 404
    assert site.last().kind == "hold"
