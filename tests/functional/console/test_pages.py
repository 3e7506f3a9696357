"""Each role's pages: what they show, what they refuse, what stands in the ledger afterwards."""

from __future__ import annotations

import io
import json
import re
import zipfile
from html import unescape
from typing import Any

import pytest

from registry.domain.principals import Role
from registry.transparency.note import format_vkey
from registry.transparency.offline import verify_bundle
from tests.functional.console.browsers import Browser, newest, said
from tests.functional.services.homes import Home, person

MARKED_PHONE = r"\(?816\)?[ .-]?555[ .-]?0142"
ADDRESS = "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"
POST = f"Everybody should know: Dana Brightwater, {ADDRESS}, 816-555-0142."


@pytest.fixture
def enrolled(home: Home) -> Home:
    home.enroll()
    return home


def look_up(browser: Browser, *categories: str, **fields: str) -> Any:
    asked = {"employee_number": "T-0001", "categories": list(categories), "purpose": "safety", "case": "C-7"}
    return browser.post("/console/look-up", asked | fields)


# ---- reader ----


def test_a_reader_sees_values_with_the_receipt_of_their_entry(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("clerk.kim", Role.READER)
    answer = look_up(browser, "home_address", "phone", "payment_card", "school", "family_member", note="Welfare check")
    assert answer.status_code == 200
    for text in ("mobile", "ending in 1111", "Larch Hill", "Mika Brightwater"):
        assert text in answer.text
    # In the forms that were drawn for this account.
    assert re.search(
        r"1207 Larkspur (Ave\.|Avenue),? (Apt\.|Apartment|#) 3, Fairhollow,? (Mo\.|Missouri),? 64999",
        answer.text,
        re.IGNORECASE,
    )
    assert re.search(MARKED_PHONE, answer.text)
    for hidden in ("741-12-3456", "migraine", "4111 1111", "dana.brightwater"):
        assert hidden not in answer.text
    entry = newest(enrolled, "disclose")
    assert {line.category for line in entry.records} == {
        "home_address",
        "phone",
        "payment_card",
        "school",
        "family_member",
    }
    assert (said(entry)["case"], said(entry)["note"], said(entry)["purpose"]) == ("C-7", "Welfare check", "safety")
    assert "clerk.kim" in said(entry)["principal"]
    assert enrolled.app.kernel.log.code_of(entry.index) in answer.text
    assert answer.headers["audit-receipt"].split()[1] == str(entry.index)


def test_a_card_says_whose_values_were_asked_for_and_why(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    assert "<p>Employee number T-0001. Purpose: Safety.</p>" in look_up(browser, "phone").text


def test_a_card_names_the_household_member_when_it_may(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    assert "of <bdi>household member c1</bdi>" in look_up(browser, "school").text
    assert "of <bdi>Mika Brightwater</bdi>" in look_up(browser, "school", "family_member").text


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"purpose": "payroll"}, 403, "This purpose does not open what was asked for"),
        ({"case": ""}, 403, "needs a case reference"),
        ({"employee_number": "T-4444"}, 404, "Nobody who can be looked up was found"),
    ],
)
def test_a_refusal_is_said_in_plain_words_with_its_receipt(
    enrolled: Home, browser: Browser, fields: dict[str, str], status: int, words: str
) -> None:
    browser.sign_in("clerk", Role.READER)
    answer = look_up(browser, "phone", **fields)
    assert answer.status_code == status
    assert words in answer.text
    assert "816-555-0142" not in answer.text
    entry = newest(enrolled, "deny")
    assert enrolled.app.kernel.log.code_of(entry.index) in answer.text
    assert answer.headers["audit-receipt"].split()[1] == str(entry.index)


