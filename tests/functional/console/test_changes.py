"""Policies, settings and changes of keys from the console: proposed by one, approved by another."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from registry.bootstrap import key_life, open_application
from registry.domain.approvals import Action
from registry.domain.errors import KeyUnavailable
from registry.domain.principals import Role
from registry.services.ports_policy import PolicyRow
from tests.functional.console.browsers import Browser
from tests.functional.services.homes import Home

VERSION = "cedar:" + "5" * 64
REASON = "purposes for the parking office"
CHANGES = "/console/changes"
POLICIES, KEYS, REQUESTS = f"{CHANGES}/policies", f"{CHANGES}/keys", "/console/requests"


@pytest.fixture
def home(home: Home) -> Home:
    """The same registry, opened with policies and keys under dual control."""
    home.app.close()
    approvals = {"dual_control": frozenset({Action.POLICY, Action.KEYS})}
    home.app = open_application(replace(home.app.settings, approvals=approvals), home.clock)
    return home


@pytest.fixture
def admin(home: Home) -> Browser:
    browser = Browser(home)
    browser.sign_in("admin", Role.SECURITY_ADMIN, number="T-0090")
    return browser


def approver(admin: Browser, name: str = "approver", number: str | None = None) -> Browser:
    browser = Browser(admin.home, admin.site)
    browser.sign_in(name, Role.APPROVER, number=number)
    return browser


def request_in(page: str) -> str:
    found = re.search(r"request ([0-9a-f]{32})", page)
    assert found is not None, page
    return found[1]


def proposed(admin: Browser, path: str, **fields: str) -> str:
    answer = admin.post(path, fields)
    assert (answer.status_code, answer.headers["location"]) == (303, CHANGES), answer.text
    page = admin.get(CHANGES).text
    assert "Another person has to approve this" in page
    return request_in(page)


def agreed(home: Home) -> PolicyRow | None:
    with home.app.database.read() as work:
        return work.policies.agreed()


def test_policies_are_proposed_and_approved_by_another_person(admin: Browser) -> None:
    request = proposed(admin, POLICIES, version=VERSION, policy_reason=REASON)
    assert agreed(admin.home) is None
    other = approver(admin)
    assert f"{REQUESTS}/{request}" in other.get(REQUESTS).text
    page = other.get(f"{REQUESTS}/{request}").text
    assert "Let other policies or settings come into force" in page
    assert VERSION in page
    assert REASON in page
    assert other.post(f"{REQUESTS}/{request}", {"verdict": "approve", "note": "read them"}).status_code == 303
    done = admin.post(POLICIES, {"version": VERSION, "policy_reason": REASON})
    assert done.status_code == 303
    assert "may come into force with the next start" in admin.get(CHANGES).text
    known = agreed(admin.home)
    assert known is not None
    assert known.version == VERSION


def test_a_key_is_exchanged_after_another_persons_word(admin: Browser) -> None:
    request = proposed(admin, KEYS, change="rotate-data", key_reason=REASON)
    life = key_life(admin.home.app)
    with pytest.raises(KeyUnavailable):
        life.rotate("data", operator="local:test")
    other = approver(admin)
    page = other.get(f"{REQUESTS}/{request}").text
    assert "Exchange or destroy a key" in page
    assert "rotate data" in page
    assert REASON in page
    other.post(f"{REQUESTS}/{request}", {"verdict": "approve"})
    fresh = life.rotate("data", operator="local:test")
    shown = admin.get(CHANGES).text
    (former,) = re.findall(r'value="shred-(data-[^"]+)"', shown)
    assert former != fresh
    request = proposed(admin, KEYS, change=f"shred-{former}", key_reason=REASON)
    assert f"shred {former}" in other.get(f"{REQUESTS}/{request}").text


def test_nobody_approves_their_own_under_a_second_account(admin: Browser) -> None:
    request = proposed(admin, KEYS, change="rewrap", key_reason=REASON)
    twin = approver(admin, "twin", "T-0090")
    answer = twin.post(f"{REQUESTS}/{request}", {"verdict": "approve"})
    assert answer.status_code == 403
    with pytest.raises(KeyUnavailable):
        key_life(admin.home.app).rewrap(operator="local:test")


WRONG = [
    (POLICIES, {"version": "cedar:5", "policy_reason": REASON}, "version"),
    (POLICIES, {"version": VERSION, "policy_reason": "."}, "policy_reason"),
    (KEYS, {"change": "rotate-index", "key_reason": REASON}, "change"),
    (KEYS, {"change": "shred-data-1", "key_reason": REASON}, "change"),
    (KEYS, {"change": "rotate-data", "key_reason": ""}, "key_reason"),
]


@pytest.mark.parametrize(("path", "fields", "field"), WRONG)
def test_what_is_wrong_is_told_beside_its_field(admin: Browser, path: str, fields: dict[str, str], field: str) -> None:
    answer = admin.post(path, fields)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert f'href="#{field}"' in answer.text
    assert admin.home.entries()[-1].kind != "request"


def test_a_form_from_elsewhere_asks_for_nothing(admin: Browser) -> None:
    fields = {"change": "rotate-data", "key_reason": REASON}
    assert admin.post(KEYS, fields | {"form_token": "x"}).status_code == 403
    elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert admin.post(KEYS, fields, headers=elsewhere).status_code == 403
    assert all(entry.kind != "request" for entry in admin.home.entries())
