"""Purposes over HTTP: the list, those of an agency from its folder to the accounting, and what is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from registry.api.app import create_app
from registry.api.server import serving
from registry.bootstrap import open_application
from registry.domain.errors import MisconfiguredHome
from registry.domain.principals import Role
from registry.policy.settings import PolicySettings
from tests.fakes.plain_http import plain_client
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.api.contract import Contract
from tests.functional.services.homes import Home

DECLARED = '[parking_enforcement]\n\n[union_election]\nhl7 = "HSYSADMIN"\n'
POLICIES = """
@id("own.parking")
@reason("permitted")
permit (principal, action == Action::"ask", resource)
when { context.purpose == Purpose::"parking_enforcement" }
when { [Category::"vehicle_plate"].containsAll(resource.categories) };

@id("own.parking_case")
@reason("case_needed")
@rank("30")
forbid (principal, action == Action::"ask", resource)
when { context.purpose == Purpose::"parking_enforcement" }
unless { context.has_case };

@id("own.election")
@reason("permitted")
permit (principal, action == Action::"ask", resource)
when { context.purpose == Purpose::"union_election" }
when { [Category::"home_address"].containsAll(resource.categories) };
"""
PLATE = {
    "employee_number": NUMBER,
    "categories": ["vehicle_plate"],
    "purpose": {"code": "parking_enforcement", "case": "P-1"},
}


@pytest.fixture
def agency(home: Home, tmp_path: Path) -> Iterator[Site]:
    """The registry started again with an agency's purposes, and a limit for one of them."""
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "purposes.toml").write_text(DECLARED, "ascii")
    (folder / "own.cedar").write_text(POLICIES, "ascii")
    policy, brakes = PolicySettings(folder=folder), {"by_purpose": {"union_election": 1}}
    started = open_application(replace(home.app.settings, policy=policy, brakes=brakes), home.clock)
    app = create_app(started)
    contract = Contract(app.openapi())
    with (
        serving(started, app) as url,
        plain_client(url, event_hooks={"response": [contract.watch]}) as client,
    ):
        yield Site(Home(started, home.clock), url, client, contract)
    started.close()


def test_the_list_says_what_each_opens(site: Site) -> None:
    told = site.get("/v1/purposes", Role.READER).json()
    assert told["policy"] == site.home.app.kernel.policy.version
    assert [one["code"] for one in told["purposes"]] == [
        "emergency_contact",
        "payroll",
        "benefits",
        "official_mail",
        "legal_service",
        "safety",
    ]
    assert told["purposes"][3] == {
        "code": "official_mail",
        "hl7": "GOV",
        "opens": ["home_address"],
        "needs_case": True,
        "needs_step_up": False,
    }
    site.enroll()
    for listed in told["purposes"]:
        body = {"employee_number": NUMBER, "categories": listed["opens"], "purpose": {"code": listed["code"]}}
        assert site.disclose(body).status_code == (403 if listed["needs_case"] else 200)
        assert site.disclose(body | {"purpose": {"code": listed["code"], "case": "C-1"}}).status_code == 200


def test_an_agencys_purpose_from_its_folder_to_the_accounting(agency: Site) -> None:
    agency.enroll()
    listed = {one["code"]: one for one in agency.get("/v1/purposes", Role.AUDITOR).json()["purposes"]}
    parking = listed["parking_enforcement"]
    assert (parking["opens"], parking["needs_case"]) == (["vehicle_plate"], True)
    shown = agency.disclose(PLATE)
    assert shown.status_code == 200
    index = shown.json()["receipt"]["index"]
    said = agency.said(index)
    assert said["purpose"] == "parking_enforcement"
    assert "own.parking" in said["rules"].split()
    refused = agency.disclose(PLATE | {"categories": ["ssn"]})
    assert (refused.status_code, refused.json()["reason"]) == (403, "purpose_not_allowed")
    caseless = agency.disclose(PLATE | {"purpose": {"code": "parking_enforcement"}})
    assert (caseless.status_code, caseless.json()["reason"]) == (403, "case_needed")
    page = agency.get("/v1/audit/entries?purpose=parking_enforcement&kind=disclose", Role.AUDITOR).json()
    assert [entry["index"] for entry in page["entries"]] == [index]
    headers = agency.as_(Role.SUBJECT, NUMBER)
    mine = agency.http.get("/v1/me/accounting", headers=headers).json()["entries"]
    assert "parking_enforcement" in {entry["purpose"] for entry in mine}


def test_its_limits_and_holds_know_it(agency: Site) -> None:
    agency.enroll()
    agency.enroll("T-0002")
    asks = [
        {"employee_number": number, "categories": ["home_address"], "purpose": {"code": "HSYSADMIN"}}
        for number in (NUMBER, "T-0002")
    ]
    assert [agency.disclose(ask).status_code for ask in asks] == [200, 429]
    hold = {
        "employee_number": NUMBER,
        "purposes": ["union_election"],
        "days": 3,
        "statement": "written",
        "asked_by": "Example agency",
        "reason": "an inquiry that is under way",
    }
    assert agency.post("/v1/holds", hold, Role.INVESTIGATOR).status_code == 201
    unknown = agency.post("/v1/holds", hold | {"purposes": ["no_such"]}, Role.INVESTIGATOR)
    assert unknown.json()["errors"] == [{"pointer": "/purposes/0", "code": "not_one_of"}]


@pytest.mark.parametrize("code", ["parking_enforcement", "PARKING", "no such", "x" * 41, "own_record"])
def test_what_is_no_purpose_here_is_told_with_its_place(site: Site, code: str) -> None:
    site.enroll()
    told = [{"pointer": "/purpose/code", "code": "not_one_of"}]
    answer = site.disclose(PLATE | {"purpose": {"code": code, "case": "P-1"}})
    assert (answer.status_code, answer.json()["errors"]) == (422, told)
    items = [{"employee_number": NUMBER, "categories": ["vehicle_plate"]}]
    many = site.post("/v1/disclosures/batch", {"items": items, "purpose": {"code": code}}, Role.READER)
    assert (many.status_code, many.json()["errors"]) == (422, told)
    assert "disclose" not in {entry.kind for entry in site.home.entries()}


def test_a_limit_for_a_purpose_that_is_none_keeps_the_registry_from_starting(home: Home) -> None:
    settings = replace(home.app.settings, brakes={"by_purpose": {"union_election": 1}})
    with pytest.raises(MisconfiguredHome, match="there is no purpose union_election"):
        open_application(settings, home.clock)


def test_a_version_is_agreed_on_over_http(site: Site) -> None:
    asked = {"version": "cedar:" + "0" * 64, "reason": "purposes for the parking office"}
    answer = site.post("/v1/policies", asked, Role.SECURITY_ADMIN)
    assert answer.status_code == 200
    said = site.said(answer.json()["receipt"]["index"])
    assert (said["request"], said["result"]) == ("agreed", asked["version"])
    for version in ("", "cedar:0", "md5:" + "0" * 64, "cedar:" + "G" * 64):
        bad = site.post("/v1/policies", asked | {"version": version}, Role.SECURITY_ADMIN)
        assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/version")
