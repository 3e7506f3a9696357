"""Flows that take two people: approvals, emergencies, holds, disputes and corrections, samples, limits and locks."""

from __future__ import annotations

import re
from typing import Any

import pytest

from registry.domain.principals import Role
from registry.services.read_audit import ReadEntry
from registry.services.review_sample import DUE_MS
from tests.functional.console.browsers import Browser
from tests.functional.services.homes import Home, person

WEEK_SECONDS = 7 * 86_400
REASON = "Reported threat at the gate"
# In the forms that were drawn for whoever looks.
SHOWN = r"816[ .-]?555[ .-]?0177"


@pytest.fixture
def enrolled(home: Home) -> Home:
    home.enroll()
    record = {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0177"}}
    home.enroll(person("T-0002", family=[], records=[record | {"confidentiality": "restricted"}]))
    return home


@pytest.fixture
def other(browser: Browser) -> Browser:
    return Browser(browser.home, browser.site)


def newest(home: Home, kind: str) -> ReadEntry:
    return [entry for entry in home.entries() if entry.kind == kind][-1]


def said(entry: ReadEntry) -> Any:
    assert entry.values is not None
    return entry.values


def link(page: str, path: str) -> str:
    found = re.search(rf'(?:href|action)="({path}[^"]*)"', page)
    assert found is not None, page
    return found[1]


def look_up(browser: Browser, **fields: str) -> Any:
    asked = {"employee_number": "T-0002", "categories": ["phone"], "purpose": "safety", "case": "C-7"}
    return browser.post("/console/look-up", asked | fields)


def assert_done(browser: Browser, answer: Any, words: str) -> None:
    """Check that the browser was sent on, and that the next page says what was done and names the entry."""
    assert answer.status_code == 303, answer.text
    page = browser.get(answer.headers["location"]).text
    index = answer.headers["audit-receipt"].split()[1]
    assert words in page
    assert f"entry {index} of the ledger" in page


# ---- approvals ----


def test_a_lookup_waits_is_approved_by_somebody_else_and_is_then_shown(
    enrolled: Home, browser: Browser, other: Browser
) -> None:
    browser.sign_in("kim", Role.READER)
    waiting = look_up(browser, note="Welfare check")
    assert waiting.status_code == 202
    assert "816-555-0177" not in waiting.text
    path = link(waiting.text, "/console/requests/")
    assert "Decide" not in browser.get(path).text

    other.sign_in("ada", Role.APPROVER)
    assert "1 request to decide" in other.get("/console/").text
    assert path in other.get("/console/requests").text
    shown = other.get(path).text
    for text in ("kim", "Phone number", "Safety", "C-7", "Welfare check"):
        assert text in shown
    wrong = other.post(path)
    assert wrong.status_code == 422
    assert 'href="#verdict"' in wrong.text
    assert 'id="verdict-error"' in wrong.text
    assert_done(other, other.post(path, {"verdict": "approve", "note": "In order"}), "The request is approved.")
    assert "0 requests to decide" in other.get("/console/").text
    assert "This is settled already" in other.post(path, {"verdict": "refuse"}).text

    assert re.search(SHOWN, look_up(browser, note="Welfare check").text)
    assert "ada" in said(newest(enrolled, "approve"))["principal"]


def test_nobody_decides_their_own_request(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("both", Role.READER, Role.APPROVER)
    path = link(look_up(browser).text, "/console/requests/")
    assert "Record my word" not in browser.get(path).text
    assert "0 requests to decide" in browser.get("/console/").text
    answer = browser.post(path, {"verdict": "approve"})
    assert answer.status_code == 403
    assert look_up(browser).status_code == 202


def test_another_readers_request_is_not_shown(enrolled: Home, browser: Browser, other: Browser) -> None:
    browser.sign_in("kim", Role.READER)
    path = link(look_up(browser).text, "/console/requests/")
    other.sign_in("lou", Role.READER)
    assert other.get(path).status_code == 404
    assert path not in other.get("/console/requests").text


def test_an_auditor_sees_how_approvers_decide(enrolled: Home, browser: Browser, other: Browser) -> None:
    browser.sign_in("kim", Role.READER)
    path = link(look_up(browser).text, "/console/requests/")
    other.sign_in("ada", Role.APPROVER)
    other.post(path, {"verdict": "refuse"})
    other.sign_in("audrey", Role.AUDITOR)
    figures = other.get("/console/requests/statistics").text
    assert "<td>0</td><td>1</td><td>0 %</td>" in figures


# ---- emergencies ----


def test_an_emergency_is_opened_from_a_lookup_and_reviewed_with_the_clock_in_sight(
    enrolled: Home, browser: Browser, other: Browser
) -> None:
    browser.sign_in("kim", Role.READER)
    form = {"employee_number": "T-0002", "categories": ["phone"], "case": "C-7"}
    waiting = look_up(browser).text
    assert 'action="/console/emergencies/from-lookup"' in waiting
    filled = browser.post("/console/emergencies/from-lookup", form).text
    assert 'value="T-0002"' in filled
    assert 'value="phone" checked' in filled
    wrong = browser.post("/console/emergencies/new", form | {"reason": "short"})
    assert wrong.status_code == 422
    assert 'id="reason-error"' in wrong.text
    opened = browser.post("/console/emergencies/new", form | {"reason": REASON})
    assert_done(browser, opened, "The card is open to you until")
    assert re.search(SHOWN, look_up(browser).text)

    other.sign_in("ada", Role.APPROVER)
    assert "1 emergency to review</a>: <span" in other.get("/console/").text
    listed = other.get("/console/emergencies").text
    assert "3 days left" in listed
    path = link(listed, "/console/emergencies/[0-9a-f]")
    assert REASON in other.get(path).text
    enrolled.clock.step(73 * 3600)
    other.sign_in("ada", Role.APPROVER)
    assert "overdue since" in other.get("/console/emergencies").text
    assert "overdue since" in other.get("/console/").text
    assert other.post(path, {"finding": "justified"}).status_code == 422
    answer = other.post(path, {"finding": "justified", "note": "The report is on file"})
    assert_done(other, answer, "The review is recorded.")
    assert "Justified" in other.get(path).text
    browser.sign_in("kim", Role.READER)
    assert look_up(browser).status_code == 202


def test_an_emergency_for_nobody_says_so_beside_the_field(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("kim", Role.READER)
    form = {"employee_number": "T-4444", "categories": ["phone"], "reason": REASON}
    answer = browser.post("/console/emergencies/new", form)
    assert answer.status_code == 422
    assert 'id="employee_number-error">Nobody with this number is enrolled.' in answer.text


def test_nobody_reviews_their_own_emergency(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("both", Role.READER, Role.APPROVER)
    form = {"employee_number": "T-0002", "categories": ["phone"], "reason": REASON}
    browser.post("/console/emergencies/new", form)
    path = link(browser.get("/console/emergencies").text, "/console/emergencies/[0-9a-f]{32}")
    assert "Record the review" not in browser.get(path).text
    assert browser.post(path, {"finding": "justified", "note": REASON}).status_code == 403


# ---- holds ----

HOLD = {
    "employee_number": "T-0001",
    "statement": "written",
    "days": "30",
    "asked_by": "Office of the prosecutor",
    "reason": "A running inquiry",
    "purposes": ["safety"],
}


def test_a_hold_is_asked_for_confirmed_by_another_and_ended(enrolled: Home, browser: Browser, other: Browser) -> None:
    browser.sign_in("ivy", Role.INVESTIGATOR)
    wrong = browser.post("/console/holds", HOLD | {"days": "91", "asked_by": "", "reason": ""})
    assert wrong.status_code == 422
    for field in ("days", "asked_by", "reason"):
        assert f'id="{field}-error"' in wrong.text
    assert browser.post("/console/holds", HOLD | {"statement": "oral", "days": "31"}).status_code == 422
    assert_done(browser, browser.post("/console/holds", HOLD), "keeps nothing back until somebody else confirms it")
    path = link(browser.get("/console/holds").text, "/console/holds/")
    assert browser.post(f"{path}/review", {"verdict": "confirmed"}).status_code == 403

    other.sign_in("ada", Role.APPROVER)
    assert "1 hold to review" in other.get("/console/").text
    page = other.get(path).text
    assert "Office of the prosecutor" in page
    assert "Safety" in page
    assert_done(other, other.post(f"{path}/review", {"verdict": "confirmed"}), "The hold is in force.")
    assert_done(browser, browser.post(f"{path}/end", {"note": "Over"}), "The hold is ended.")
    assert browser.post(f"{path}/end").status_code == 409


# ---- disputes, corrections, contact ----


def test_a_dispute_is_filed_from_the_accounting_and_answered(enrolled: Home, browser: Browser, other: Browser) -> None:
    other.sign_in("kim", Role.READER)
    look_up(other, employee_number="T-0001")
    browser.sign_in("dana", Role.SUBJECT, number="T-0001")
    path = link(browser.get("/console/me/accounting").text, "/console/me/accounting/")
    assert browser.post(path).status_code == 422
    filed = browser.post(path, {"text": "I never called about this"})
    assert_done(browser, filed, "The dispute is filed.")

    other.sign_in("audrey", Role.AUDITOR)
    assert "1 dispute to answer" in other.get("/console/").text
    listed = other.get("/console/disputes").text
    assert "I never called" not in listed
    text_path = link(listed, "/console/disputes/")
    shown = other.post(text_path)
    assert "I never called about this" in shown.text
    answer_path = text_path.removesuffix("/text")
    wrong = other.post(answer_path, {"finding": "accepted", "note": "No answer to a dispute"})
    assert wrong.status_code == 422
    assert 'id="finding-error"' in wrong.text
    assert_done(other, other.post(answer_path, {"finding": "upheld", "note": "It was wrong"}), "The answer is recorded")
    assert other.post(answer_path, {"finding": "upheld", "note": "Twice"}).status_code == 409

    own = browser.get("/console/me/petitions").text
    assert "Upheld" in own
    assert "It was wrong" not in own
    assert "It was wrong" in browser.post(link(own, "/console/me/petitions/")).text


def test_an_entry_about_somebody_else_cannot_be_disputed(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("dana", Role.SUBJECT, number="T-0001")
    assert browser.post("/console/me/accounting/0/dispute", {"text": "Not mine"}).status_code == 404
    assert browser.get("/console/me/accounting/x/dispute").status_code == 404


def test_a_correction_with_a_value_is_accepted_unseen(enrolled: Home, browser: Browser, other: Browser) -> None:
    browser.sign_in("dana", Role.SUBJECT, number="T-0001")
    records = re.findall(r'href="(/console/me/records/[0-9a-f]+/correct)"', browser.get("/console/me").text)
    path = next(one for one in records if 'name="value_line"' in browser.get(one).text)
    wrong = browser.post(path, {"text": "Moved", "value_line": "???"})
    assert wrong.status_code == 422
    assert 'id="value_line-error"' in wrong.text
    right = {"text": "We moved", "value_line": "88 Sorrel Ct, Fairhollow, MO 64999"}
    assert_done(browser, browser.post(path, right), "The correction is asked for.")

    other.sign_in("lee", Role.ENROLLER)
    text_path = link(other.get("/console/corrections").text, "/console/corrections/")
    shown = other.post(text_path).text
    assert "We moved" in shown
    assert "Sorrel" not in shown
    answer = other.post(text_path.removesuffix("/text"), {"finding": "accepted", "note": "Done"})
    assert_done(other, answer, "The answer is recorded")
    assert "Sorrel" in browser.post("/console/me/values").text


def test_another_persons_record_cannot_be_corrected(enrolled: Home, browser: Browser, other: Browser) -> None:
    browser.sign_in("dana", Role.SUBJECT, number="T-0001")
    path = link(browser.get("/console/me").text, "/console/me/records/")
    other.sign_in("sam", Role.SUBJECT, number="T-0002")
    assert other.get(path).status_code == 404
    assert other.post(path, {"text": "Mine?"}).status_code == 404


def test_a_contact_is_set_and_shown_by_a_button_only(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("dana", Role.SUBJECT, number="T-0001")
    wrong = browser.post("/console/me/contact", {"kind": "email", "value": "no address"})
    assert wrong.status_code == 422
    assert 'id="value-error"' in wrong.text
    set_ = browser.post("/console/me/contact", {"kind": "email", "value": "safe@example.org"})
    assert_done(browser, set_, "Your contact is set.")
    assert "safe@example.org" not in browser.get("/console/me/contact").text
    assert "safe@example.org" in browser.post("/console/me/contact/shown").text


# ---- samples, policies, reports ----


def test_a_sample_is_reviewed_lookup_by_lookup(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("kim", Role.READER)
    look_up(browser, employee_number="T-0001", note="Welfare check")
    enrolled.clock.step(WEEK_SECONDS)
    browser.sign_in("audrey", Role.AUDITOR)
    assert "1 lookup of last week&#39;s sample to review" in browser.get("/console/").text
    page = browser.get("/console/sample").text
    assert "Welfare check" in page
    path = link(page, "/console/sample/")
    wrong = browser.post(path, {"finding": "does_not_fit"})
    assert wrong.status_code == 422
    assert 'id="note-error"' in wrong.text
    answer = browser.post(path, {"finding": "does_not_fit", "note": "No such case exists"})
    assert_done(browser, answer, "is reviewed.")
    assert "Does not fit its purpose" in browser.get("/console/sample").text
    assert "0 lookups of last week" in browser.get("/console/").text


def test_a_late_sample_is_said(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("kim", Role.READER)
    look_up(browser, employee_number="T-0001")
    enrolled.clock.step(WEEK_SECONDS + DUE_MS // 1000)
    browser.sign_in("audrey", Role.AUDITOR)
    page = browser.get("/console/sample").text
    assert "Earlier weeks are overdue" in page
    assert "overdue since" in browser.get(link(page, r"/console/sample\?week=")).text


def test_an_auditor_reads_policies_and_a_report_from_an_entry(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("kim", Role.READER)
    look_up(browser, employee_number="T-0001", note="Welfare check")
    entry = newest(enrolled, "disclose")
    browser.sign_in("audrey", Role.AUDITOR)
    policies = browser.get("/console/policy").text
    assert enrolled.app.kernel.policy.version in policies
    assert "official_mail" in policies
    path = link(browser.get(f"/console/ledger/{entry.index}").text, r"/console/report\?").replace("&amp;", "&")
    report = browser.get(path).text
    assert f"/console/ledger/{entry.index}" in report
    assert "Welfare check" not in report
    assert browser.get("/console/report?principal=x&since=never").status_code == 422
    assert browser.get(f"/console/report?principal={'0' * 32}&since=2026-03-01").status_code == 404


# ---- limits and locks ----


def account_of(browser: Browser) -> str:
    found = re.search(r"the number <code>([0-9a-f]{32})</code>", browser.get("/console/").text)
    assert found is not None
    return found[1]


def test_a_lock_is_lifted_by_another_person(enrolled: Home, browser: Browser, other: Browser) -> None:
    admin = enrolled.caller("root", Role.SECURITY_ADMIN)
    enrolled.app.decoys.add(admin, ["T-0001"])
    browser.sign_in("kim", Role.READER)
    account = account_of(browser)
    look_up(browser, employee_number="T-0001")
    assert look_up(browser, employee_number="T-0001").status_code == 403
    other.sign_in("root", Role.SECURITY_ADMIN)
    assert account in other.get("/console/brakes").text
    wrong = other.post("/console/brakes", {"principal": account, "lift": "lock"})
    assert wrong.status_code == 422
    assert 'id="reason-error"' in wrong.text
    lift = {"principal": account, "lift": "lock", "reason": "A search by mistake"}
    assert_done(other, other.post("/console/brakes", lift), "The lock is lifted.")
    assert other.post("/console/brakes", lift).status_code == 409
    assert browser.get("/console/look-up").status_code == 200


def test_an_approver_raises_a_limit_and_lifts_no_lock(enrolled: Home, browser: Browser, other: Browser) -> None:
    browser.sign_in("kim", Role.READER)
    account = account_of(browser)
    other.sign_in("ada", Role.APPROVER)
    page = other.get("/console/brakes").text
    assert 'value="limit"' in page
    assert 'value="lock"' not in page
    limit = {"principal": account, "lift": "limit", "reason": "A large enrollment"}
    wrong = other.post("/console/brakes", limit)
    for field in ("purpose", "most", "days"):
        assert f'id="{field}-error"' in wrong.text
    raised = limit | {"purpose": "payroll", "most": "500", "days": "3"}
    assert_done(other, other.post("/console/brakes", raised), "The limit is raised.")
    assert other.post("/console/brakes", limit | {"lift": "lock"}).status_code == 403
    own = other.post("/console/brakes", raised | {"principal": account_of(other)})
    assert own.status_code == 403
    nobody = other.post("/console/brakes", raised | {"principal": "0" * 32})
    assert 'id="principal-error">There is no such account.' in nobody.text


def test_who_tried_values_out_is_listed_to_who_may_lift_that(enrolled: Home, browser: Browser, other: Browser) -> None:
    browser.sign_in("ivy", Role.INVESTIGATOR)
    account = account_of(browser)
    other.sign_in("root", Role.SECURITY_ADMIN)
    assert account not in other.get("/console/brakes").text
    for last in range(4):
        post = {"text": f"Dana Brightwater 816-555-014{last + 3}", "published_at_offset": "+00:00"}
        browser.post("/console/traces", post)
    kinds = [entry.kind for entry in enrolled.entries()]
    assert ("enumeration" in kinds) == (account in other.get("/console/brakes").text)
    assert "enumeration" in kinds
    assert_done(
        other,
        other.post("/console/brakes", {"principal": account, "lift": "brake", "reason": "Worked through a list"}),
        "The brake is lifted.",
    )
    assert account not in other.get("/console/brakes").text


# ---- one bit ----


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"category": "phone", "value": "(816) 555-0142"}, "Protected."),
        ({"category": "phone", "value": "816-555-0149"}, "Not protected."),
        ({"category": "home_address", "value": "1207 Larkspur Avenue #3, Fairhollow, MO 64999"}, "Protected."),
        ({"category": "vehicle_plate", "value": "ZX4T9Q", "state": "MO"}, "Protected."),
        ({"category": "email", "value": "nobody@example.org"}, "Not protected."),
    ],
)
def test_a_records_officer_is_told_yes_or_no(
    enrolled: Home, browser: Browser, asked: dict[str, str], told: str
) -> None:
    browser.sign_in("otto", Role.RECORDS_OFFICER)
    page = browser.post("/console/check", asked)
    assert page.status_code == 200
    assert f"<strong>{told}</strong>" in page.text
    assert page.headers["audit-receipt"].split()[1] == str(enrolled.entries()[-1].index)
    assert enrolled.entries()[-1].kind == "check"
    assert asked["value"] not in page.text
    assert "Brightwater" not in page.text


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"category": "phone"}, "value"),
        ({"value": "816-555-0142"}, "category"),
        ({"category": "health", "value": "migraine"}, "category"),
        ({"category": "phone", "value": "12"}, "value"),
        ({"category": "vehicle_plate", "value": "ZX4T9Q"}, "state"),
    ],
)
def test_what_is_wrong_with_a_question_is_told(browser: Browser, asked: dict[str, str], field: str) -> None:
    browser.sign_in("otto", Role.RECORDS_OFFICER)
    page = browser.post("/console/check", asked)
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
