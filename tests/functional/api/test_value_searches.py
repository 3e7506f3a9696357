"""Who asked for a value: searches and checks of it, misses included; counted and braked like a check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from registry.domain.principals import Role
from registry.services import entry_filter
from tests.fakes.digits import tells
from tests.functional.api.conftest import Site
from tests.functional.api.test_brakes import limited_site
from tests.functional.services.homes import Home

HERS = {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0123"}}
NOBODYS = {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0199"}}


@pytest.fixture
def braked_site(home: Home) -> Iterator[Site]:
    yield from limited_site(home, {"checks_per_day": 3})


def asked(site: Site, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = site.post("/v1/audit/value-searches", value | {"case": "IA-2026-17"} | more, Role.INVESTIGATOR)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_searches_and_checks_of_a_value_are_found_misses_included(site: Site) -> None:
    site.enroll()
    for value in (HERS, NOBODYS, HERS):
        site.post("/v1/subjects/search", {"value": value}, Role.INVESTIGATOR)
        site.post("/v1/confidentiality/check", value, Role.RECORDS_OFFICER)
    newest = [(entry.kind, entry.index) for entry in site.home.entries() if entry.kind in ("search", "check")]
    for value, places in ((HERS, (0, 1, 4, 5)), (NOBODYS, (2, 3))):
        found = asked(site, value)
        assert [(one["kind"], one["index"]) for one in found["entries"]] == [newest[at] for at in reversed(places)]
        assert found["before"] is None
    results = {one["kind"]: one["result"] for one in asked(site, NOBODYS)["entries"]}
    assert results == {"search": "hits 0", "check": "not protected"}


def test_the_question_is_an_entry_without_the_value(site: Site) -> None:
    index = asked(site, HERS, note="posted on a forum")["receipt"]["index"]
    said = site.home.entries()[index].values or {}
    assert (said["detail"], said["case"], said["note"]) == ("audit by value", "IA-2026-17", "posted on a forum")
    assert not tells(said["request"], "816-555-0123")
    assert said["request"].startswith("before - phone ")


def test_a_page_looks_at_so_many_entries_and_the_next_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.post("/v1/confidentiality/check", NOBODYS, Role.RECORDS_OFFICER)
    checked = site.home.entries()[-1].index
    for _ in range(8):
        site.get("/v1/audit/entries?limit=1", Role.AUDITOR)
    monkeypatch.setattr(entry_filter, "MOST_LOOKED_AT", 5)
    first = asked(site, NOBODYS)
    assert (first["entries"], first["before"] is None) == ([], False)
    seen, before = [], first["before"]
    while before is not None:
        page = asked(site, NOBODYS, before=before)
        seen += [one["index"] for one in page["entries"]]
        before = page["before"]
    assert seen == [checked]


def test_asking_counts_like_a_check_of_the_value(braked_site: Site) -> None:
    """Three different values a day, by whichever of the two routes; the same one again is free."""
    site = braked_site
    numbers = [f"816-555-01{number}" for number in range(10, 14)]
    values = [{"category": "phone", "value": {"kind": "mobile", "number": number}} for number in numbers]
    asked(site, values[0])
    assert site.post("/v1/confidentiality/check", values[1], Role.INVESTIGATOR).status_code == 200
    asked(site, values[2])
    asked(site, values[0])
    refused = site.post("/v1/audit/value-searches", values[3] | {"case": "x"}, Role.INVESTIGATOR)
    assert (refused.status_code, "entries" in refused.json()) == (429, False)
    entry = site.home.entries()[refused.json()["receipt"]["index"]]
    assert (entry.values or {})["result"] == "denied quota_exceeded"
    assert site.post("/v1/confidentiality/check", values[3], Role.INVESTIGATOR).status_code == 429


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"case": None}, "/case", "wrong_type"),
        ({"before": "7"}, "/before", "wrong_type"),
        ({"before": True}, "/before", "wrong_type"),
        ({"before": -1}, "/before", "out_of_range"),
        ({"category": "health"}, "/category", "not_one_of"),
        ({"more": 1}, "", "unknown_key"),
    ],
)
def test_a_malformed_question_is_refused(site: Site, change: dict[str, Any], pointer: str, code: str) -> None:
    answer = site.post("/v1/audit/value-searches", HERS | {"case": "IA-17"} | change, Role.INVESTIGATOR)
    assert answer.status_code == 422
    assert (pointer, code) in [(one["pointer"], one["code"]) for one in answer.json()["errors"]]
    assert not tells(answer.text, "816-555-0123")
