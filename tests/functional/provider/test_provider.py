"""A registry whose people and programs sign in at a real OpenID provider, through both flows and its troubles."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from registry.api.app import create_app
from registry.api.server import serving
from registry.bootstrap.application import Application
from registry.bootstrap.opening import open_application
from registry.domain.errors import TokenRefused
from registry.domain.principals import Role
from registry.identity import jwks
from registry.services.principals import Grant
from registry.settings import load_settings
from tests.fakes.issuer import unb64url
from tests.fakes.plain_http import plain_client
from tests.functional.provider.provider import HR, Provider, new_key
from tests.functional.services.homes import person

pytestmark = pytest.mark.slow

ASK = {"employee_number": "T-0001", "categories": ["phone"], "purpose": {"code": "emergency_contact"}}


@dataclass
class Office:
    """A served registry that trusts the provider."""

    app: Application
    http: httpx2.Client

    def enroll(self, token: str) -> httpx2.Response:
        return self.http.post("/v1/subjects", json=person("T-0001"), headers={"Authorization": f"Bearer {token}"})

    def look_up(self, token: str) -> httpx2.Response:
        return self.http.post("/v1/disclosures", json=ASK, headers={"Authorization": f"Bearer {token}"})

    def reason(self, token: str) -> str:
        with pytest.raises(TokenRefused) as caught:
            self.app.tokens.verify(token)
        return caught.value.reason


@pytest.fixture
def office(provider: Provider, template: Path, tmp_path: Path) -> Iterator[Office]:
    home = tmp_path / "home"
    shutil.copytree(template, home)
    (home / "config.toml").write_text(
        f'[[issuers]]\nissuer = "{provider.issuer}"\nalgorithms = ["ES256"]\nroles_required = true\n'
        f'discovery = "{provider.issuer}/.well-known/openid-configuration"\nstep_up_acr = ["phr"]\nleeway_seconds = 0\n'
    )
    app = open_application(load_settings(home, {}))
    for name, role in ((HR, Role.ENROLLER), ("casey", Role.READER)):
        app.principals.ensure(Grant(provider.issuer, name, frozenset({role})), operator="local:test")
    with serving(app, create_app(app)) as url, plain_client(url) as http:
        yield Office(app, http)
    app.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for keys whenever one is unknown."""
    monkeypatch.setattr(jwks, "RETRY_SECONDS", 0)


def said(token: str) -> dict[str, object]:
    claims: dict[str, object] = json.loads(unb64url(token.split(".")[1]))
    return claims


def test_a_program_enrolls_and_a_person_looks_up(office: Office, provider: Provider) -> None:
    program = provider.program_token()
    assert office.enroll(program).status_code == 201
    assert office.look_up(program).status_code == 403  # an HR system never reads
    reader = provider.person_tokens("casey")["access_token"]
    answer = office.look_up(reader)
    assert answer.status_code == 200, answer.text
    assert office.enroll(reader).status_code == 403
    claims = office.app.tokens.verify(reader)
    assert (claims.subject, claims.client, claims.roles) == ("casey", "people", {Role.READER})
    assert claims.step_up_until == said(reader)["auth_time"] + 900  # type: ignore[operator] # a number
    assert office.app.tokens.verify(program).step_up_until == 0


def test_what_is_not_for_this_registry_is_refused(office: Office, provider: Provider) -> None:
    tokens = provider.person_tokens("casey", nonce="n-of-the-console")
    assert said(tokens["id_token"])["nonce"] == "n-of-the-console"
    assert office.reason(tokens["id_token"]) == "token_type"
    assert office.reason(provider.program_token("urn:other")) == "audience"
    stranger = provider.person_tokens("nobody")["access_token"]
    assert office.look_up(stranger).status_code == 403


def test_a_token_that_has_expired_is_refused(office: Office, provider: Provider) -> None:
    provider.ttl = 1
    provider.restart()
    token = provider.program_token()
    time.sleep(max(0.0, said(token)["exp"] - time.time() + 0.05))  # type: ignore[operator] # a number
    assert office.reason(token) == "expired"


@pytest.mark.usefixtures("at_once")
def test_keys_roll_over_without_a_refusal(office: Office, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    before = provider.program_token()
    assert office.enroll(before).status_code == 201
    old = provider.keys[0]
    provider.keys = [new_key(), old]  # signs with the first that fits, and still publishes the other
    provider.restart()
    after = provider.program_token()
    assert office.app.tokens.verify(after).subject == HR
    office.app.tokens.clear()
    assert office.app.tokens.verify(before).subject == HR
    provider.keys = provider.keys[:1]
    provider.restart()
    monkeypatch.setattr(jwks, "FRESH_SECONDS", 0)
    office.app.tokens.clear()
    assert office.app.tokens.verify(provider.program_token()).subject == HR
    assert office.reason(before) == "unknown_key"


@pytest.mark.usefixtures("at_once")
def test_another_provider_at_its_place_with_the_same_key_name_opens_nothing(office: Office, provider: Provider) -> None:
    good = provider.program_token()
    assert office.app.tokens.verify(good).subject == HR
    name = provider.keys[0]["kid"]
    provider.keys = [{**new_key(), "kid": name}]
    provider.restart()
    assert office.reason(provider.program_token()) == "signature"  # the set in use is fresh for five minutes


def test_service_goes_on_while_the_provider_is_away_and_after(office: Office, provider: Provider) -> None:
    reader, program = provider.person_tokens("casey")["access_token"], provider.program_token()
    assert office.enroll(program).status_code == 201
    provider.stop()
    office.app.tokens.clear()
    assert office.look_up(reader).status_code == 200
    assert office.http.get("/readyz").json()["checks"]["issuers"] == "ok"
    provider.start()
    office.app.tokens.clear()
    assert office.look_up(provider.person_tokens("casey")["access_token"]).status_code == 200
