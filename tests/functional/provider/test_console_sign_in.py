"""Signing in to the console at a real provider's own page, and what of it somebody else could try to make use of."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from registry.bootstrap.application import Application
from registry.bootstrap.opening import open_application
from registry.cli.serving import build_site
from registry.domain.principals import Role
from registry.services.principals import Grant
from registry.settings import load_settings
from tests.functional.provider.provider import Provider

pytestmark = pytest.mark.slow

CONSOLE = "http://127.0.0.1:8000"
BACK = f"{CONSOLE}/console/sign-in/back"
SESSION, TICKET = "registry-console", "registry-ticket"


class Office:
    """A registry with a console whose people sign in at the provider."""

    def __init__(self, app: Application, provider: Provider) -> None:
        self.app = app
        self.provider = provider
        self.site = build_site(app).app

    def browser(self) -> TestClient:
        return TestClient(self.site, CONSOLE, follow_redirects=False)

    def begun(self, browser: TestClient, *, strong: bool = False) -> str:
        """Begin to sign in; returns the address of the provider's page."""
        answer = browser.get("/console/sign-in/begin" + ("?strong=1" if strong else ""))
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def answer_of(self, page: str, name: str = "casey") -> dict[str, str]:
        """Sign in at the provider's page; returns what the browser is sent back with."""
        with httpx2.Client(base_url=self.provider.issuer, timeout=20) as at_provider:
            return self.provider.signed_in(at_provider, at_provider.get(page), name, BACK)

    def sign_in(self, browser: TestClient, name: str = "casey", *, strong: bool = False) -> Any:
        return browser.get("/console/sign-in/back", params=self.answer_of(self.begun(browser, strong=strong), name))

    def reasons(self) -> list[str]:
        """Return why sign-ins were refused: the first of a kind in a minute is an entry."""
        with self.app.database.reader() as reader:
            entries = [self.app.audit.read(row) for row in reader.scan(0, reader.head().size)]
        results = [(entry.values or {}).get("result", "") for entry in entries if entry.kind == "auth"]
        return [result.removeprefix("token refused ") for result in results]


@pytest.fixture
def office(provider: Provider, template: Path, tmp_path: Path) -> Iterator[Office]:
    home = tmp_path / "home"
    shutil.copytree(template, home)
    (home / "config.toml").write_text(
        f'public_url = "{CONSOLE}"\n[[issuers]]\nissuer = "{provider.issuer}"\nalgorithms = ["ES256"]\n'
        f'discovery = "{provider.issuer}/.well-known/openid-configuration"\nstep_up_acr = ["phr"]\n'
        f'[sign_in]\nissuer = "{provider.issuer}"\nclient_id = "console"\nscope = "openid registry"\n'
        'resource = "urn:registry"\n'
    )
    app = open_application(load_settings(home, {}))
    for name in ("casey", "robin"):
        app.principals.ensure(Grant(provider.issuer, name, frozenset({Role.READER})), operator="local:test")
    yield Office(app, provider)
    app.close()


def is_in(browser: TestClient) -> bool:
    return bool(browser.get("/console/").status_code == 200)


def cookie_of(answer: Any, name: str) -> str:
    return next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}="))


def test_somebody_signs_in_at_the_page_and_out_again(office: Office) -> None:
    browser = office.browser()
    page = browser.get("/console/sign-in")
    assert 'href="/console/sign-in/begin"' in page.text
    answer = office.sign_in(browser)
    assert answer.status_code == 200, answer.text
    assert 'http-equiv="refresh" content="0; url=/console/"' in answer.text
    assert "script" not in answer.text
    assert "samesite=strict" in cookie_of(answer, SESSION).lower()
    assert "httponly" in cookie_of(answer, SESSION).lower()
    first = browser.get("/console/")
    assert "casey" in first.text
    token = re.search(r'name="form_token" value="([^"]+)"', first.text)
    assert token is not None
    out = browser.post("/console/sign-out", data={"form_token": token[1]}, headers={"Sec-Fetch-Site": "same-origin"})
    assert out.status_code == 303
    assert not is_in(browser)


def test_what_is_asked_is_bound_to_the_browser_and_says_nothing_of_it(office: Office) -> None:
    browser = office.browser()
    answer = browser.get("/console/sign-in/begin")
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == [BACK]
    assert "acr_values" not in asked
    ticket = cookie_of(answer, TICKET)
    assert "samesite=lax" in ticket.lower()
    assert "httponly" in ticket.lower()
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) == 43
        assert asked[name][0] not in ticket
    again = parse_qs(urlsplit(office.begun(office.browser())).query)
    assert all(asked[name] != again[name] for name in ("state", "nonce", "code_challenge"))


