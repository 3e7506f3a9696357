"""The week's sample of lookups over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from registry.domain.principals import Role
from tests.functional.api.conftest import NUMBER, Site

LOOKUP = {"employee_number": NUMBER, "categories": ["home_address"], "purpose": {"code": "emergency_contact"}}
NOTE = "Nobody knows of an emergency"


@pytest.fixture
def lookups(site: Site) -> list[dict[str, Any]]:
    site.enroll()
    assert [site.disclose(LOOKUP).status_code for _ in range(3)] == [200] * 3
    site.home.clock.step(7 * 86_400)
    answer = site.get("/v1/audit/sample", Role.AUDITOR)
    assert answer.status_code == 200
    assert "Larkspur" not in answer.text
    found: list[dict[str, Any]] = answer.json()["lookups"]
    return found


def test_from_sample_to_finding(site: Site, lookups: list[dict[str, Any]]) -> None:
    assert [one["purpose"]["code"] for one in lookups] == ["emergency_contact"] * 3
    path = f"/v1/audit/sample/{lookups[0]['entry']}"
    done = site.post(path, {"finding": "does_not_fit", "note": NOTE}, Role.AUDITOR)
    assert (done.status_code, done.json()["finding"]) == (200, "does_not_fit")
    assert site.said(done.json()["receipt"]["index"])["note"] == NOTE
    again = site.post(path, {"finding": "fits"}, Role.AUDITOR)
    assert (again.status_code, again.json()["code"]) == (409, "decided")
    week = "2026-W10"
    listed = site.get(f"/v1/audit/sample?week={week}", Role.AUDITOR).json()
    assert (listed["week"], [one["finding"] for one in listed["lookups"]]) == (week, ["does_not_fit", None, None])


@pytest.mark.parametrize(
    "body",
    [{"finding": "asked"}, {"finding": "does_not_fit", "note": "."}, {"finding": "justified", "note": NOTE}, {}, []],
)
def test_a_finding_is_read_strictly(site: Site, lookups: list[dict[str, Any]], body: Any) -> None:
    assert site.post(f"/v1/audit/sample/{lookups[0]['entry']}", body, Role.AUDITOR).status_code == 422


@pytest.mark.parametrize("entry", ["0", "999999999999999999999", "x", "-1", "01", "1.0", "%D9%A3"])
def test_what_is_no_lookup_is_not_found(site: Site, entry: str) -> None:
    assert site.post(f"/v1/audit/sample/{entry}", {"finding": "fits"}, Role.AUDITOR).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["week=2026-W99", "week=", "week=2026-W11", "week=2026-W12", "weeks=2026-W09", "week=2026-W09&week=2026-W08"],
)
def test_a_week_is_read_strictly(site: Site, lookups: list[dict[str, Any]], query: str) -> None:
    del lookups  # it is the second week now
    assert site.get(f"/v1/audit/sample?{query}", Role.AUDITOR).status_code == 422
