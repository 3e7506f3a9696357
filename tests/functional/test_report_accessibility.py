"""The trace report in a real browser: axe finds nothing, it fits 320 px, and the keyboard reaches all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.reports.as_html import render_html
from tests.unit.reports.samples import GAP, dump, empty, hostile, ordinary

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
REPORTS = {
    "ordinary": ordinary(),
    "gap": ordinary(GAP),
    "no publication time": ordinary(published_at=None),
    "hostile": hostile(),
    "empty": empty(),
    "dump": dump(),
}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: accessibility NOT checked")
    pytest.importorskip("axe_playwright_python", reason="axe is not installed: accessibility NOT checked")
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is absent: accessibility was NOT checked")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    arguments += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield running
        running.close()


def opened(browser: Any, name: str, tmp_path: Path, **context: Any) -> Any:
    # axe puts its script into the page; the page's own policy is tested apart.
    page = browser.new_context(bypass_csp=True, **context).new_page()
    file = tmp_path / "report.html"
    file.write_text(render_html(REPORTS[name]), encoding="utf-8")
    page.goto(file.as_uri())
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", REPORTS)
def test_axe_finds_nothing(browser: Any, name: str, scheme: str, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(browser, name, tmp_path, color_scheme=scheme)
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    assert results.response["violations"] == [], results.generate_report()
    assert len(results.response["passes"]) > 15


@pytest.mark.parametrize("name", REPORTS)
def test_a_narrow_window_scrolls_only_inside_tables_and_the_drawing(browser: Any, name: str, tmp_path: Path) -> None:
    page = opened(browser, name, tmp_path, viewport={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_keyboard_finds_the_skip_link_first_and_can_scroll_each_table(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, "ordinary", tmp_path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator("a.skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "report"
    assert page.locator(".scroll").count() == page.locator(".scroll[tabindex='0']").count() > 0


def test_the_page_asks_for_nothing_and_its_style_holds_under_its_own_policy(browser: Any, tmp_path: Path) -> None:
    page = browser.new_context().new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    file = tmp_path / "report.html"
    file.write_text(render_html(REPORTS["hostile"]), encoding="utf-8")
    page.goto(file.as_uri())
    assert asked == [file.as_uri()]
    assert complaints == []
    assert page.evaluate("getComputedStyle(document.querySelector('.tier')).paddingLeft") == "16px"