def test_an_answer_is_good_once_and_in_the_browser_that_asked_only(office: Office) -> None:
    browser, another = office.browser(), office.browser()
    answer = office.answer_of(office.begun(browser))
    assert another.get("/console/sign-in/back", params=answer).status_code == 401  # without a ticket
    office.begun(another)
    assert another.get("/console/sign-in/back", params=answer).status_code == 401  # with its own
    ticket = browser.cookies[TICKET]
    assert browser.get("/console/sign-in/back", params=answer).status_code == 200
    browser.cookies.clear()
    browser.cookies.set(TICKET, ticket, "127.0.0.1", "/console")
    assert browser.get("/console/sign-in/back", params=answer).status_code == 401  # the code is used
    assert not is_in(another)
    assert {"sign_in_state", "sign_in_refused"} <= set(office.reasons())


def test_a_stolen_code_opens_nothing_under_the_thiefs_own_question(office: Office) -> None:
    victim, thief = office.browser(), office.browser()
    stolen = office.answer_of(office.begun(victim))
    own = parse_qs(urlsplit(office.begun(thief)).query)
    answer = thief.get("/console/sign-in/back", params=stolen | {"state": own["state"][0]})
    assert answer.status_code == 401  # the verifier is not that of the question
    assert not is_in(thief)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "x" * 43}, "sign_in_state"),
        ({"state": None}, "sign_in_state"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"code": None}, "sign_in_refused"),
        ({"code": "made-up"}, "sign_in_refused"),
        ({"error": "access_denied"}, "sign_in_refused"),
    ],
)
def test_a_changed_answer_is_refused(office: Office, changes: dict[str, str | None], reason: str) -> None:
    browser = office.browser()
    answer = {k: v for k, v in (office.answer_of(office.begun(browser)) | changes).items() if v is not None}
    refused = browser.get("/console/sign-in/back", params=answer)
    assert refused.status_code == 401
    assert "was not accepted" in refused.text
    assert office.reasons() == [reason]
    assert not is_in(browser)


def test_a_name_that_comes_twice_is_no_answer(office: Office) -> None:
    browser = office.browser()
    answer = office.answer_of(office.begun(browser))
    twice = [*answer.items(), ("code", answer["code"])]
    assert browser.get("/console/sign-in/back", params=twice).status_code == 401


def test_a_session_that_somebody_chose_or_had_ends(office: Office) -> None:
    browser = office.browser()
    browser.cookies.set(SESSION, "chosen-by-somebody-else", "127.0.0.1", "/console")
    office.sign_in(browser)
    first = browser.cookies[SESSION]
    assert first != "chosen-by-somebody-else"
    page = office.begun(browser, strong=True)
    kept = {name: browser.cookies[name] for name in (SESSION, TICKET)}
    browser.cookies.delete(SESSION)  # as browsers do where another site leads them here
    assert browser.get("/console/sign-in/back", params=office.answer_of(page, "robin")).status_code == 200
    assert "robin" in browser.get("/console/").text
    thief = office.browser()
    thief.cookies.set(SESSION, kept[SESSION], "127.0.0.1", "/console")
    assert not is_in(thief)


def test_a_strong_sign_in_is_asked_for_now(office: Office) -> None:
    browser = office.browser()
    office.sign_in(browser)
    asked = parse_qs(urlsplit(page := office.begun(browser, strong=True)).query)
    assert (asked["acr_values"], asked["max_age"]) == (["phr"], ["0"])
    answer = browser.get("/console/sign-in/back", params=office.answer_of(page))
    assert answer.status_code == 200, office.reasons()
    assert "was a strong sign-in" not in browser.get("/console/").text


def test_without_the_setting_there_is_no_such_way(office: Office) -> None:
    plain = Office(office.app, office.provider)
    object.__setattr__(plain.app, "sign_in", None)
    browser = plain.browser()
    assert "begin" not in browser.get("/console/sign-in").text
    assert browser.get("/console/sign-in/begin").status_code == 404
    assert browser.get("/console/sign-in/back").status_code == 404


def test_a_provider_that_is_away_is_said_so(office: Office) -> None:
    office.provider.stop()
    assert office.browser().get("/console/sign-in/begin").status_code == 503
