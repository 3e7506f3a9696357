"""Limits, locks and decoys over HTTP, as those meet them who try to get around them."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from registry.api.app import create_app
from registry.api.server import serving
from registry.bootstrap import open_application
from registry.domain.principals import Role
from registry.identity.issuers import DEVELOPMENT_ISSUER
from tests.fakes.plain_http import plain_client
from tests.functional.api.conftest import Site
from tests.functional.api.contract import Contract
from tests.functional.services.homes import Home
from tests.functional.services.test_at_once import at_once

PURPOSE = {"code": "safety", "case": "CASE-1", "note": "welfare check"}
PHONE = {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0142"}}
REASON = "Yearly letters to all units"


def limited_site(home: Home, brakes: dict[str, int]) -> Iterator[Site]:
    settings = replace(home.app.settings, brakes=brakes)
    braked = Home(open_application(settings, home.clock), home.clock)
    app = create_app(braked.app)
    contract = Contract(app.openapi())
    with (
        serving(braked.app, app) as url,
        plain_client(url, event_hooks={"response": [contract.watch]}) as client,
    ):
        yield Site(braked, url, client, contract)


@pytest.fixture
def braked(home: Home) -> Iterator[Site]:
    """A site whose readers may see five people a day."""
    yield from limited_site(home, {"subjects_per_day": 5})


def numbers(site: Site, count: int) -> list[str]:
    given = [f"T-{number:04}" for number in range(count)]
    for number in given:
        site.enroll(number)
    return given


def card(number: str, **more: Any) -> dict[str, Any]:
    return {"employee_number": number, "categories": ["home_address"], "purpose": PURPOSE, **more}


def principal(site: Site, name: str) -> str:
    listed = site.get("/v1/principals", Role.SECURITY_ADMIN).json()["principals"]
    (found,) = [row["principal"] for row in listed if (row["issuer"], row["sub"]) == (DEVELOPMENT_ISSUER, name)]
    return str(found)


def test_the_next_person_is_429_with_receipt_and_time(braked: Site) -> None:
    people = numbers(braked, 6)
    assert {braked.disclose(card(number)).status_code for number in people[:5]} == {200}
    answer = braked.disclose(card(people[5]))
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["title"]) == (429, "quota_exceeded", "Too Many Requests")
    assert int(answer.headers["retry-after"]) == problem["retry_after"] == 15 * 3600  # it is nine in the morning
    assert braked.said(problem["receipt"]["index"])["result"] == "denied quota_exceeded"
    assert answer.headers["audit-receipt"].split()[1] == str(problem["receipt"]["index"])
    assert braked.disclose(card(people[0])).status_code == 200


def test_a_bulk_scraper_is_stopped_item_by_item(braked: Site) -> None:
    people = numbers(braked, 9)
    items = [{"employee_number": number, "categories": ["home_address"]} for number in people]
    answer = braked.post("/v1/disclosures/batch", {"items": items, "purpose": PURPOSE}, Role.READER)
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [200] * 5 + [429] * 4
    assert {braked.said(result["receipt"]["index"])["result"] for result in results[5:]} == {"denied quota_exceeded"}


def test_thirty_two_clients_at_once_see_exactly_as_many(braked: Site) -> None:
    people = numbers(braked, 40)
    headers = braked.as_(Role.READER)

    def scrape(number: int) -> list[int]:
        with plain_client(braked.url, headers=headers) as client:
            mine = [people[(number * 5 + step) % 40] for step in range(4)]
            return [client.post("/v1/disclosures", json=card(one)).status_code for one in mine]

    given = at_once([lambda number=number: scrape(number) for number in range(32)])  # type: ignore[misc]  # bound now
    counted = Counter(status for answers in given for status in answers)  # type: ignore[union-attr]  # an error would show
    assert set(counted) == {200, 429}
    shown = [entry.values or {} for entry in braked.home.entries() if entry.kind == "disclose"]
    assert len({said["subject"] for said in shown}) == 5
    assert counted[200] == len(shown)


def test_a_raised_limit_holds_at_once(braked: Site) -> None:
    people = numbers(braked, 7)
    assert [braked.disclose(card(number)).status_code for number in people] == [200] * 5 + [429] * 2
    body = {"purpose": "safety", "limit": 6, "until": "2026-03-03T09:00:00Z", "reason": REASON}
    path = f"/v1/principals/{principal(braked, 'the reader')}/unlock"
    answer = braked.post(path, body, Role.APPROVER)
    assert answer.status_code == 200
    assert braked.said(answer.json()["receipt"]["index"])["result"] == "raised"
    assert [braked.disclose(card(number)).status_code for number in people[5:]] == [200, 429]


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"limit": 0}, "out_of_range", "/limit"),
        ({"limit": True}, "wrong_type", "/limit"),
        ({"limit": None}, "wrong_type", "/limit"),
        ({"until": "2026-03-02T09:00:00Z"}, "out_of_range", "/until"),
        ({"until": "2026-05-02T09:00:00Z"}, "out_of_range", "/until"),
        ({"until": "tomorrow"}, "not_a_moment", "/until"),
        ({"purpose": "everything"}, "not_one_of", "/purpose"),
        ({"reason": ".         ."[:3]}, "too_short", "/reason"),
        ({"lock": True}, "exactly_one", ""),
        ({"brake": True}, "exactly_one", ""),
        ({"roles": ["reader"]}, "unknown_key", ""),
    ],
)
def test_an_unlock_is_read_strictly(site: Site, change: dict[str, Any], code: str, pointer: str) -> None:
    body = {"purpose": "safety", "limit": 6, "until": "2026-03-03T09:00:00Z", "reason": REASON} | change
    answer = site.post(f"/v1/principals/{'0' * 32}/unlock", body, Role.APPROVER)
    assert answer.status_code == 422
    assert {"pointer": pointer, "code": code} in answer.json()["errors"]
    assert site.last().kind == "deny"


@pytest.mark.parametrize("role", list(Role))
def test_who_may_unlock_and_who_may_set_decoys(site: Site, role: Role) -> None:
    body = {"purpose": "safety", "limit": 6, "until": "2026-03-03T09:00:00Z", "reason": REASON}
    nobody = f"/v1/principals/{'0' * 32}/unlock"
    may = role in (Role.SECURITY_ADMIN, Role.APPROVER)
    assert site.post(nobody, body, role).status_code == (404 if may else 403)
    lifted = site.post(nobody, {"lock": True, "reason": REASON}, role)
    assert lifted.status_code == (404 if role is Role.SECURITY_ADMIN else 403)
    braked = site.post(nobody, {"brake": True, "reason": REASON}, role)
    assert braked.status_code == (404 if role is Role.SECURITY_ADMIN else 403)
    for body in ({"brake": 1, "reason": REASON}, {"brake": True, "lock": True, "reason": REASON}):
        assert site.post(nobody, body, role).status_code == (422 if may else 403)
    assert site.post("/v1/decoys", {"employee_numbers": ["T-9"]}, role).status_code == (
        404 if role is Role.SECURITY_ADMIN else 403
    )
    assert site.last().kind == ("decoy" if role is Role.SECURITY_ADMIN else "deny")


def test_a_decoy_touched_in_a_batch_answers_like_the_others_and_locks(site: Site) -> None:
    people = numbers(site, 5)
    assert site.post("/v1/decoys", {"employee_numbers": [people[2]]}, Role.SECURITY_ADMIN).status_code == 200
    items = [{"employee_number": number, "categories": ["home_address"]} for number in people]
    headers = site.as_(Role.READER)
    answer = site.http.post("/v1/disclosures/batch", json={"items": items, "purpose": PURPOSE}, headers=headers)
    results = answer.json()["results"]
    assert {result["status"] for result in results} == {200}
    assert {result["receipt"]["size"] for result in results} == {results[0]["receipt"]["size"]}
    indexes = [result["receipt"]["index"] for result in results]
    assert indexes == list(range(indexes[0], indexes[0] + 5))
    again = site.http.post("/v1/disclosures", json=card(people[0]), headers=headers)
    assert (again.status_code, again.json()["reason"]) == (403, "not_permitted")
    listed = site.get("/v1/principals", Role.SECURITY_ADMIN).json()["principals"]
    assert [row["state"] for row in listed if row["sub"] == "the reader"] == ["locked"]
    path = f"/v1/principals/{principal(site, 'the reader')}/unlock"
    assert site.post(path, {"lock": True, "reason": REASON}, Role.SECURITY_ADMIN).status_code == 200
    assert site.http.post("/v1/disclosures", json=card(people[0]), headers=headers).status_code == 200
    refused = site.post(path, {"lock": True, "reason": REASON}, Role.SECURITY_ADMIN)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_locked")


def test_a_decoys_answer_is_like_any_other(site: Site) -> None:
    """Forty accounts ask for a decoy and for somebody: same status, headers and length, and times that overlap."""
    people = numbers(site, 2)
    site.post("/v1/decoys", {"employee_numbers": [people[1]]}, Role.SECURITY_ADMIN)
    headers = [{"Authorization": f"Bearer {site.token(f'reader-{number}', Role.READER)}"} for number in range(40)]
    seen: dict[str, list[tuple[Any, float]]] = {number: [] for number in people}
    for step, one in enumerate(headers):
        site.http.post("/v1/disclosures", json=card(people[0]), headers=one)  # its token and its role are known now
        number = people[step % 2]
        started = time.perf_counter()
        answer = site.http.post("/v1/disclosures", json=card(number, form="as_entered"), headers=one)
        took = time.perf_counter() - started
        receipt = answer.json()["receipt"]
        shape = (
            answer.status_code,
            " ".join(sorted(answer.headers)),
            len(answer.content) - len(str(receipt["index"])) * 2,
        )
        seen[number].append(((*shape, receipt["size"] - receipt["index"]), took))
    plain, decoy = (seen[number] for number in people)
    assert {shape for shape, _ in plain} == {shape for shape, _ in decoy}
    # One look is all that an account has: half of the decoy's times are within what others take.
    assert statistics.median(took for _, took in decoy) < max(took for _, took in plain) * 2


@pytest.mark.parametrize("role", list(Role))
def test_who_may_ask_for_the_bit_and_who_is_told_what_is_unusual(site: Site, role: Role) -> None:
    site.enroll()
    answer = site.post("/v1/confidentiality/check", PHONE, role)
    may = role in (Role.RECORDS_OFFICER, Role.INVESTIGATOR)
    assert answer.status_code == (200 if may else 403)
    assert answer.json().get("protected") is (True if may else None)
    assert site.last().kind == ("check" if may else "deny")
    unusual = site.get("/v1/audit/unusual", role)
    assert unusual.status_code == (200 if role is Role.AUDITOR else 403)


def test_a_membership_prober_gets_no_more_than_may_be_and_hits_look_like_misses(home: Home) -> None:
    for site in limited_site(home, {"checks_per_day": 5}):
        site.enroll()
        asked = [
            {"category": "phone", "value": {"kind": "mobile", "number": f"816-555-01{number}"}}
            for number in range(36, 46)
        ]
        headers = site.as_(Role.RECORDS_OFFICER)
        given = [site.http.post("/v1/confidentiality/check", json=one, headers=headers) for one in asked]
        assert [answer.status_code for answer in given] == [200] * 5 + [429] * 5  # the hit is among the refused
        assert {answer.json().get("protected") for answer in given[:5]} == {False}
        refused = [{**answer.json(), "receipt": None} for answer in given[5:]]
        assert all(one == refused[0] for one in refused)
        assert {len(answer.headers) for answer in given[5:]} == {len(given[5].headers)}
        assert [entry.kind for entry in home.entries()].count("check") == 10


def test_what_is_unusual_comes_with_reasons_and_without_values(site: Site) -> None:
    site.enroll()
    body = card("T-0001", purpose={"code": "emergency_contact", "note": "accident on duty"})
    assert site.disclose(body).status_code == 200
    page = site.get("/v1/audit/unusual", Role.AUDITOR)
    (one,) = page.json()["entries"]
    assert (one["reasons"], one["purpose"], page.json()["next"]) == (["no_case"], "emergency_contact", None)
    assert "Brightwater" not in page.text
    for query in ("?after=3", "?before=x", "?before=1&before=2"):
        assert site.get(f"/v1/audit/unusual{query}", Role.AUDITOR).status_code == 422
