"""The console in a real browser: axe in light and dark, 320 px, keyboard alone, nothing complained about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.api.server import serving
from registry.cli.serving import build_site
from registry.domain.principals import Role
from tests.functional.console.browsers import Browser
from tests.functional.console.walks import POST, Served, Window, has_visible_focus, pressed, tab_to, tab_to_id, walk
from tests.functional.services.homes import open_copy, person

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = (
    "sign-in",
    "sign-in refused",
    "link",
    "home",
    "look up",
    "look up, errors",
    "card",
    "refused",
    "search",
    "search result",
    "me",
    "own values",
    "accounting",
    "traces",
    "trace",
    "trace text",
    "ledger",
    "entry",
    "checkpoint",
    "enroll",
    "enroll, errors",
    "imported",
    "principals",
    "waiting",
    "emergency form",
    "emergency form, errors",
    "approvals",
    "request",
    "statistics",
    "emergencies",
    "emergency",
    "holds",
    "hold",
    "dispute",
    "correction",
    "own petitions",
    "own petition",
    "contact",
    "contact, errors",
    "contact shown",
    "disputes",
    "dispute text",
    "corrections",
    "correction text",
    "sample",
    "sample, errors",
    "policy",
    "report",
    "brakes",
    "brakes, errors",
    "changes",
    "changes, errors",
    "check",
    "check, answered",
    "release",
    "release, checked",
    "release, waiting",
    "not found",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: the console NOT checked")
    pytest.importorskip("axe_playwright_python", reason="axe is not installed: accessibility NOT checked")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is absent: the console was NOT checked in a browser")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    arguments += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield running
        running.close()


@pytest.fixture(scope="module")
def served(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = open_copy(template, tmp_path_factory.mktemp("served") / "home")
    home.enroll()
    mail = {"category": "email", "value": {"address": "somebody@example.org"}}
    for number in range(2, 5):
        home.enroll(person(f"T-000{number}", family=[], records=[mail]))
    site = build_site(home.app)
    window = Browser(home, site)
    window.sign_in("kim", Role.READER)
    asked = {"employee_number": "T-0001", "categories": ["phone"], "purpose": "safety", "case": "C-1"}
    window.post("/console/look-up", asked)
    home.clock.step(7 * 86_400)  # what was looked up is in the sample of a week that is over
    with serving(home.app, site.app) as url:
        yield Served(home, site, url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(chromium: Any, served: Served, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    # axe puts its script into the page; that the page's own policy holds is tested apart.
    window = Window(chromium, served, bypass_csp=True, color_scheme=scheme)
    visited = []
    for name in walk(window):
        results = Axe().run(window.page, options={"runOnly": {"type": "tag", "values": RULES}})
        assert results.response["violations"] == [], f"{name}: {results.generate_report()}"
        assert len(results.response["passes"]) > 15, name
        visited.append(name)
    assert tuple(visited) == PAGES


def test_a_narrow_window_scrolls_inside_tables_only(chromium: Any, served: Served) -> None:
    window = Window(chromium, served, viewport={"width": 320, "height": 640})
    for name in walk(window):
        assert window.page.evaluate("document.documentElement.scrollWidth") <= 320, name


def test_nothing_is_complained_about_and_nothing_else_is_asked_for(chromium: Any, served: Served) -> None:
    window = Window(chromium, served)
    for name in walk(window):
        # The browser reports each document that came with an error status; those are meant.
        known = [text for text in window.complaints if text.startswith("Failed to load resource: the server responded")]
        assert window.complaints == known, name
        assert window.page.locator("script, style, [style]").count() == 0, name
        assert window.page.locator("html[lang=en] h1").count() == 1, name
    assert {url.split("/console")[0] for url in window.asked if not url.startswith("data:")} == {served.url}
    assert not [url for url in window.asked if "T-0001" in url or "Brightwater" in url or "Larkspur" in url]


def test_the_style_holds_under_the_pages_own_policy(chromium: Any, served: Served) -> None:
    window = Window(chromium, served)
    window.open("/console/sign-in")
    assert window.page.evaluate("getComputedStyle(document.querySelector('.banner')).textAlign") == "center"


def test_the_keyboard_alone_signs_in_and_looks_up(chromium: Any, served: Served) -> None:
    window = Window(chromium, served)
    page, keys = window.page, window.page.keyboard
    window.open("/console/sign-in")
    assert pressed(page, "Tab") == "Skip to the content"
    assert page.locator("a.skip").bounding_box()["x"] >= 0
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    keys.press("Tab")
    assert page.evaluate("document.activeElement.id") == "token"
    keys.insert_text(served.tokens.token("kim", Role.READER))
    assert pressed(page, "Tab") == "Sign in"
    keys.press("Enter")
    page.wait_for_url("**/console/")
    tab_to(page, "Look up")
    keys.press("Enter")
    page.wait_for_url("**/console/look-up")
    tab_to_id(page, "employee_number")
    keys.insert_text("T-0001")
    tab_to_id(page, "categories-phone")
    keys.press("Space")
    tab_to_id(page, "purpose-emergency_contact")
    keys.press("Space")
    tab_to_id(page, "note")
    assert has_visible_focus(page)
    assert pressed(page, "Tab") == "Look up"
    assert has_visible_focus(page)
    keys.press("Enter")
    page.wait_for_selector(r"text=/816.?555.?0142/")
    assert page.title() == "Protected values - Registry console"


def test_a_form_with_mistakes_brings_the_keyboard_to_the_summary_and_on_to_the_field(
    chromium: Any, served: Served
) -> None:
    window = Window(chromium, served)
    window.sign_in()
    window.open("/console/look-up")
    window.without_required()
    window.submit()
    page = window.page
    # The browser moves the focus with the first drawing of a page, which is later than its loading.
    page.wait_for_selector(".summary:focus")
    assert page.evaluate("document.activeElement.className") == "summary"
    assert pressed(page, "Tab") == "Employee number is missing."
    page.keyboard.press("Enter")
    page.wait_for_selector("#employee_number:focus")
    assert page.evaluate("document.activeElement.id") == "employee_number"


def test_the_browser_itself_asks_for_what_is_required(chromium: Any, served: Served) -> None:
    window = Window(chromium, served)
    window.sign_in()
    window.open("/console/look-up")
    asked = len(window.asked)
    window.submit()
    assert len(window.asked) == asked


def test_a_page_of_another_origin_cannot_send_a_form(chromium: Any, served: Served) -> None:
    window = Window(chromium, served)
    window.sign_in()
    before = len(served.home.rows())
    port = served.url.rsplit(":", 1)[1]
    form = f'<form method="post" action="http://localhost:{port}/console/me/values"><button>Go</button></form>'
    for own in (f"http://127.0.0.1:{port}/console/me/values", f"http://localhost:{port}/console/me/values"):
        window.page.set_content(form.replace(f"http://localhost:{port}/console/me/values", own))
        with window.page.expect_navigation() as navigation:
            window.page.click("button")
        assert navigation.value.status == 403
        window.page.goto("about:blank")
    assert len(served.home.rows()) == before


@pytest.mark.parametrize("width", [320, 1280])
def test_a_case_is_kept_by_keyboard_and_axe_finds_nothing(chromium: Any, served: Served, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    window = Window(chromium, served, bypass_csp=True, viewport={"width": width, "height": 800})
    page = window.page

    def clean(name: str) -> None:
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
        assert found.response["violations"] == [], f"{name}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name

    window.sign_in(Role.INVESTIGATOR)
    window.open("/console/traces")
    page.fill("#text", POST)
    page.fill("#published_at", "2026-03-02T09:00:00")
    window.submit()
    clean("trace")
    window.without_required()
    page.click("text=Add to the case")
    clean("note, errors")
    tab_to_id(page, "note_by-note")
    page.keyboard.press("Space")
    tab_to_id(page, "note")
    page.keyboard.type("asked the forum for its log")
    tab_to(page, "Add to the case")
    assert has_visible_focus(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The note is with the case")
    page.check("#note_by-subject")
    page.fill("#note", "I told nobody my number.")
    page.click("text=Add to the case")
    page.wait_for_selector("text=The reply is in the report")
    page.fill("#item", POST)
    page.fill("#item_at", "2026-03-02T10:00:00")
    page.fill("#item_url", "https://board.example/12")
    page.click("text=Add it to the case")
    page.wait_for_selector("text=nothing is new, so it adds no weight")
    clean("item")
    page.check("#state-closed")
    page.fill("#state_reason", "nothing follows from it")
    page.click("text=Set it")
    page.wait_for_selector("text=The case is closed")
    clean("closed")
    page.click("text=Show the text again")
    page.wait_for_selector("text=What was seen")
    clean("trace text")
    known = [text for text in window.complaints if text.startswith("Failed to load resource: the server responded")]
    assert window.complaints == known
