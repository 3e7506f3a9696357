from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from registry.domain.errors import MisconfiguredHome
from registry.identity.issuers import (
    DEVELOPMENT_ISSUER,
    IssuerSettings,
    is_loopback,
    require_fit_for_profile,
    require_safe_url,
)


def settings(**changes: Any) -> IssuerSettings:
    terms: dict[str, Any] = {
        "issuer": "https://sign-in.example",
        "audience": "registry",
        "algorithms": frozenset({"ES256"}),
        "jwks_uri": "https://sign-in.example/jwks",
    }
    return IssuerSettings(**(terms | changes))


def test_defaults_are_the_strict_ones() -> None:
    made = settings()
    assert made.algorithm == "ES256"
    assert made.token_types == {"at+jwt"}
    assert (made.max_lifetime_seconds, made.leeway_seconds, made.roles_claim) == (3600, 30, "roles")


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": ""},
        {"audience": ""},
        {"roles_claim": ""},
        {"algorithms": frozenset()},
        {"algorithms": frozenset({"ES256", "RS256"})},
        {"algorithms": frozenset({"HS256"})},
        {"algorithms": frozenset({"none"})},
        {"algorithms": frozenset({"RS512"})},
        {"token_types": frozenset()},
        {"token_types": frozenset({"at+jwt", "anything"})},
        {"token_types": frozenset({"JWT"})},
        {"jwks_uri": None},
        {"jwks_file": Path("keys.jwks")},
        {"max_lifetime_seconds": 0},
        {"max_lifetime_seconds": 86_401},
        {"leeway_seconds": -1},
        {"leeway_seconds": 301},
        {"jwks_uri": "http://sign-in.example/jwks"},
    ],
)
def test_wrong_terms_are_refused_when_built(changes: dict[str, Any]) -> None:
    with pytest.raises(MisconfiguredHome):
        settings(**changes)


@pytest.mark.parametrize(
    "url",
    ["https://sign-in.example/jwks", "http://127.0.0.1:8080/jwks", "http://[::1]/jwks", "http://localhost:1/jwks"],
)
def test_https_and_loopback_addresses_are_safe(url: str) -> None:
    assert settings(jwks_uri=url).jwks_uri == url


@pytest.mark.parametrize(
    "url",
    [
        "http://sign-in.example/jwks",
        "http://127.0.0.1.evil.example/jwks",
        "http://localhost.evil.example/jwks",
        "http://10.0.0.1/jwks",
        "http://0.0.0.0/jwks",
        "http://127.0.0.1@evil.example/jwks",
        "https://user:word@sign-in.example/jwks",
        "https://user@sign-in.example/jwks",
        "https://sign-in.example/jwks#part",
        "file:///etc/passwd",
        "ftp://sign-in.example/jwks",
        "https:///jwks",
        "https://[bad/jwks",
        "//sign-in.example/jwks",
        "",
    ],
)
def test_other_addresses_are_not(url: str) -> None:
    with pytest.raises(MisconfiguredHome):
        require_safe_url(url)


def test_loopback_needs_no_name_service() -> None:
    assert is_loopback("127.8.9.10")
    assert not is_loopback("localhost.example")
    assert not is_loopback("169.254.169.254")


def test_production_takes_nothing_made_for_development() -> None:
    fine = settings()
    require_fit_for_profile([fine], "production")
    loopback = settings(jwks_uri="http://127.0.0.1:8080/jwks")
    from_file = settings(jwks_uri=None, jwks_file=Path("keys.jwks"))
    named = settings(issuer=DEVELOPMENT_ISSUER)
    for unfit in (loopback, from_file, named):
        require_fit_for_profile([fine, unfit], "development")
        for profile in ("production", "", "Development", "staging"):
            with pytest.raises(MisconfiguredHome):
                require_fit_for_profile([fine, unfit], profile)
