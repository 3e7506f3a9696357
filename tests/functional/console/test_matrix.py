"""Every page as every role: what is answered is what the hand-written table says."""

from __future__ import annotations

import pytest

from registry.console.menu import MENU
from registry.domain.principals import Role
from tests.functional.console.browsers import Browser
from tests.functional.console.matrix import lines

LINES = list(lines())


def test_the_table_has_every_role_in_each_line() -> None:
    assert all(line.answers.keys() == {None, *Role} for line in LINES)


@pytest.mark.parametrize("role", [None, *Role])
def test_a_role_is_answered_as_the_table_says(browser: Browser, role: Role | None) -> None:
    browser.home.enroll()
    browser.sign_in("somebody", *([] if role is None else [role]), number="T-0001" if role is Role.SUBJECT else None)
    found = {}
    for line in LINES:
        answer = browser.get(line.address) if line.method == "GET" else browser.post(line.address)
        found[line.method, line.path] = answer.status_code
    assert found == {(line.method, line.path): line.answers[role] for line in LINES}


@pytest.mark.parametrize("role", [None, *Role])
def test_the_menu_leads_where_a_role_may_go_and_nowhere_else(browser: Browser, role: Role | None) -> None:
    may = {line.path for line in LINES if line.method == "GET" and line.answers[role] == 200}
    listed = {page.path for page in MENU if role in page.roles}
    assert listed == may & {page.path for page in MENU}
