"""What must not happen: submitted text that runs, values in addresses, logs or files, links that show values."""

from __future__ import annotations

import io
import re
import tempfile
from html.parser import HTMLParser
from typing import Any

import pytest
from structlog.testing import capture_logs

from registry.domain.principals import Role
from tests.functional.console.browsers import Browser
from tests.functional.services.homes import Home, person

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'
ADDRESS = "1207 Larkspur Ave Apt 3, Fairhollow, MO 64999"
POST = f"Dana Brightwater, {ADDRESS}, 816-555-0142. {SCRIPT} {IMAGE}"
VALUES = (
    *("Larkspur", "816-555-0142", "741-12-3456", "741123456", "1984-02-29", "4111 1111", "41111111"),
    *("Larch Hill", "migraine"),
    *("dana.brightwater", "ZX4", "Brightwater", "Mika", "T-0001", "T-0042", "Quist", "816-555-0177", "C-77", "Because"),
)


class Tags(HTMLParser):
    """Collects what a page would have a browser do."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        for name, text in attrs:
            self.attributes.add(name)
            if name in ("href", "src", "action"):
                self.addresses.add(text or "")


def assert_inert(page: str) -> None:
    tags = Tags(page)
    assert not tags.found & {"script", "img", "iframe", "object", "embed", "style", "svg", "base"}, tags.found
    assert not [name for name in tags.attributes if name.startswith("on") or name == "style"], tags.attributes
    # The last is a file to save, of no type that is shown.
    allowed = ("/console", "#", "data:,", "data:application/octet-stream;base64,")
    assert all(one.startswith(allowed) for one in tags.addresses), tags.addresses


def journey(browser: Browser) -> list[Any]:
    """Visit every page with text that would like to be more than text, and return the answers."""
    home = browser.home
    hostile = {"department": SCRIPT, "title": IMAGE}
    records = [*person()["records"], {"category": "health", "value": {"statement": f"{SCRIPT}\n{IMAGE}"}}]
    home.enroll(person(records=records, **hostile))
    answers = [browser.post("/console/sign-in", {"token": IMAGE})]
    browser.sign_in(f"clerk{IMAGE}", *Role, number="T-0042")
    look_up = {"employee_number": "T-0001", "categories": ["health", "phone", "home_address"], "purpose": "safety"}
    answers += [
        browser.get("/console/"),
        browser.post("/console/look-up", {"employee_number": IMAGE, "case": SCRIPT, "note": f"</textarea>{SCRIPT}"}),
        browser.post("/console/look-up", look_up | {"case": "C-77", "note": f"Because {IMAGE} {SCRIPT}"}),
        browser.post("/console/look-up", look_up | {"purpose": "payroll", "case": "C-77", "note": SCRIPT}),
        browser.post("/console/search", {"employee_number": "T-0001"}),
        browser.post("/console/search", {"given_name": "Dana", "family_name": "Brightwater"}),
        browser.post("/console/search", {"given_name": IMAGE, "department": SCRIPT}),
        browser.post("/console/traces", {"text": "", "source": IMAGE}),
    ]
    traced = browser.post("/console/traces", {"text": POST, "source": f"A forum {IMAGE}"})
    path = traced.headers["location"]
    answers += [traced, browser.get(path), browser.post(f"{path}/text"), browser.get("/console/traces")]
    enrolling = {"employee_number": "T-0042", "family_name": "Quist", "department": SCRIPT, "phone": "816-555-0177"}
    answers += [
        browser.post("/console/enroll", {"employee_number": IMAGE, "department": SCRIPT}),
        browser.post("/console/enroll", enrolling),
        browser.get("/console/enroll"),
        browser.post("/console/import", files={"file": (f"{IMAGE}.csv", f"{SCRIPT},a\n1,2\n".encode())}),
        *released(browser),
        browser.post("/console/principals", {"issuer": IMAGE, "sub": f"new{SCRIPT}", "unit": IMAGE, "roles": [SCRIPT]}),
        browser.get("/console/principals"),
        browser.get("/console/me"),
        browser.post("/console/me/values"),
        browser.get("/console/me/accounting"),
        browser.get(f"/console/ledger?kind={IMAGE}&before={SCRIPT}"),
        *(browser.get(f"/console/ledger/{entry.index}") for entry in home.entries()),
        browser.get("/console/ledger/checkpoint"),
        *work(browser),
        browser.get(f"/console/{SCRIPT}"),
        browser.get(f"/console/ledger/{SCRIPT}"),
        browser.get(f"/console/sign-in/{IMAGE}"),
    ]
    return answers


def released(browser: Browser) -> list[Any]:
    """Check a hostile document, and ask that it stays as it is."""
    files = {"file": (f"{IMAGE}.html", f"{SCRIPT} 816-555-0142 {IMAGE}".encode())}
    checked = browser.post("/console/release", {"purpose": "publication", "case": IMAGE, "note": SCRIPT}, files=files)
    places = re.findall(r'name="place" value="(\w+)"', checked.text)
    asked = {"purpose": "publication", "place": places, "reason": f"Because {IMAGE} {SCRIPT}"}
    waits = browser.post("/console/release", asked, files=files)
    assert (checked.status_code, waits.status_code) == (200, 202)
    return [checked, waits, browser.get("/console/release"), browser.post("/console/release", {"purpose": IMAGE})]


def work(browser: Browser) -> list[Any]:
    """Visit the pages of flows that take two people, as one who has every role and fills in hostile text."""
    hostile = {"reason": f"Because {IMAGE} {SCRIPT}", "case": IMAGE, "asked_by": SCRIPT, "text": SCRIPT, "note": IMAGE}
    hostile |= {"employee_number": "T-0001", "principal": SCRIPT, "value": IMAGE, "statement": "written", "days": "9"}
    paths = ["emergencies/new", "emergencies/from-lookup", "holds", "brakes", "check", "me/contact", "me/contact/shown"]
    hostile |= {"version": SCRIPT, "policy_reason": IMAGE, "change": IMAGE, "key_reason": SCRIPT}
    paths += ["changes/policies", "changes/keys"]
    answers = [browser.post(f"/console/{path}", hostile) for path in paths]
    answers.append(browser.post("/console/emergencies/new", hostile | {"categories": ["phone"]}))
    names = (
        "requests",
        "emergencies",
        "holds",
        "disputes",
        "corrections",
        "sample",
        "policy",
        "report",
        "brakes",
        "changes",
    )
    for name in ("me", "me/accounting", "me/petitions", "me/contact", *names):
        answers.append(browser.get(f"/console/{name}"))
        for path in sorted({one.split("?")[0] for one in Tags(answers[-1].text).addresses if one.count("/") > 3}):
            answers.append(browser.get(path))
            answers.append(browser.post(path, hostile | {"kind": "post"}))
    answers.append(browser.get(f"/console/report?principal={'0' * 32}&since=2026-03-01"))
    return answers


def test_submitted_text_stays_text_on_every_page(browser: Browser) -> None:
    answers = journey(browser)
    assert {answer.status_code for answer in answers} >= {200, 303, 401, 403, 404, 422}
    seen = 0
    for answer in answers:
        assert_inert(answer.text)
        seen += "&lt;script&gt;" in answer.text
    assert seen > 10  # it was shown, and shown as text


def test_a_page_that_would_run_something_is_found() -> None:
    for page in (f"<p>{SCRIPT}", f'<p title="{IMAGE}">', '<a href="javascript:x">', '<p style="a">', "<base href=x>"):
        with pytest.raises(AssertionError):
            assert_inert(page)


def test_no_value_is_in_an_address_or_a_log(browser: Browser) -> None:
    with capture_logs() as lines:
        answers = journey(browser)
    sent = [path for path in browser.seen if SCRIPT not in path and IMAGE not in path]
    shown = [address for answer in answers for address in Tags(answer.text).addresses]
    assert len(sent) > 40
    assert len(shown) > 100
    assert len(lines) > 40
    for text in (*sent, *shown, *(answer.headers.get("location", "") for answer in answers), str(lines)):
        assert not [value for value in VALUES if value in text]
    assert "alert" not in str(lines)


def test_no_page_that_a_link_can_ask_for_shows_a_value(browser: Browser) -> None:
    journey(browser)
    paths = {path for path in browser.seen if path.startswith("/console/") and "<" not in path and '"' not in path}
    directory = {"Brightwater", "Mika", "T-0001", "T-0042", "Quist"}  # a report names people by employee number
    own_words = {"C-77", "Because"}  # an auditor reads case and note, which the reader wrote
    for path in sorted(paths):
        answer = browser.http.get(path)
        if answer.status_code == 200 and "zip" not in path and "pdf" not in path:
            assert not [value for value in {*VALUES} - directory - own_words if value in answer.text], path


def test_an_upload_is_never_written_to_a_file(home: Home, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    for name in ("TemporaryFile", "NamedTemporaryFile", "mkstemp", "SpooledTemporaryFile", "_mkstemp_inner"):
        monkeypatch.setattr(tempfile, name, lambda *_args, _name=name, **_options: made.append(_name) or io.BytesIO())
    browser.sign_in("ivy", Role.INVESTIGATOR)
    text = (POST + "\n" * 3_000_000).encode()
    before = {path for path in home.app.settings.home.rglob("*") if "registry.db" not in path.name}
    answer = browser.post("/console/traces", {"text": ""}, files={"file": ("post.txt", text)})
    assert answer.status_code == 303
    after = {path for path in home.app.settings.home.rglob("*") if "registry.db" not in path.name}
    assert made == []
    assert after == before
