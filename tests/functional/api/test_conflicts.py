"""Over HTTP as the abuser in the household, the former partner, the supervisor: refused, and nothing tells why."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest

from registry.domain.principals import Role
from registry.domain.purposes import PurposeCode
from tests.functional.api.conftest import Site

ASKER, BOSS = "T-0001", "T-0009"
HERE = {"line": "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"}
SPOUSE = {"ref": "s1", "relation": "spouse", "given_name": "Robin", "family_name": "Brightwater"}
# Number of the subject -> how it is tied to who asks.
TIED: dict[str, dict[str, Any]] = {
    "T-0010": {"family": [{**SPOUSE, "employee_number": ASKER}]},
    "T-0011": {"relations": [{"kind": "household", "employee_number": ASKER}]},
    "T-0012": {"relations": [{"kind": "kin", "employee_number": ASKER}]},
    "T-0013": {"relations": [{"kind": "former_partner", "employee_number": ASKER}]},
    "T-0014": {"address": HERE},
    "T-0015": {"supervisor": ASKER},
    BOSS: {},
    ASKER: {},
}
PURPOSES = [
    {"code": code, "case": "CASE-7", "note": "a welfare check that was asked for"}
    for code in (
        PurposeCode("safety"),
        PurposeCode("legal_service"),
        PurposeCode("official_mail"),
        PurposeCode("payroll"),
    )
]


def records(number: str, address: dict[str, str] | None) -> list[dict[str, Any]]:
    value = address or {"line": f"{int(number[2:])} Quarry Rd, Fairhollow, MO 64999"}
    return [
        {"category": "home_address", "value": value},
        {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0142"}},
    ]


@pytest.fixture
def tied(site: Site) -> Site:
    for number, given in TIED.items():
        declared = {"family": [], **given}
        address = declared.pop("address", HERE if number == ASKER else None)
        supervisor = {"supervisor": BOSS} if number == ASKER else {}
        site.enroll(number, records=records(number, address), **declared, **supervisor)
    site.enroll("T-0020", records=records("T-0020", None), family=[])
    return site


def lookup(site: Site, number: str, purpose: dict[str, Any], token: dict[str, str]) -> Any:
    ask = {"employee_number": number, "categories": ["home_address"], "purpose": purpose}
    return site.http.post("/v1/disclosures", json=ask, headers=token)


@pytest.mark.parametrize("purpose", PURPOSES, ids=lambda purpose: purpose["code"])
def test_nobody_looks_up_those_around_them(tied: Site, purpose: dict[str, Any]) -> None:
    token = tied.as_(Role.READER, ASKER)
    told = set()
    for number in TIED:
        answer = lookup(tied, number, purpose, token)
        body = answer.json()
        receipt = body.pop("receipt")
        assert not {"T-", "kin", "partner", "supervis"} & set(answer.text.split('"'))
        told.add((answer.status_code, str(sorted(body.items())), len(answer.content) - len(str(receipt["index"]))))
    statuses, bodies = {each[0] for each in told}, {each[1] for each in told}
    assert (statuses, len(bodies)) == ({403}, 1)
    assert "conflict_of_interest" in bodies.pop()
    assert lookup(tied, "T-0020", purpose, token).status_code == 200
    rules = [entry.values["rules"] for entry in tied.home.entries() if entry.kind == "deny" and entry.values]
    assert len({rule for told in rules for rule in told.split() if rule.startswith("conflict.")}) >= 5


def test_in_an_emergency_the_chain_of_command_is_open_and_the_household_is_not(tied: Site) -> None:
    token = tied.as_(Role.READER, ASKER)
    purpose = {"code": PurposeCode("emergency_contact"), "note": "an accident at work this morning"}
    statuses = {number: lookup(tied, number, purpose, token).status_code for number in TIED}
    assert statuses == dict.fromkeys(TIED, 403) | {"T-0015": 200, BOSS: 200}


def test_a_batch_refuses_those_and_no_others(tied: Site) -> None:
    numbers = [*TIED, "T-0020"]
    items = [{"employee_number": number, "categories": ["home_address"]} for number in numbers]
    body = {"items": items, "purpose": PURPOSES[1]}
    answer = tied.http.post("/v1/disclosures/batch", json=body, headers=tied.as_(Role.READER, ASKER))
    assert [one["status"] for one in answer.json()["results"]] == [403] * len(TIED) + [200]


def test_a_former_partner_does_not_learn_the_new_address(tied: Site) -> None:
    """Neither the old household's address nor a move opens it again."""
    subject = tied.enroll("T-0030", records=records("T-0030", HERE), family=[])
    token = tied.as_(Role.READER, ASKER)
    assert lookup(tied, "T-0030", PURPOSES[1], token).status_code == 403
    record = next(one["record"] for one in subject["records"] if one["category"] == "home_address")
    changes = {
        "versions": [{"record": record, "value": {"line": "4 Hidden Ln, Fairhollow, MO 64999"}}],
        "relations": [{"kind": "former_partner", "employee_number": ASKER}],
    }
    path = f"/v1/subjects/{subject['subject']}"
    changed = tied.http.patch(path, json=changes, headers=tied.as_(Role.ENROLLER))
    assert changed.status_code == 200
    assert "partner" not in changed.text
    for purpose in PURPOSES:
        answer = lookup(tied, "T-0030", purpose, token)
        assert answer.status_code == 403
        assert "Hidden" not in answer.text


def test_no_answer_gives_back_what_was_declared(tied: Site) -> None:
    answers = [
        tied.post("/v1/subjects/search", {"employee_number": "T-0013"}, Role.ENROLLER),
        tied.http.get("/v1/me/records", headers=tied.as_(Role.SUBJECT, "T-0013")),
        tied.http.post("/v1/me/disclosures", json={}, headers=tied.as_(Role.SUBJECT, "T-0013")),
        tied.http.get("/v1/me/accounting", headers=tied.as_(Role.SUBJECT, "T-0013")),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert not any(word in answer.text for word in (ASKER, "former_partner", "relations", "supervisor"))


def test_the_time_of_a_refusal_does_not_tell_by_which_relation(tied: Site) -> None:
    """Medians of interleaved asks, so that the machine's moods fall on all alike."""
    token = tied.as_(Role.READER, ASKER)
    taken: dict[str, list[float]] = {number: [] for number in TIED}
    for _ in range(25):
        for number in TIED:
            started = time.perf_counter()
            lookup(tied, number, PURPOSES[1], token)
            taken[number].append(time.perf_counter() - started)
    medians = [statistics.median(times) for times in taken.values()]
    spread = statistics.median(
        statistics.quantiles(times, n=4)[2] - statistics.quantiles(times, n=4)[0] for times in taken.values()
    )
    assert max(medians) - min(medians) < max(2 * spread, 0.002)
