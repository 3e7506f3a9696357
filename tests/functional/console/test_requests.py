"""What comes before every page: who sent the request, the session, the role, the form's token; and what comes after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route
from structlog.testing import capture_logs

from registry.console.app import create_console
from registry.console.frame import MAX_AT_WORK
from registry.console.menu import MENU
from registry.domain.errors import AuditUnavailable
from registry.domain.principals import Role
from registry.services.disclose import Disclose
from registry.services.trace import Trace
from tests.functional.console.browsers import OWN, Browser
from tests.functional.console.matrix import lines
from tests.functional.services.homes import Home

OPEN_TO_ALL = {
    "/",
    "/console",
    "/console/static/{name}",
    "/console/sign-in",
    "/console/sign-in/begin",
    "/console/sign-in/back",
    "/console/sign-in/{code}",
    "/console/sign-out",
}
LINES = list(lines())
GUARDED = [line for line in LINES if line.answers[None] == 403]
POSTS = [line.address for line in LINES if line.method == "POST"]


def registered(home: Home) -> Iterator[tuple[str, str]]:
    for route in create_console(home.app).routes:
        assert isinstance(route, Route)
        if route.path not in OPEN_TO_ALL:
            yield from ((method, route.path) for method in (route.methods or ()) if method != "HEAD")


def test_every_page_is_in_the_table_of_these_tests(home: Home) -> None:
    assert sorted(registered(home)) == sorted((line.method, line.path) for line in LINES)
    assert {page.path for page in MENU} <= {line.path for line in LINES}


def test_without_a_session_every_page_leads_to_the_sign_in(browser: Browser) -> None:
    for line in LINES:
        answer = browser.http.request(line.method, line.address, headers=OWN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in"), line.path
        assert answer.content == b"", line.path


def test_another_role_is_refused_before_anything_is_read_and_the_refusal_is_an_entry(browser: Browser) -> None:
    for number, line in enumerate(GUARDED):
        name = f"outsider-{number}"
        browser.sign_in(name, *(role for role in Role if line.answers[role] == 403))
        before = len(browser.home.rows())
        # No form token and no field: had the form been read, the answer would be another one.
        answer = browser.http.request(line.method, line.address, headers=OWN)
        assert answer.status_code == 403, line.path
        assert "Your account may not do this." in answer.text, line.path
        (entry,) = browser.home.entries()[before:]
        assert entry.kind == "deny", line.path
        assert entry.values is not None
        assert entry.values["result"] == "denied not_permitted"
        assert name in entry.values["principal"]
        assert answer.headers["audit-receipt"].split()[1] == str(entry.index)
        assert browser.home.app.kernel.log.code_of(entry.index) in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this machine
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
        {"Origin": "http://127.0.0.1:9000"},
        {"Origin": "https://127.0.0.1:8000"},
        {"Origin": "null"},
        {"Origin": "http://forum.example"},
        {},
    ],
    ids=str,
)
def test_a_form_of_another_site_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    browser.sign_in("everybody", *Role)
    token, before = browser.form_token(), len(browser.home.rows())
    for path in POSTS:
        answer = browser.post(path, {"form_token": token}, headers=headers)
        assert answer.status_code == 403, path
        assert "did not come from a page of this console" in answer.text, path
    assert len(browser.home.rows()) == before


def test_an_older_browser_that_names_its_origin_is_let_in(browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    answer = browser.post("/console/search", {"employee_number": "T-9"}, headers={"Origin": "http://127.0.0.1:8000"})
    assert answer.status_code == 200


@pytest.mark.parametrize("form_token", [None, "", "wrong", "\u00e9"])
def test_a_form_without_its_token_is_refused(browser: Browser, form_token: str | None) -> None:
    browser.home.enroll()
    browser.sign_in("everybody", *Role, number="T-0001")
    before = len(browser.home.rows())
    fields = {"employee_number": "T-0001"} | ({} if form_token is None else {"form_token": form_token})
    for path in POSTS:
        answer = browser.http.post(path, data=fields, headers=OWN)
        assert answer.status_code == 403, path
        assert "belongs to an earlier sign-in" in answer.text, path
    assert len(browser.home.rows()) == before


def test_the_token_of_another_session_is_refused(browser: Browser) -> None:
    other = Browser(browser.home, browser.site)
    other.sign_in("other", Role.READER)
    theirs = other.form_token()
    browser.sign_in("clerk", Role.READER)
    answer = browser.post("/console/search", {"form_token": theirs, "employee_number": "T-9"})
    assert answer.status_code == 403


def test_sign_out_needs_the_token_too(browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    assert browser.post("/console/sign-out", {"form_token": "wrong"}).status_code == 403
    assert browser.http.post("/console/sign-out", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.get("/console/").status_code == 200


@pytest.mark.parametrize("host", ["registry.example", "127.0.0.1.example", "localhost.example:8000", "", "[::1", "a b"])
def test_another_host_name_is_refused(browser: Browser, host: str) -> None:
    assert browser.http.get("/console/sign-in", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "LOCALHOST", "[::1]:8000"])
def test_names_of_this_machine_are_answered(browser: Browser, host: str) -> None:
    assert browser.http.get("/console/sign-in", headers={"Host": host}).status_code == 200


HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; script-src 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def all_answers(browser: Browser) -> Iterator[Any]:
    yield browser.http.get("/console")
    yield browser.get("/console/sign-in")
    yield browser.get("/console/sign-in/none")
    yield browser.get("/console/no/such/page")
    yield browser.http.put("/console/")
    yield browser.http.get("/console/sign-in", headers={"Host": "registry.example"})
    yield browser.post("/console/sign-in", {"token": "nonsense"})
    browser.home.enroll()
    yield browser.sign_in("everybody", *Role, number="T-0001")
    for line in LINES:
        yield browser.get(line.address) if line.method == "GET" else browser.post(line.address)
        yield browser.http.request(line.method, line.address, headers={"Sec-Fetch-Site": "cross-site"})
    yield browser.post("/console/sign-out")


def test_every_answer_has_the_headers(browser: Browser) -> None:
    answers = list(all_answers(browser))
    assert {answer.status_code for answer in answers} >= {200, 303, 401, 403, 404, 405, 421, 422}
    for answer in answers:
        present = {name: answer.headers.get(name) for name in HEADERS}
        assert present == HEADERS, answer.request.url


def test_the_style_sheet_may_be_kept_since_its_address_changes_with_it(browser: Browser) -> None:
    page = browser.get("/console/sign-in").text
    path = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = browser.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert len(answer.content) < 12_000
    for other in ("console.css.bak", "..%2fapp.py", "../app.py", "%2e%2e%2fapp.py"):
        assert browser.get(f"/console/static/{other}").status_code == 404


def test_what_is_too_large_is_refused_without_reading_it(browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    answer = browser.post("/console/look-up", {"note": "x" * 70_000})
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000

    headers = OWN | {"Content-Type": "application/x-www-form-urlencoded"}
    assert browser.http.post("/console/look-up", content=endless(), headers=headers).status_code == 413


def test_a_ledger_that_takes_no_entries_is_said_with_its_cause(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> None:
        raise AuditUnavailable("disk_full")

    browser.sign_in("clerk", Role.READER)
    monkeypatch.setattr(Disclose, "disclose_many", unavailable)
    fields = {"employee_number": "T-0001", "categories": ["phone"], "purpose": "safety", "case": "C-1"}
    answer = browser.post("/console/look-up", fields)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "disk_full" in answer.text
    assert "Nothing was opened or changed." in answer.text


def test_a_fault_says_nothing_of_what_was_at_hand(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object) -> None:
        raise RuntimeError("741-12-3456")

    browser.sign_in("ivy", Role.INVESTIGATOR)
    monkeypatch.setattr(Trace, "listing", fault)
    with capture_logs() as lines:
        answer = browser.get("/console/traces")
    assert answer.status_code == 500
    assert "741-12-3456" not in answer.text
    assert "741-12-3456" not in str(lines)
    (line,) = [line for line in lines if line["event"] == "fault"]
    assert line["error"] == "RuntimeError"


def test_requests_at_work_are_bounded(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_AT_WORK == 32
    monkeypatch.setattr("registry.console.frame.MAX_AT_WORK", 0)
    assert browser.http.get("/console/sign-in").status_code == 503
    monkeypatch.undo()
    assert browser.http.get("/console/sign-in").status_code == 200
