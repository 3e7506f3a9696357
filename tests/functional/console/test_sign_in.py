"""Signing in with a token or a link, and how sessions end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any, cast

import pytest

from registry.bootstrap import Application
from registry.cli.serving import Site, build_site
from registry.console.app import create_console
from registry.console.asking import MOST_AT_ISSUER
from registry.domain.errors import KeyUnavailable, MisconfiguredHome
from registry.domain.principals import Role
from registry.identity.sign_in import Question, SignIn
from registry.services.revoke import TokenName
from tests.functional.console.browsers import OWN, Browser, newest, token_in
from tests.functional.services.homes import Home


def cookies(answer: Any) -> list[str]:
    found: list[str] = answer.headers.get_list("set-cookie")
    return found


def test_a_pasted_token_signs_in(browser: Browser) -> None:
    assert browser.get("/console/").headers["location"] == "/console/sign-in"
    answer = browser.sign_in("clerk.kim", Role.READER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")
    page = browser.get("/console/")
    assert page.status_code == 200
    assert "clerk.kim" in page.text
    assert "Reader" in page.text
    assert '<a href="/console/look-up">' in page.text
    assert "/console/ledger" not in page.text


def test_white_space_in_a_pasted_token_does_no_harm(browser: Browser) -> None:
    token = browser.token("clerk", Role.READER)
    answer = browser.post("/console/sign-in", {"token": f"  {token[:40]}\n{token[40:]}\n"})
    assert answer.status_code == 303


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(browser: Browser) -> None:
    (cookie,) = cookies(browser.sign_in("clerk", Role.READER))
    name, _, rest = cookie.partition("=")
    assert name == "registry-console"
    assert {part.strip().lower() for part in rest.split(";")[1:]} == {"httponly", "path=/console", "samesite=strict"}


def test_over_https_the_cookie_is_bound_to_the_host(home: Home) -> None:
    browser = Browser(home, base_url="https://127.0.0.1:8000")
    (cookie,) = cookies(browser.sign_in("clerk", Role.READER))
    name, _, rest = cookie.partition("=")
    assert name == "__Host-registry-console"
    parts = {part.strip().lower() for part in rest.split(";")[1:]}
    assert parts == {"httponly", "path=/", "samesite=strict", "secure"}
    assert browser.get("/console/").status_code == 200


def test_signing_in_gives_a_new_session_and_ends_the_old_one(browser: Browser) -> None:
    browser.http.cookies.set("registry-console", "chosen-by-somebody-else", "127.0.0.1", "/console")
    browser.sign_in("first", Role.READER)
    first = browser.http.cookies["registry-console"]
    assert first != "chosen-by-somebody-else"
    browser.sign_in("second", Role.AUDITOR)
    second = browser.http.cookies["registry-console"]
    assert second != first
    browser.http.cookies.clear()
    browser.http.cookies.set("registry-console", first, "127.0.0.1", "/console")
    assert browser.get("/console/").status_code == 303


def test_signing_out_ends_the_session_itself(browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    kept = browser.http.cookies["registry-console"]
    answer = browser.post("/console/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
    browser.http.cookies.set("registry-console", kept, "127.0.0.1", "/console")
    assert browser.get("/console/").status_code == 303


def test_a_refused_token_is_said_in_one_way_and_recorded_with_its_reason(browser: Browser) -> None:
    late = browser.home.app.development_issuer().issue(
        "clerk", [Role.READER], ttl_seconds=60, now=browser.home.clock.now() - timedelta(hours=2)
    )
    good = browser.token("clerk", Role.READER)
    pages = [browser.post("/console/sign-in", {"token": token}) for token in ("nonsense", late, good[:-2])]
    assert [page.status_code for page in pages] == [401, 401, 401]
    assert len({page.text for page in pages}) == 1
    assert "was not accepted" in pages[0].text
    results = [entry.values["result"] for entry in browser.home.entries() if entry.kind == "auth" and entry.values]
    assert results[:2] == ["token refused malformed", "token refused expired"]
    assert "nonsense" not in pages[0].text
    assert browser.get("/console/").status_code == 303


def test_an_expired_token_ends_the_session(browser: Browser) -> None:
    browser.post("/console/sign-in", {"token": browser.token("clerk", Role.READER, ttl=600)})
    browser.home.clock.step(599)
    assert browser.get("/console/look-up").status_code == 200
    browser.home.clock.step(1)
    assert browser.get("/console/look-up").headers["location"] == "/console/sign-in"
    page = browser.get("/console/sign-in")
    assert "Your session has ended" in page.text
    assert [entry for entry in browser.home.entries() if entry.kind == "auth"] == []


def test_an_idle_session_ends(browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    browser.home.clock.step(30 * 60)
    assert browser.get("/console/").status_code == 303


def take_back(browser: Browser, token: str) -> None:
    claims = browser.home.app.tokens.verify(token)
    administrator = browser.home.caller("administrator", Role.SECURITY_ADMIN)
    browser.home.app.revoke.token(administrator, TokenName(claims.issuer, claims.token_id))


def test_a_token_taken_back_ends_its_session_and_opens_none(browser: Browser) -> None:
    token = browser.token("clerk", Role.READER)
    browser.post("/console/sign-in", {"token": token})
    fields = {"form_token": browser.form_token(), "employee_number": "T-0001"}
    take_back(browser, token)
    answer = browser.http.post("/console/look-up", data=fields, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
    said = newest(browser.home, "deny").values
    assert said is not None
    assert (said["result"], said["detail"]) == ("denied token_taken_back", "console")
    assert said["token"].startswith(browser.home.app.tokens.verify(token).token_id)
    assert browser.get("/console/").status_code == 303
    again = browser.post("/console/sign-in", {"token": token})
    assert again.status_code == 401
    assert "was not accepted" in again.text
    assert browser.get("/console/").status_code == 303


def test_a_form_of_an_ended_session_shows_nothing(browser: Browser) -> None:
    browser.home.enroll()
    browser.sign_in("clerk", Role.READER)
    fields = {"form_token": browser.form_token(), "employee_number": "T-0001"}
    browser.home.clock.step(30 * 60)
    answer = browser.http.post("/console/look-up", data=fields, headers=OWN)
    assert (answer.status_code, answer.headers["location"], answer.content) == (303, "/console/sign-in", b"")


def test_a_role_taken_away_is_gone_at_once(browser: Browser) -> None:
    browser.sign_in("clerk", Role.READER)
    assert browser.get("/console/look-up").status_code == 200
    with browser.home.sql() as sql:
        sql.execute("UPDATE principals SET state = 'ended' WHERE sub = 'clerk'")
    assert browser.get("/console/look-up").status_code == 403
    assert "has no role in this registry" in browser.get("/console/").text


def test_a_token_that_is_no_longer_accepted_ends_the_session_and_is_recorded(home: Home) -> None:
    console = create_console(home.app)
    browser = Browser(home, Site(console, None))
    sessions = console.state.console.sessions
    far = home.clock.now().timestamp() + 3600
    browser.http.cookies.set("registry-console", sessions.open("no.longer.good", far), "127.0.0.1", "/console")
    assert browser.get("/console/").headers["location"] == "/console/sign-in"
    assert len(sessions) == 0
    assert [entry.kind for entry in home.entries()][-1] == "auth"


@pytest.mark.parametrize("role", list(Role))
def test_each_role_is_shown_its_pages(browser: Browser, role: Role) -> None:
    browser.sign_in(f"the {role}", role, number="T-0001")
    page = browser.get("/console/").text
    assert "This is what your account may do here." in page
    assert "has no role" not in page


# ---- links ----


def link(browser: Browser, name: str = "clerk", *roles: Role) -> str:
    links = browser.site.links
    assert links is not None
    return links.issue(browser.token(name, *(roles or (Role.READER,))))


def test_a_link_signs_in_once_and_only_by_its_button(browser: Browser) -> None:
    path = link(browser)
    for _ in range(3):
        assert browser.get(path).status_code == 200
        assert "registry-console" not in browser.http.cookies
    form_token = browser.form_token(path)
    answer = browser.http.post(path, data={"form_token": form_token}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")
    assert browser.get("/console/look-up").status_code == 200
    again = browser.http.post(path, data={"form_token": form_token}, headers=OWN)
    assert again.status_code == 404
    assert "works once" in again.text
    assert browser.get(path).status_code == 404
    results = [entry.values["result"] for entry in browser.home.entries() if entry.kind == "auth" and entry.values]
    assert results == ["token refused link_unknown"]


def test_a_link_is_not_used_up_by_another_site(browser: Browser) -> None:
    path = link(browser)
    form_token = browser.form_token(path)
    other = browser.http.post(path, data={"form_token": form_token}, headers={"Sec-Fetch-Site": "cross-site"})
    assert other.status_code == 403
    assert browser.post(path).status_code == 303


def test_a_link_is_too_old_after_ten_minutes(browser: Browser) -> None:
    path = link(browser)
    form_token = browser.form_token(path)
    browser.home.clock.step(600)
    assert browser.get(path).status_code == 404
    assert browser.http.post(path, data={"form_token": form_token}, headers=OWN).status_code == 404


def test_a_link_is_worth_no_more_than_its_token(browser: Browser) -> None:
    links = browser.site.links
    assert links is not None
    path = links.issue(browser.token("clerk", Role.READER, ttl=60))
    browser.home.clock.step(100)
    assert browser.post(path).status_code == 401
    assert browser.get("/console/").status_code == 303


def test_nobody_is_signed_in_by_somebody_elses_form(browser: Browser) -> None:
    token = browser.token("mallory", Role.READER)
    stranger = Browser(browser.home, browser.site)
    theirs = token_in(stranger.get("/console/sign-in").text)
    browser.get("/console/sign-in")
    for form_token in (theirs, ""):
        answer = browser.http.post("/console/sign-in", data={"token": token, "form_token": form_token}, headers=OWN)
        assert answer.status_code == 403
    assert browser.get("/console/").status_code == 303


# ---- profiles ----


def test_the_production_profile_has_no_console(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Application, "profile", "production")
    assert home.app.profile == "production"
    with pytest.raises(MisconfiguredHome):
        create_console(home.app)
    site = build_site(home.app)
    assert site.links is None
    assert Browser(home, site).http.get("/console/sign-in").status_code == 404


class SlowIssuer:
    """An issuer's page that does not answer while somebody waits."""

    host, can_be_strong = "sign-in.example", False

    def __init__(self) -> None:
        self.is_over = Event()
        self.asked = 0

    def begin(self, *, strong: bool = False, note: str = "") -> Question:
        self.asked += 1
        self.is_over.wait(30)
        raise KeyUnavailable("away")


def test_an_issuer_that_does_not_answer_keeps_nobody_else_waiting(home: Home) -> None:
    """Anybody may begin to sign in: forty who do so before a slow issuer must not take every thread of the console."""
    issuer = SlowIssuer()
    browser = Browser(home, build_site(replace(home.app, sign_in=cast("SignIn", issuer))))
    with browser.http, ThreadPoolExecutor(60) as crowd:
        browser.sign_in("clerk", Role.READER)
        waiting = [crowd.submit(browser.http.get, "/console/sign-in/begin") for _ in range(50)]
        try:
            deadline = time.monotonic() + 10
            while sum(one.done() for one in waiting) < 50 - MOST_AT_ISSUER and time.monotonic() < deadline:
                time.sleep(0.01)
            page = crowd.submit(browser.http.get, "/console/")
            assert page.result(5).status_code == 200
            answered = [one.result() for one in waiting if one.done()]
            assert {one.status_code for one in answered} == {503}
            assert len(answered) == 50 - MOST_AT_ISSUER
            assert issuer.asked == MOST_AT_ISSUER
        finally:
            issuer.is_over.set()
        assert {one.result().status_code for one in waiting} == {503}
