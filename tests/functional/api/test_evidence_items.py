"""Several texts in one trace, and items that are added later, over HTTP."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from registry.domain.principals import Role
from tests.functional.api.conftest import NUMBER, Site
from tests.functional.api.test_traces import POST

PHONE = "call 816 555 0142"


def asked(site: Site, *items: dict[str, Any]) -> Any:
    return site.post("/v1/traces", {"items": list(items)}, Role.INVESTIGATOR)


@pytest.fixture
def moment(site: Site) -> str:
    site.enroll()
    site.disclose({"employee_number": NUMBER, "categories": ["phone"], "purpose": {"code": "emergency_contact"}})
    site.home.clock.step(3600)
    return site.home.clock.now().isoformat()


def test_a_text_a_document_and_a_page_are_one_case(site: Site, moment: str) -> None:
    file = {"content": base64.b64encode(PHONE.encode()).decode(), "name": "post.txt"}
    answer = asked(
        site,
        {"text": POST, "published_at": moment, "uncertainty_seconds": 60, "source": "forum, thread 12"},
        {"file": file, "published_at": moment, "uncertainty_seconds": 120},
        {"url": "https://board.example/12", "published_at": moment, "uncertainty_seconds": 180},
    )
    assert answer.status_code == 201, answer.text
    report = answer.json()["report"]
    assert [(one["number"], one["url"]) for one in report["question"]["items"]] == [
        (1, None),
        (2, None),
        (3, "https://board.example/12"),
    ]
    assert report["question"]["items"][1]["file_sha256"]
    phone = next(one for one in answer.json()["findings"] if one["kind"] == "phone:mobile")
    assert phone["item"] == 1
    start = report["question"]["items"][1]["start"]
    assert [span[0] >= start for span in phone["spans"]] == [False, True]
    trace = answer.json()["trace"]
    for form in ("html", "txt", "pdf"):
        assert site.get(f"/v1/traces/{trace}/report.{form}", Role.INVESTIGATOR).status_code == 200
    page = site.get(f"/v1/traces/{trace}/report.html", Role.INVESTIGATOR).text
    assert "The items of this case" in page
    assert "https://board.example/12" in page
    assert "item 2: 5 to 17" in page


def test_an_item_that_is_added_twice_adds_nothing_and_one_with_a_new_value_goes_on(site: Site, moment: str) -> None:
    trace = asked(site, {"text": PHONE, "published_at": moment}).json()["trace"]
    for _ in range(2):
        again = site.post(f"/v1/traces/{trace}/items", {"text": PHONE, "published_at": moment}, Role.INVESTIGATOR)
        assert again.status_code == 200, again.text
        told = {name: again.json()[name] for name in ("new_values", "seen_again", "continued_by")}
        assert told == {"new_values": 0, "seen_again": 1, "continued_by": None}
    added = site.post(f"/v1/traces/{trace}/items", {"text": POST, "published_at": moment}, Role.INVESTIGATOR).json()
    assert (added["new_values"], added["seen_again"], added["state"]) == (1, 1, "closed")
    on = site.get(f"/v1/traces/{added['continued_by']}", Role.INVESTIGATOR).json()
    assert on["report"]["question"]["continues"] == trace
    assert [one["later"] for one in on["report"]["question"]["items"]] == [False, True]
    before = site.get(f"/v1/traces/{trace}", Role.INVESTIGATOR).json()["report"]
    assert [one["new_values"] for one in before["sightings"]] == [0, 0, 1]
    page = site.get(f"/v1/traces/{trace}/report.html", Role.INVESTIGATOR).text
    assert "What was seen later" in page
    once_more = site.post(f"/v1/traces/{trace}/items", {"text": POST, "published_at": moment}, Role.INVESTIGATOR)
    assert (once_more.status_code, once_more.json()["code"]) == (409, "closed")
    shown = site.post(f"/v1/traces/{trace}/reveal", None, Role.INVESTIGATOR).json()
    assert [one["content"] for one in shown["parts"]] == [PHONE, PHONE, POST]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"items": []}, "/items", "empty"),
        ({"items": [{"text": "x", "published_at": "2026-03-01T00:00:00Z"}] * 21}, "/items", "too_many"),
        ({"items": "x"}, "/items", "wrong_type"),
        ({"items": [{"text": "x"}]}, "/items/0/published_at", "missing"),
        ({"items": [{"text": "x", "published_at": "monday"}]}, "/items/0/published_at", "not_a_moment"),
        ({"items": [{"published_at": "2026-03-01T00:00:00Z"}]}, "/items/0/text", "missing"),
        ({"items": [{"url": "https://a.example", "published_at": "2026-03-01T00:00:00Z"}]}, "/items", "missing"),
        (
            {"items": [{"text": "x", "url": "javascript:1", "published_at": "2026-03-01T00:00:00Z"}]},
            "/items/0/url",
            "not_a_url",
        ),
        (
            {"items": [{"file": {"content": "%"}, "published_at": "2026-03-01T00:00:00Z"}]},
            "/items/0/file/content",
            "not_base64",
        ),
        ({"items": [{"text": "x", "published_at": "2026-03-01T00:00:00Z"}], "source": "y"}, "/source", "exactly_one"),
        ({"items": [{"text": "x", "published_at": "2026-03-01T00:00:00Z"}], "text": "y"}, "", "exactly_one"),
    ],
)
def test_a_problem_names_the_place_in_the_items(site: Site, body: dict[str, Any], pointer: str, code: str) -> None:
    answer = site.post("/v1/traces", body, Role.INVESTIGATOR)
    assert answer.status_code == 422
    assert {"pointer": pointer, "code": code} in answer.json()["errors"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"text": "Said.", "by": "boss"}, "/by", "not_one_of"),
        ({"text": "Said.", "by": "account_holder"}, "/account", "missing"),
        ({"text": "Said.", "by": "unit", "account": "Account 1"}, "/account", "exactly_one"),
        ({"text": "Said.", "by": "account_holder", "account": "Account 9"}, "/account", "not_in_report"),
        ({"text": "Said.", "account": "Account 9"}, "/account", "not_in_report"),
    ],
)
def test_a_reply_is_of_one_of_a_list(site: Site, moment: str, body: dict[str, Any], pointer: str, code: str) -> None:
    trace = asked(site, {"text": PHONE, "published_at": moment}).json()["trace"]
    answer = site.post(f"/v1/traces/{trace}/notes", body, Role.INVESTIGATOR)
    assert answer.status_code == 422
    assert {"pointer": pointer, "code": code} in answer.json()["errors"]
    assert site.get(f"/v1/traces/{trace}", Role.INVESTIGATOR).json()["report"]["replies"] == []


def test_who_replied_is_in_every_form_and_the_reply_is_whole(site: Site, moment: str) -> None:
    trace = asked(site, {"text": PHONE, "published_at": moment}).json()["trace"]
    long = "It was for the call of 2 March. " * 60 + "THE END"
    for body in ({"account": "Account 1"}, {"by": "subject"}, {"by": "unit"}, {"by": "other"}):
        answer = site.post(f"/v1/traces/{trace}/notes", {"text": long, **body}, Role.INVESTIGATOR)
        assert answer.status_code == 200, answer.text
    replies = site.get(f"/v1/traces/{trace}", Role.INVESTIGATOR).json()["report"]["replies"]
    assert [(one["by"], one["account"]) for one in replies] == [
        ("account_holder", "Account 1"),
        ("subject", None),
        ("unit", None),
        ("other", None),
    ]
    page = site.get(f"/v1/traces/{trace}/report.html", Role.INVESTIGATOR).text
    assert page.count("THE END") == 4
    assert "the unit of an account" in page
