"""The enroller as an attacker: whose conflicts are in the way, or who would know a value that is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx2
import orjson
import pytest

from registry.bootstrap import open_application
from registry.domain.approvals import Action
from registry.domain.principals import Role
from tests.functional.api.conftest import Site
from tests.functional.api.test_conflicts import ASKER, PURPOSES, lookup, records
from tests.functional.services.homes import Home, person

THEIRS = "T-0013"
FORMER = [{"kind": "former_partner", "employee_number": ASKER}]


def imported(site: Site, document: dict[str, Any], number: str | None = None) -> dict[str, Any]:
    headers = site.as_(Role.ENROLLER, number) | {"Content-Type": "application/x-ndjson"}
    answer = site.http.post("/v1/subjects/import?update=true", content=orjson.dumps(document), headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def changed(site: Site, subject: str, changes: dict[str, Any]) -> httpx2.Response:
    return site.http.patch(f"/v1/subjects/{subject}", json=changes, headers=site.as_(Role.ENROLLER, ASKER))


def test_no_clerk_changes_those_close_to_them_nor_themselves(site: Site) -> None:
    own = site.enroll(ASKER, records=records(ASKER, None), family=[])
    theirs = site.enroll(THEIRS, records=records(THEIRS, None), family=[], relations=FORMER)
    address, phone = (one["record"] for one in theirs["records"])
    tries: list[dict[str, Any]] = [
        {"relations": []},
        {"marks": [{"record": address, "confidentiality": "none"}]},
        {"ends": [{"record": phone}]},
        {"versions": [{"record": phone, "value": {"kind": "mobile", "number": "816-555-0199"}}]},
    ]
    answers = [changed(site, theirs["subject"], each) for each in tries]
    answers.append(changed(site, own["subject"], {"supervisor": ""}))
    assert {(answer.status_code, answer.json()["reason"]) for answer in answers} == {(403, "conflict_of_interest")}
    entry = site.said(answers[0].json()["receipt"]["index"])
    assert (entry["result"], entry["detail"]) == ("denied conflict_of_interest", "update")
    assert lookup(site, THEIRS, PURPOSES[1], site.as_(Role.READER, ASKER)).status_code == 403


def test_no_import_takes_away_what_stands_between_two(site: Site) -> None:
    site.enroll(ASKER, records=records(ASKER, None), family=[])
    site.enroll(THEIRS, records=records(THEIRS, None), family=[], relations=FORMER)
    told = imported(site, person(THEIRS, records=records(THEIRS, None), family=[]), ASKER)
    assert (told["updated"], [error["code"] for error in told["errors"]]) == (0, ["conflict_of_interest"])
    assert lookup(site, THEIRS, PURPOSES[1], site.as_(Role.READER, ASKER)).status_code == 403


@pytest.fixture
def controlled(home: Home) -> Home:
    home.app.close()
    rules = {"dual_control": frozenset({Action.UNMARK})}
    home.app = open_application(replace(home.app.settings, approvals=rules), home.clock)
    return home


@pytest.mark.usefixtures("controlled")
def test_an_import_that_waits_for_another_person_does_not_tell_a_value(site: Site) -> None:
    """A right guess would be paired with itself, a wrong one leave the stored value to the entry without a mark."""
    ssn = {"category": "ssn", "value": {"number": "741-12-3456"}}
    site.enroll(THEIRS, records=[ssn], family=[])

    def guess(*numbers: str) -> dict[str, Any]:
        tried = [{"category": "ssn", "value": {"number": number}, "confidentiality": "sealed"} for number in numbers]
        bait = {"category": "ssn", "value": {"number": "741-12-9999"}, "confidentiality": "none"}
        return imported(site, person(THEIRS, records=[bait, *tried], family=[]))

    wrong, right = guess("741-12-3455"), guess("741-12-3454", "741-12-3456")
    for told in (wrong, right):
        told.pop("receipt")
    assert wrong == right
    assert (right["updated"], [error["code"] for error in right["errors"]]) == (0, ["approval_required"])
