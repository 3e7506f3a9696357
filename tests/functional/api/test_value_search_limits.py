"""A search by value counts like a check: nobody tries values out by the one that the other would stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from registry.api.app import create_app
from registry.api.server import serving
from registry.bootstrap import open_application
from registry.domain.principals import Role
from tests.fakes.plain_http import plain_client
from tests.functional.api.conftest import Site
from tests.functional.api.contract import Contract
from tests.functional.services.homes import Home

MOST = 5


@pytest.fixture
def limited(home: Home) -> Iterator[Site]:
    started = open_application(replace(home.app.settings, brakes={"checks_per_day": MOST}), home.clock)
    app = create_app(started)
    contract = Contract(app.openapi())
    with (
        serving(started, app) as url,
        plain_client(url, event_hooks={"response": [contract.watch]}) as client,
    ):
        yield Site(Home(started, home.clock), url, client, contract)
    started.close()


def searched(site: Site, serial: int) -> httpx2.Response:
    value = {"category": "ssn", "value": {"number": f"741-12-{serial:04}"}}
    return site.post("/v1/subjects/search", {"value": value}, Role.INVESTIGATOR)


def test_guesses_end_at_the_limit_and_a_hit_looks_like_a_miss_then(limited: Site) -> None:
    limited.enroll()
    first = [searched(limited, 1_000 + number) for number in range(MOST)]
    assert {answer.status_code for answer in first} == {200}
    assert searched(limited, 1_000).status_code == 200  # asked before: no other value
    hit, miss = searched(limited, 3_456), searched(limited, 9_999)
    for answer in (hit, miss):
        assert (answer.status_code, answer.json()["code"]) == (429, "quota_exceeded")
        said = limited.said(answer.json()["receipt"]["index"])
        assert (said["result"], said["rules"].split()[-1]) == ("denied quota_exceeded", "brakes.checks")
    shape = {key for answer in (hit, miss) for key in answer.json()}
    assert shape == set(hit.json()) == set(miss.json())
    assert "Brightwater" not in hit.text


def test_checks_and_searches_are_counted_together(limited: Site) -> None:
    limited.enroll()
    for number in range(MOST):
        body = {"category": "ssn", "value": {"number": f"741-12-{1_000 + number}"}}
        assert limited.post("/v1/confidentiality/check", body, Role.INVESTIGATOR).status_code == 200
    assert searched(limited, 3_456).status_code == 429


def test_without_a_limit_a_search_finds_its_person(site: Site) -> None:
    site.enroll()
    assert [hit["family_name"] for hit in searched(site, 3_456).json()["hits"]] == ["Brightwater"]