def test_nobody_looks_up_the_own_record(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("dana", Role.READER, number="T-0001")
    answer = look_up(browser, "phone")
    assert answer.status_code == 403
    assert "The policy does not let you look up this record yourself." in answer.text


def test_what_is_missing_is_listed_and_tied_to_its_field(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    before = len(enrolled.rows())
    answer = browser.post("/console/look-up", {"employee_number": "T 1", "note": "kept"})
    assert answer.status_code == 422
    assert "<title>Error: Look up - Registry console</title>" in answer.text
    for field in ("employee_number", "categories", "purpose"):
        assert f'<a href="#{field}">' in answer.text
        assert f'id="{field}-error"' in answer.text
        assert re.search(rf'id="{field}"[^>]*aria-describedby="[^"]*{field}-error"', answer.text)
    assert "kept</textarea>" in answer.text
    assert 'value="T 1"' in answer.text
    assert len(enrolled.rows()) == before


def test_a_search_shows_who_it_is_and_leads_to_the_lookup(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    answer = browser.post("/console/search", {"given_name": "dana", "family_name": "BRIGHTWATER"})
    assert answer.status_code == 200
    assert "<bdi>Dana Brightwater</bdi>, <bdi>Parks</bdi>, <bdi>Ranger</bdi>" in answer.text
    entry = newest(enrolled, "search")
    assert enrolled.app.kernel.log.code_of(entry.index) in answer.text
    subject = re.search(r'name="subject" value="([0-9a-f]{32})"', answer.text)
    assert subject is not None
    card = look_up(browser, "phone", employee_number="", subject=subject[1])
    assert card.status_code == 200
    assert re.search(MARKED_PHONE, card.text)


def test_a_lookup_from_a_search_keeps_the_person_when_something_is_missing(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    answer = browser.post("/console/look-up", {"subject": "0" * 32})
    assert answer.status_code == 422
    assert f'name="subject" value="{"0" * 32}"' in answer.text
    assert browser.post("/console/look-up", {"subject": "no id"}).status_code == 422


@pytest.mark.parametrize(
    "fields", [{}, {"employee_number": "T-1", "family_name": "Quist"}, {"family_name": "<b>"}, {"department": "Parks"}]
)
def test_a_search_needs_a_number_or_a_name(browser: Browser, fields: dict[str, str]) -> None:
    browser.sign_in("clerk", Role.READER)
    assert browser.post("/console/search", fields).status_code == 422


def test_an_enroller_finds_people_but_is_offered_no_lookup(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("hr.lee", Role.ENROLLER)
    answer = browser.post("/console/search", {"employee_number": "T-0001"})
    assert "Dana Brightwater" in answer.text
    assert "/console/look-up" not in answer.text
    assert "Nobody was found" in browser.post("/console/search", {"employee_number": "T-4"}).text


# ---- subject ----


def test_a_subject_sees_marks_values_and_who_looked(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("clerk.kim", Role.READER)
    look_up(browser, "phone", note="A note about somebody", case="C-SECRET")
    look_up(browser, "ssn", purpose="official_mail")
    browser.post("/console/search", {"employee_number": "T-0001"})
    browser.sign_in("dana", Role.SUBJECT, number="T-0001")

    marks = browser.get("/console/me")
    assert marks.status_code == 200
    assert marks.text.count("<td>Confidential</td>") == 11
    assert "816-555-0142" not in marks.text

    values = browser.post("/console/me/values")
    assert values.status_code == 200
    for text in (ADDRESS, "816-555-0142", "741-12-3456", "1984-02-29", "Seasonal vestibular migraine"):
        assert text in values.text

    page = browser.get("/console/me/accounting")
    rows = [re.sub(r"\s*<[^>]+>\s*", "|", row) for row in page.text.split("<tr>")[2:]]
    assert len(rows) == 6
    own, granted, search, refused, shown, enrollment = rows
    assert "|Roles changed|" in granted
    assert "|Shown|" in own
    assert "|dana|" in own
    assert "|Own record|" in own
    assert "|Found in a search|" in search
    assert "|Name, department and title|" in search
    assert "|Refused|" in refused
    assert "|clerk.kim|" in refused
    assert "|Social security number|" in refused
    assert "|Shown|" in shown
    assert "|clerk.kim|" in shown
    assert "|Phone number|" in shown
    assert "|Safety|" in shown
    assert "|Enrolled|" in enrollment
    for other in ("C-SECRET", "A note about somebody", "role.", "purpose."):
        assert other not in page.text


def test_a_trace_names_nobody_to_the_subject(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("ivy", Role.INVESTIGATOR)
    browser.post("/console/traces", {"text": POST})
    browser.sign_in("dana", Role.SUBJECT, number="T-0001")
    page = browser.get("/console/me/accounting").text
    assert "Checked by the system" in page
    assert "Leak trace" in page
    assert "ivy" not in page


def test_a_subject_who_is_not_enrolled_is_told_as_much_as_anybody(browser: Browser) -> None:
    browser.sign_in("nobody", Role.SUBJECT)
    asked = (browser.get("/console/me"), browser.get("/console/me/accounting"), browser.post("/console/me/values"))
    assert [answer.status_code for answer in asked] == [404, 404, 404]


# ---- investigator ----


def traced(browser: Browser, **fields: str) -> str:
    answer = browser.post("/console/traces", {"text": POST, "published_at_offset": "+00:00"} | fields)
    assert answer.status_code == 303, answer.text
    path: str = answer.headers["location"]
    assert re.fullmatch(r"/console/traces/[0-9a-f]{32}", path)
    return path


def test_an_investigator_traces_a_text_and_takes_the_evidence_away(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    look_up(browser, "home_address", "phone")
    enrolled.clock.step(60)
    browser.sign_in("ivy", Role.INVESTIGATOR)
    path = traced(browser, published_at="2026-03-02T03:00:30", published_at_offset="-06:00", source="A forum")

    page = browser.get(path)
    assert page.status_code == 200
    assert "The trace is done." in page.text
    assert "A copy is not a person" in page.text
    assert "What must not be concluded" in page.text
    assert "home address" in page.text
    assert "Account 1" in page.text
    for hidden in (ADDRESS, "816-555-0142", "clerk"):
        assert hidden not in page.text
    assert "The trace is done." not in browser.get(path).text

    report = browser.get(f"{path}/report.html")
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    assert "style-src 'sha256-" in report.headers["content-security-policy"]
    assert "script-src" not in report.headers["content-security-policy"]
    assert "2026-03-02 09:00:30 UTC" in report.text
    assert "A forum" in report.text
    assert browser.get(f"{path}/report.pdf").content.startswith(b"%PDF-")

    bundle = browser.get(f"{path}/evidence.zip")
    assert bundle.headers["content-disposition"] == 'attachment; filename="evidence.zip"'
    assert verify_bundle.verify(bundle.content, format_vkey(enrolled.app.verifier_key)).problems == []
    with zipfile.ZipFile(io.BytesIO(bundle.content)) as archive:
        assert json.loads(archive.read("report.json"))["schema"] == "registry.trace-report/1"

    text = browser.post(f"{path}/text")
    assert "Everybody should know" in text.text
    assert said(newest(enrolled, "audit-read"))["detail"] == "reveal text"
    assert path in browser.get("/console/traces").text


def test_a_text_comes_from_a_file_too(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("ivy", Role.INVESTIGATOR)
    file = {"file": ("post.txt", b"\xef\xbb\xbf" + POST.encode(), "text/plain")}
    answer = browser.post("/console/traces", {"text": ""}, files=file)
    assert answer.status_code == 303
    assert "home address" in browser.get(answer.headers["location"]).text
    assert POST in browser.post(f"{answer.headers['location']}/text").text


@pytest.mark.parametrize(
    ("fields", "files", "words"),
    [
        ({"text": "  "}, None, "Paste a text or choose a file, one of the two."),
        ({"text": "a"}, {"file": ("a.txt", b"b")}, "Paste a text or choose a file, one of the two."),
        ({}, {"file": ("a.pdf", b"%PDF-")}, "The file is not a text file (.txt)."),
        ({}, {"file": ("a.txt", b"\xff\xfe")}, "The file is not UTF-8 text."),
        ({"text": "a", "published_at": "yesterday", "published_at_offset": "+00:00"}, None, "is not a date and time"),
        ({"text": "a", "published_at": "2026-02-30T10:00", "published_at_offset": "+00:00"}, None, "is not a date"),
        ({"text": "a", "published_at": "2026-03-01T10:00", "published_at_offset": "+09:00"}, None, "is not a date"),
        ({"text": "a", "published_at": "2026-03-02T09:01", "published_at_offset": "+00:00"}, None, "is in the future"),
        ({"text": "a", "source": "\u202e"}, None, "Source is not in the right form"),
    ],
)
def test_a_trace_that_cannot_be_run_says_why(
    browser: Browser, fields: dict[str, str], files: dict[str, Any] | None, words: str
) -> None:
    browser.sign_in("ivy", Role.INVESTIGATOR)
    answer = browser.post("/console/traces", fields, files=files)
    assert answer.status_code == 422
    assert words in answer.text
    assert [entry for entry in browser.home.entries() if entry.kind == "trace"] == []


def test_somebody_elses_trace_looks_like_none(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("ivy", Role.INVESTIGATOR)
    path = traced(browser)
    browser.sign_in("iris", Role.INVESTIGATOR)
    missing = [f"/console/traces/{'0' * 32}", "/console/traces/not-an-id"]
    for ending in ("", "/report.html", "/report.pdf", "/evidence.zip"):
        answers = [browser.get(f"{one}{ending}") for one in (path, *missing)]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
    answers = [browser.post(f"{one}/text") for one in (path, *missing)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert path not in browser.get("/console/traces").text


# ---- auditor ----


def test_an_auditor_pages_through_the_ledger(home: Home, browser: Browser) -> None:
    for number in range(60):
        home.enroll(person(f"T-1{number:03}", family=[], records=[]))
    browser.sign_in("ada", Role.AUDITOR)
    page = browser.get("/console/ledger")
    indexes = [int(text) for text in re.findall(r'href="/console/ledger/(\d+)"', page.text)]
    assert len(indexes) == 50
    assert indexes == list(range(indexes[0], indexes[0] - 50, -1))
    older = re.search(r'href="(/console/ledger\?before=\d+)"', page.text)
    assert older is not None
    rest = [int(text) for text in re.findall(r'href="/console/ledger/(\d+)"', browser.get(older[1]).text)]
    assert rest == list(range(indexes[-1] - 1, -1, -1))
    assert newest(home, "audit-read").index > indexes[0]


def test_an_auditor_reads_one_kind_and_one_entry(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    look_up(browser, "phone", purpose="payroll", note="Because <b>")
    denied = newest(enrolled, "deny").index
    browser.sign_in("ada", Role.AUDITOR)
    page = browser.get("/console/ledger?kind=deny")
    assert re.findall(r'href="/console/ledger/(\d+)"', page.text) == [str(denied)]
    assert "denied purpose_not_allowed" in page.text
    entry = browser.get(f"/console/ledger/{denied}")
    assert "Because &lt;b&gt;" in entry.text
    assert "purpose.none" in entry.text
    assert "Phone number" in entry.text
    assert "There are none." in browser.get("/console/ledger?kind=update").text


@pytest.mark.parametrize("index", ["99999", "-1", "01", "x", "9" * 30])
def test_an_entry_that_is_not_there_is_not_found(browser: Browser, index: str) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    assert browser.get(f"/console/ledger/{index}").status_code == 404


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=99999999999", "other=1"])
def test_a_query_that_means_nothing_shows_the_newest(browser: Browser, query: str) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    assert "Registry made" in browser.get(f"/console/ledger?{query}").text


@pytest.mark.parametrize("query", ["kind=nothing", "subject=Brightwater", "from=yesterday"])
def test_a_filter_that_means_nothing_is_no_page(browser: Browser, query: str) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    assert browser.get(f"/console/ledger?{query}").status_code == 422


def test_filters_go_on_to_the_next_page(enrolled: Home, browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    for _ in range(2):
        look_up(browser, "phone", purpose="payroll")
    browser.sign_in("ada", Role.AUDITOR)
    page = browser.get("/console/ledger?kind=deny&purpose=payroll&category=phone&principal=&outcome=denied")
    assert len(re.findall(r'href="/console/ledger/\d+"', page.text)) == 2
    older = browser.get("/console/ledger?kind=deny&purpose=payroll&before=3").text
    assert 'href="/console/ledger?kind=deny&amp;purpose=payroll"' in older
    assert newest(enrolled, "audit-read").values is not None


def test_the_checkpoint_is_the_ledgers(home: Home, browser: Browser) -> None:
    browser.sign_in("ada", Role.AUDITOR)
    page = unescape(browser.get("/console/ledger/checkpoint").text)
    assert home.app.audit.checkpoint() in page
