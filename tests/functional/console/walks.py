"""Walking through the console in a real browser: every page once, as each who works there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.cli.serving import Site
from registry.domain.principals import Role
from tests.functional.console.browsers import Browser
from tests.functional.services.homes import Home, person

POST = "Dana Brightwater, 1207 Larkspur Ave Apt 3, Fairhollow, MO 64999, 816-555-0142"
ROLES = tuple(role for role in Role if role is not Role.RECORDS_OFFICER)


class Served:
    """One registry served on a free port."""

    def __init__(self, home: Home, site: Site, url: str) -> None:
        self.home = home
        self.site = site
        self.url = url
        self.tokens = Browser(home, site)
        self.enrolled = 0

    def link(self, name: str, *roles: Role, number: str | None = None) -> str:
        assert self.site.links is not None
        return self.url + self.site.links.issue(self.tokens.token(name, *roles, number=number))

    def restricted(self) -> str:
        """Enroll somebody whose number needs an approval; a new one each time, since an emergency opens a card."""
        self.enrolled += 1
        number = f"T-1{self.enrolled:03}"
        phone = {"category": "phone", "value": {"kind": "mobile", "number": "816-555-0177"}}
        self.home.enroll(person(number, family=[], records=[phone | {"confidentiality": "restricted"}]))
        return number


class Window:
    """One window, which remembers what the browser complained about."""

    def __init__(self, chromium: Any, served: Served, **context: Any) -> None:
        self.served = served
        self.page = chromium.new_context(**context).new_page()
        self.page.set_default_timeout(10_000)
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str) -> None:
        self.page.goto(self.served.url + path)

    def submit(self) -> None:
        self.page.click("main form:last-of-type button")

    def sign_in(self, *roles: Role) -> None:
        self.page.goto(self.served.link("everybody", *(roles or ROLES), number="T-0002"))
        self.submit()
        self.page.wait_for_url("**/console/")

    def look_up(self, purpose: str, *categories: str, number: str = "T-0001") -> None:
        self.open("/console/look-up")
        self.page.fill("#employee_number", number)
        for category in categories:
            self.page.check(f"#categories-{category}")
        self.page.check(f"#purpose-{purpose}")
        self.page.fill("#case", "C-1")
        self.submit()

    def without_required(self) -> None:
        """Let a form through that this browser would hold back, as an older one would send it."""
        self.page.evaluate("for (const form of document.forms) form.noValidate = true")


def walk(window: Window) -> Iterator[str]:
    """Go to every kind of page and name it."""
    page = window.page
    window.open("/console/sign-in")
    yield "sign-in"
    page.fill("#token", "no.such.token")
    window.submit()
    yield "sign-in refused"
    page.goto(window.served.link("reader", Role.READER))
    yield "link"
    window.sign_in()
    yield "home"
    window.open("/console/look-up")
    yield "look up"
    window.without_required()
    window.submit()
    yield "look up, errors"
    window.look_up("safety", "home_address", "phone", "health", "school", "payment_card", "family_member")
    yield "card"
    window.look_up("payroll", "phone")
    yield "refused"
    window.open("/console/search")
    yield "search"
    page.fill("#given_name", "Dana")
    page.fill("#family_name", "Brightwater")
    window.submit()
    yield "search result"
    yield from walk_subject(window)
    yield from walk_investigator(window)
    yield from walk_offices(window)


def walk_subject(window: Window) -> Iterator[str]:
    window.open("/console/me")
    yield "me"
    window.submit()
    yield "own values"
    window.open("/console/me/accounting")
    yield "accounting"


def walk_investigator(window: Window) -> Iterator[str]:
    page = window.page
    window.open("/console/traces")
    yield "traces"
    page.fill("#text", POST)
    page.fill("#published_at", "2026-03-02T09:00:00")
    window.submit()
    yield "trace"
    page.click("text=Show the text again")
    yield "trace text"


def walk_offices(window: Window) -> Iterator[str]:
    page = window.page
    window.open("/console/ledger")
    yield "ledger"
    page.click("tbody a >> nth=0")
    yield "entry"
    window.open("/console/ledger/checkpoint")
    yield "checkpoint"
    window.open("/console/enroll")
    yield "enroll"
    window.without_required()
    page.fill("#ssn", "1")
    window.submit()
    yield "enroll, errors"
    people = b'{"employee_number":"T-0001"}\n{"employee_number":"T-0009","family_name":"Quist","department":"Parks"}\n'
    page.set_input_files("#file", {"name": "people.ndjson", "mimeType": "text/plain", "buffer": people})
    page.click("text=Enroll from the file")
    yield "imported"
    window.open("/console/principals")
    yield "principals"
    yield from walk_requests(window)
    yield from walk_petitions(window)
    yield from walk_oversight(window)
    window.open("/console/nothing")
    yield "not found"


def walk_requests(window: Window) -> Iterator[str]:
    page = window.page
    window.look_up("safety", "phone", number=window.served.restricted())
    yield "waiting"
    window.submit()
    yield "emergency form"
    window.without_required()
    window.submit()
    yield "emergency form, errors"
    page.fill("#reason", "Reported threat at the gate")
    window.submit()
    for name, path in (("approvals", "requests"), ("emergencies", "emergencies")):
        window.open(f"/console/{path}")
        yield name
        page.click("tbody a >> nth=0")
        yield {"approvals": "request", "emergencies": "emergency"}[name]
        if name == "approvals":
            window.open("/console/requests/statistics")
            yield "statistics"
    window.open("/console/holds")
    yield "holds"
    page.fill("#employee_number", "T-0001")
    page.check("#statement-written")
    for field, text in (("days", "9"), ("asked_by", "The prosecutor"), ("reason", "A running inquiry")):
        page.fill(f"#{field}", text)
    window.submit()
    page.click("tbody a >> nth=0")
    yield "hold"


def walk_petitions(window: Window) -> Iterator[str]:
    page = window.page
    for name, path in (("dispute", "/console/me/accounting"), ("correction", "/console/me")):
        window.open(path)
        page.click("tbody a >> nth=0")
        yield name
        page.fill("#text", "That was not so")
        window.submit()
    yield "own petitions"
    page.click("td button >> nth=0")
    yield "own petition"
    window.open("/console/me/contact")
    yield "contact"
    page.check("#kind-email")
    page.fill("#value", "nothing")
    window.submit()
    yield "contact, errors"
    page.fill("#value", "safe@example.org")
    window.submit()
    page.click("text=Show what is set")
    yield "contact shown"
    for name in ("dispute", "correction"):
        window.open(f"/console/{name}s")
        yield f"{name}s"
        # Others' are answered; these are the account's own, and it is told so.
        page.click("td button >> nth=0")
        yield f"{name} text"


def walk_oversight(window: Window) -> Iterator[str]:
    page = window.page
    window.open("/console/sample")
    yield "sample"
    page.click("summary >> nth=0")
    window.without_required()
    page.click("details[open] button")
    yield "sample, errors"
    window.open("/console/policy")
    yield "policy"
    window.open("/console/ledger")
    page.click("tbody a >> nth=0")
    page.click("text=What this account did")
    yield "report"
    window.open("/console/brakes")
    yield "brakes"
    window.without_required()
    page.check("#lift-limit")
    window.submit()
    yield "brakes, errors"
    window.open("/console/changes")
    yield "changes"
    window.without_required()
    page.fill("#version", "cedar:5")
    page.click("text=Propose this version")
    yield "changes, errors"
    window.open("/console/check")
    yield "check"
    page.check("#category-phone")
    page.fill("#value", "816-555-0142")
    page.click("main form button")
    yield "check, answered"
    yield from walk_release(window)


def walk_release(window: Window) -> Iterator[str]:
    page = window.page
    window.open("/console/release")
    yield "release"
    letter = {"name": "letter.txt", "mimeType": "text/plain", "buffer": POST.encode()}
    page.set_input_files("#file", letter)
    page.check("#purpose-publication")
    page.click("main form button")
    with page.expect_download() as saved:
        page.click("text=Save the copy")
    assert saved.value.suggested_filename == "redacted.txt"
    assert b"816-555-0142" not in Path(saved.value.path()).read_bytes()
    yield "release, checked"
    page.set_input_files("#file", letter)
    page.check("#place input >> nth=0")
    page.fill("#reason", "The office line, published")
    page.click("main form button")
    yield "release, waiting"


def pressed(page: Any, key: str) -> str:
    page.keyboard.press(key)
    return str(page.evaluate("document.activeElement.textContent")).strip()


def tab_to(page: Any, text: str) -> None:
    for _ in range(40):
        if pressed(page, "Tab") == text:
            return
    pytest.fail(f"the keyboard does not reach {text!r}")


def tab_to_id(page: Any, identifier: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == identifier:
            return
    pytest.fail(f"the keyboard does not reach #{identifier}")


def has_visible_focus(page: Any) -> bool:
    return page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
