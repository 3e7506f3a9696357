"""Holds over HTTP: placed, confirmed by somebody else, read, ended; and what is refused."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER as ISSUER
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


NOTE = {"note": "The hearing was put off to June"}
DAY = 86_400


def placed(site: Site, days: int) -> str:
    answer = site.post("/v1/holds", ASKED | {"days": days, "statement": "written"}, Role.INVESTIGATOR)
    assert answer.status_code == 201, answer.text
    hold: str = answer.json()["hold"]
    return hold


def confirmed(site: Site, hold: str, approver: str, note: dict[str, str] | None = None) -> httpx2.Response:
    """Confirm under an account of its own."""
    headers = {"Authorization": f"Bearer {site.token(approver, Role.APPROVER)}"}
    return site.http.post(f"/v1/holds/{hold}/confirm", json=NOTE if note is None else note, headers=headers)


def refused(site: Site, answer: httpx2.Response) -> str:
    """Return the code of a refusal, which the newest entry names too; nothing of the hold has changed."""
    assert answer.status_code == 409, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    code: str = answer.json()["code"]
    hold = answer.request.url.path.split("/")[3]
    said = site.said(site.last().index)
    assert (said["result"], said["detail"]) == (f"refused {code}", f"confirmed hold {hold}")
    assert site.get(f"/v1/holds/{hold}", Role.AUDITOR).json()["state"] == "pending"
    return code


def test_what_a_hold_renews_is_told_to_who_reviews_and_audits_and_to_nobody_else(site: Site) -> None:
    site.enroll()
    first = placed(site, 20)
    assert confirmed(site, first, "approver 1").status_code == 200
    site.home.clock.step(30 * DAY)
    second = placed(site, 15)
    path = f"/v1/holds/{second}"
    told = site.get(path, Role.APPROVER).json()["renewal"]
    earlier = {
        "hold": first,
        "from": "2026-03-02T09:00:00.000Z",
        "until": "2026-03-22T09:00:00.000Z",
        "placed_by": f"{ISSUER}#the investigator",
        "confirmed_by": f"{ISSUER}#approver 1",
    }
    assert told == {
        "since": "2026-03-02T09:00:00.000Z",
        "days": 20,
        "days_with_this": 35,
        "most_days": 180,
        "most_days_of_one_approver": 90,
        "holds": [earlier],
    }
    assert site.get(path, Role.AUDITOR).json()["renewal"] == told
    assert site.get(path, Role.INVESTIGATOR).json()["renewal"] is None
    assert site.get(f"/v1/holds/{first}", Role.APPROVER).json()["renewal"] is None
    for role in (Role.INVESTIGATOR, Role.APPROVER, Role.AUDITOR):
        assert all("renewal" not in one for one in site.get("/v1/holds", role).json()["holds"])


def test_a_renewal_needs_a_note_that_says_why(site: Site) -> None:
    site.enroll()
    assert confirmed(site, placed(site, 20), "approver 1", note={}).status_code == 200
    again = placed(site, 20)
    assert refused(site, confirmed(site, again, "approver 1", note={})) == "renewal"
    answer = confirmed(site, again, "approver 1")
    assert (answer.status_code, answer.json()["state"]) == (200, "confirmed")
    assert "; renews 1 since 2026-03-02T09:00:00.000Z " in site.said(answer.json()["receipt"]["index"])["detail"]


def test_one_approver_and_then_all_of_them_have_held_somebodys_notices_long_enough(site: Site) -> None:
    site.enroll()
    assert confirmed(site, placed(site, 90), "approver 1").status_code == 200
    site.home.clock.step(90 * DAY)
    second = placed(site, 90)
    assert refused(site, confirmed(site, second, "approver 1")) == "another_approver"
    assert confirmed(site, second, "approver 2").status_code == 200
    site.home.clock.step(90 * DAY)
    assert refused(site, confirmed(site, placed(site, 1), "approver 3")) == "held_too_long"
