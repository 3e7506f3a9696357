"""Names and draws from a trace's page: two people, nobody below strong, and nothing that a link can do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from registry.audit.kinds import Kind
from registry.domain.approvals import Verdict
from registry.domain.ids import RequestId
from registry.domain.principals import Role
from registry.services.approvals import Word
from tests.functional.console.browsers import Browser, newest, said
from tests.functional.services.homes import Home
from tests.functional.services.test_naming import REASON, investigated, strong

NAMES = re.compile(r'name="account" value="(\d+)"')


class Case:
    """A trace that calls one account strong, at the browser of whoever ran it."""

    def __init__(self, home: Home, browser: Browser) -> None:
        self.home, self.browser = home, browser
        _, self.reader, self.traced = investigated(home)
        self.path = f"/console/traces/{self.traced.trace}"
        self.number = strong(self.traced).rpartition(" ")[2]
        browser.sign_in("investigator", Role.INVESTIGATOR)

    def ask(self, act: str, fields: dict[str, str]) -> Any:
        return self.browser.post(f"{self.path}/{act}", fields)

    def approve(self, page: str) -> None:
        found = re.search(r"The request is ([0-9a-f]{32})", page)
        assert found is not None, page
        approver = self.home.caller("approver", Role.APPROVER)
        self.home.app.approvals.decide(approver, Word(RequestId(found[1]), Verdict.APPROVE))


@pytest.fixture
def case(home: Home, browser: Browser) -> Case:
    return Case(home, browser)


def test_a_name_waits_for_another_person_and_is_shown_once(case: Case) -> None:
    page = case.browser.get(case.path)
    assert NAMES.findall(page.text) == [case.number]
    assert "the reader" not in page.text
    fields = {"account": case.number, "name_reason": REASON}
    waiting = case.ask("names", fields)
    assert waiting.status_code == 202
    assert "the reader" not in waiting.text
    assert case.ask("names", fields).status_code == 202
    case.approve(waiting.text)
    named = case.ask("names", fields)
    assert named.status_code == 200
    assert "the reader" in named.text
    assert "never the sole basis for discipline" in named.text
    told = newest(case.home, Kind.AUDIT_READ)
    assert (said(told)["note"], said(told)["request"]) == (REASON, case.traced.trace)
    assert str(told.index) in re.findall(r"\d+", named.headers["audit-receipt"])
    assert case.ask("names", fields).status_code == 202  # an approval is used once
    assert "the reader" not in case.browser.get(case.path).text


def test_an_account_that_the_page_does_not_offer_is_refused_and_noted(case: Case) -> None:
    other = "1" if case.number != "1" else "2"
    answer = case.ask("names", {"account": other, "name_reason": REASON})
    assert answer.status_code == 409
    assert "Nobody is named" in answer.text
    assert said(newest(case.home, Kind.AUDIT_READ))["result"] == "refused below_strong"
    assert not [one for one in case.home.entries() if one.kind == Kind.REQUEST]


@pytest.mark.parametrize(
    ("act", "fields", "wrong"),
    [
        ("names", {}, ["account", "name_reason"]),
        ("names", {"account": "Account 1", "name_reason": REASON}, ["account"]),
        ("names", {"account": "1", "name_reason": "\u202e"}, ["name_reason"]),
        ("draws", {}, ["draws_reason"]),
    ],
)
def test_wrong_fields_are_named_on_the_trace(case: Case, act: str, fields: dict[str, str], wrong: list[str]) -> None:
    answer = case.ask(act, fields)
    assert answer.status_code == 422
    assert re.findall(r'<a href="#(\w+)">', answer.text) == wrong
    assert "What must not be concluded" in answer.text


def test_draws_are_opened_once_for_a_defence(case: Case) -> None:
    answer = case.ask("draws", {"draws_reason": REASON})
    assert (answer.status_code, answer.headers["location"]) == (303, case.path)
    assert "the evidence bundle has the keys from now on" in case.browser.get(case.path).text
    assert said(newest(case.home, Kind.DRAWS))["note"] == REASON
    again = case.ask("draws", {"draws_reason": REASON})
    assert again.status_code == 422
    assert "It is open already" in again.text


def test_neither_is_anybody_elses(case: Case) -> None:
    case.browser.sign_in("another", Role.INVESTIGATOR)
    for act, fields in (
        ("names", {"account": case.number, "name_reason": REASON}),
        ("draws", {"draws_reason": REASON}),
    ):
        assert case.ask(act, fields).status_code == 404
        assert case.browser.get(f"{case.path}/{act}").status_code == 405


def test_a_trace_without_marked_copies_offers_neither(home: Home, browser: Browser) -> None:
    browser.sign_in("investigator", Role.INVESTIGATOR)
    path = browser.post("/console/traces", {"text": "nothing of anybody"}).headers["location"]
    page = browser.get(path).text
    assert f"{path}/names" not in page
    assert f"{path}/draws" not in page
    answer = browser.post(f"{path}/draws", {"draws_reason": REASON})
    assert answer.status_code == 409
    assert "There is nothing to open" in answer.text


def test_how_sure_the_time_of_publication_is_stands_on_the_form(case: Case) -> None:
    fields = {"text": "nobody is in here", "published_at_offset": "+00:00", "uncertainty": "90"}
    wrong = case.browser.post("/console/traces", fields)
    assert wrong.status_code == 422
    assert "Say when it was first seen, too." in wrong.text
    assert case.browser.post("/console/traces", fields | {"uncertainty": "soon"}).status_code == 422
    done = case.browser.post("/console/traces", fields | {"published_at": "2020-03-02T14:30"})
    assert done.status_code == 303
    told = case.browser.get(f"{done.headers['location']}/report.html").text
    assert "give or take 1 hour 30 minutes" in told


NOTE = {"note": "asked the forum for its log"}
CLOSED = {"state": "closed", "state_reason": REASON}


def test_a_note_a_reply_and_a_state_go_to_the_case(case: Case) -> None:
    assert case.ask("notes", NOTE).status_code == 303
    assert case.ask("notes", {"note": "The card was for a call.", "note_account": case.number}).status_code == 303
    page = case.browser.get(case.path).text
    assert "The card was for a call." in page
    assert NOTE["note"] not in page
    assert case.ask("state", CLOSED).status_code == 303
    refused = case.ask("notes", NOTE)
    assert refused.status_code == 422
    assert "open it again first" in refused.text
    shown = case.ask("text", {}).text
    assert all(one in shown for one in (NOTE["note"], "The card was for a call.", REASON))
    assert "<td>closed</td>" in case.browser.get("/console/traces").text


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("notes", NOTE),
        ("items", {"item": "seen again", "item_at": "2020-03-02T14:30", "item_at_offset": "+00:00"}),
        ("state", CLOSED),
        ("names", {"account": "1", "name_reason": REASON}),
        ("draws", {"draws_reason": REASON}),
    ],
)
def test_another_site_sends_none_of_these_forms(case: Case, act: str, fields: dict[str, str]) -> None:
    size = len(case.home.entries())
    answer = case.browser.post(f"{case.path}/{act}", fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert {one.kind for one in case.home.entries()[size:]} <= {Kind.AUTH}


def test_who_replies_is_one_of_a_list_and_its_account_one_of_the_report(case: Case) -> None:
    told = {"note": "She was at the hearing that day."}
    assert case.ask("notes", told | {"note_by": "subject"}).status_code == 303
    assert "a person whose values were found" in case.browser.get(case.path).text
    for fields, words in (
        ({"note_by": "somebody"}, "Choose whose words they are."),
        ({"note_by": "account_holder"}, "Account that replied must be a whole number"),
        ({"note_by": "account_holder", "note_account": "99"}, "The report has no account of that number."),
        ({"note_by": "subject", "note_account": "1"}, "A number belongs to the reply of an account alone."),
    ):
        refused = case.ask("notes", told | fields)
        assert refused.status_code == 422
        assert words in refused.text


def test_what_is_seen_later_goes_to_the_case(case: Case) -> None:
    text = case.home.app.trace.reveal(case.home.caller("investigator", Role.INVESTIGATOR), case.traced.trace).text
    fields = {
        "item": text,
        "item_at": "2026-03-02T14:30",
        "item_at_offset": "+00:00",
        "item_url": "https://b.example/1",
    }
    done = case.ask("items", fields)
    assert (done.status_code, done.headers["location"]) == (303, case.path)
    page = case.browser.get(case.path).text
    assert "nothing is new, so it adds no weight" in page
    assert "What was seen later" in page
    assert text.splitlines()[0] not in page
    assert text.splitlines()[0] in case.ask("text", {}).text
    for change, words in (
        ({"item": " "}, "Text is missing."),
        ({"item_at": ""}, "Say when it was first seen."),
        ({"item_url": "javascript:1"}, "Address of the page"),
        ({"item_minutes": "soon"}, "Give or take must be"),
    ):
        refused = case.ask("items", fields | change)
        assert refused.status_code == 422
        assert words in refused.text
    case.ask("state", CLOSED)
    assert "open it again first" in case.ask("items", fields).text
