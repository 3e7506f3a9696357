"""Signing in at Entra: the settings of the guide, and a page that answers as Microsoft's documents say.

What the page does is in "Access token claims reference", "ID token claims reference", "Scopes and permissions in the
Microsoft identity platform" and "Developer guide to Conditional Access authentication context".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from registry.domain.errors import MisconfiguredHome, TokenRefused
from registry.domain.principals import Claims
from registry.identity.issuers import Networks
from registry.identity.sign_in import SignIn
from registry.identity.sign_in_settings import SignInSettings
from registry.identity.tokens import TokenVerifier
from registry.settings import load_settings
from tests.fakes.issuer import DROP, StaticKeys, StoppedClock, TestIssuer, compact_json

NOW = datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)
SECOND = int(NOW.timestamp())
PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text("utf-8")
(GUIDE,) = (one for one in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[sign_in]" in one)
PERSON = "3f1f6c7e-2e8c-4d62-9d0b-64ac5e0d1c11"
GRAPH = "00000003-0000-0000-c000-000000000000"
TENANT = "0b6e2d5c-5a7e-4f0e-9a53-2f0c2f1f7e11"
API = "9c1f52a4-5d5b-4a6e-8f31-d1b6f4a1e3aa"
SCOPE = re.compile(r"^scope = .*$", re.MULTILINE)


class Entra:
    """The page, as far as it is asked: version 2."""

    def __init__(self, settings: SignInSettings) -> None:
        self.settings = settings
        key = TestIssuer.rs256(issuer=settings.issuer.issuer, audience=API)
        self.keys, self.issuer = StaticKeys(key), key
        self.asked: dict[str, str] = {}

    def __call__(self, url: str, networks: Networks = ()) -> bytes:
        assert url == f"{self.issuer.issuer}/.well-known/openid-configuration"
        home = f"https://login.microsoftonline.com/{TENANT}"
        places = {
            "authorization_endpoint": f"{home}/oauth2/v2.0/authorize",
            "token_endpoint": f"{home}/oauth2/v2.0/token",
        }
        return compact_json({"issuer": self.issuer.issuer, "jwks_uri": f"{home}/discovery/v2.0/keys", **places})

    def post_form(self, url: str, form: Mapping[str, str], networks: Networks = ()) -> tuple[int, bytes]:
        scopes = self.asked["scope"].split()
        # "If the resource identifier is omitted in the scope parameter, the resource is assumed to be Microsoft Graph."
        of_ours = any(one.startswith(f"api://{API}/") for one in scopes)
        # "The profile scope is required to receive this claim."
        who = {"oid": PERSON} if "profile" in scopes else {}
        now = {"auth_time": SECOND} if self.asked.get("prompt") == "login" else {"auth_time": SECOND - 4000}
        wanted = json.loads(self.asked.get("claims", "{}")).get("access_token", {}).get("acrs", {})
        common = {"tid": TENANT, "ver": "2.0", "client_id": DROP, "jti": DROP, "iat": SECOND - 300, **who, **now}
        access = common | {
            "aud": API if of_ours else GRAPH,
            "azp": self.settings.client_id,
            "sub": "pairwise-of-the-api",
            "acrs": [wanted["value"]] if wanted else DROP,
        }
        identity = common | {
            "aud": self.settings.client_id,
            "sub": "pairwise-of-the-console",
            "nonce": self.asked["nonce"],
            "roles": DROP,
        }
        made = {
            name: self.issuer.token(NOW, header={"typ": "JWT"}, **claims)
            for name, claims in (("access_token", access), ("id_token", identity))
        }
        return 200, compact_json(made)

    def signed_in(self, *, strong: bool = False) -> Claims:
        """Sign somebody in: what the registry then knows of them."""
        clock = StoppedClock(NOW)
        sign_in = SignIn(self.settings, self.keys, self, clock)
        question = sign_in.begin(strong=strong)
        self.asked = {name: texts[0] for name, texts in parse_qs(urlsplit(question.url).query).items()}
        done = sign_in.finish(question.ticket, {"code": "c-1", "state": self.asked["state"]})
        return TokenVerifier([self.settings.issuer], self.keys, clock).verify(done.token)


def settings_of(config: str, home: Path) -> SignInSettings:
    (home / "config.toml").write_text(config)
    settings = load_settings(home, {}).sign_in
    assert settings is not None
    return settings


def unchecked(settings: SignInSettings, scope: str) -> SignInSettings:
    """Return settings with a scope that is refused when it is read."""
    made = replace(settings)
    object.__setattr__(made, "scope", scope)
    return made


def test_the_settings_of_the_guide_sign_somebody_in(tmp_path: Path) -> None:
    claims = Entra(settings_of(GUIDE, tmp_path)).signed_in()
    assert claims.subject == PERSON
    assert claims.step_up_until == 0


def test_a_strong_sign_in_is_asked_for_as_entra_takes_it(tmp_path: Path) -> None:
    entra = Entra(settings_of(GUIDE, tmp_path))
    assert entra.signed_in(strong=True).step_up_until == SECOND + 900
    assert "acr_values" not in entra.asked


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        (f"openid api://{API}/.default", "claim_missing"),  # neither token says oid
        ("openid profile", "audience"),  # a token for Microsoft Graph
    ],
)
def test_what_is_refused_at_the_start_would_sign_nobody_in(scope: str, reason: str, tmp_path: Path) -> None:
    settings = settings_of(GUIDE, tmp_path)
    with pytest.raises(TokenRefused) as caught:
        Entra(unchecked(settings, scope)).signed_in()
    assert caught.value.reason == reason
    with pytest.raises(MisconfiguredHome) as refused:
        settings_of(SCOPE.sub(f'scope = "{scope}"', GUIDE), tmp_path)
    (line,) = re.findall(r"write: (scope = .*?\"),", str(refused.value))
    assert Entra(settings_of(SCOPE.sub(line, GUIDE), tmp_path)).signed_in().subject == PERSON


@pytest.mark.parametrize("scope", ["", 'scope = "openid"', 'scope = "openid profile email offline_access"'])
def test_a_scope_that_cannot_be_right_is_refused_with_the_line_to_write(scope: str, tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredHome, match=rf'write: scope = "openid profile api://{API}/\.default"'):
        settings_of(SCOPE.sub(scope, GUIDE), tmp_path)


def test_it_is_the_issuer_that_counts_not_the_preset(tmp_path: Path) -> None:
    generic = GUIDE.replace('preset = "entra"', 'algorithms = ["RS256"]\ndiscovery = "https://login.example/d"')
    with pytest.raises(MisconfiguredHome, match="scope profile"):
        settings_of(SCOPE.sub('scope = "openid"', generic), tmp_path)


def test_version_1_is_asked_by_resource(tmp_path: Path) -> None:
    first = GUIDE.replace(f"https://login.microsoftonline.com/{TENANT}/v2.0", f"https://sts.windows.net/{TENANT}/")
    first = re.sub(r"^audience = .*$", 'audience = "api://registry"', first, flags=re.MULTILINE)
    with pytest.raises(MisconfiguredHome, match='write: resource = "api://registry" and scope = "openid profile"'):
        settings_of(first, tmp_path)
    right = SCOPE.sub('resource = "api://registry"\nscope = "openid profile"', first)
    assert settings_of(right, tmp_path).resource == "api://registry"


@pytest.mark.parametrize("audience", ["api://registry", f"api://{API}", API.upper(), "registry", ""])
def test_version_2_has_the_number_of_the_api_as_its_audience(audience: str, tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredHome, match="audience"):
        settings_of(GUIDE.replace(f'audience = "{API}"', f'audience = "{audience}"'), tmp_path)


def test_every_example_of_the_page_that_names_an_issuer_loads(tmp_path: Path) -> None:
    examples = [one for one in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[[issuers]]" in one]
    assert len(examples) == 2
    for example in examples:
        (tmp_path / "config.toml").write_text(example)
        assert load_settings(tmp_path, {}).issuers


def test_elsewhere_a_scope_is_the_agencys_own_business(tmp_path: Path) -> None:
    other: Any = GUIDE.replace('preset = "entra"', 'preset = "keycloak"')
    other = other.replace(f"https://login.microsoftonline.com/{TENANT}/v2.0", "https://id.city.example/realms/city")
    assert settings_of(SCOPE.sub('scope = "openid"', other), tmp_path).scope == "openid"
