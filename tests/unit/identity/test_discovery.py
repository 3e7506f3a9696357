"""What a discovery document may say, and the cache that asks it."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from registry.domain.errors import KeyUnavailable, TokenRefused
from registry.identity.discovery import key_address
from registry.identity.issuer_keys import IssuerKeys
from registry.identity.issuers import IssuerSettings
from registry.identity.jwks import FRESH_SECONDS, STALE_SECONDS, JwksCache
from tests.fakes.issuer import TestIssuer, compact_json

ISSUER = TestIssuer.es256()
DISCOVERY = "https://sign-in.example/.well-known/openid-configuration"
JWKS = "https://sign-in.example/jwks"


def terms(**changes: Any) -> IssuerSettings:
    return ISSUER.settings(**({"jwks_uri": None, "discovery": DISCOVERY} | changes))


def document(**changes: Any) -> bytes:
    return compact_json({"issuer": ISSUER.issuer, "jwks_uri": JWKS} | changes)


@pytest.mark.parametrize("address", [JWKS, "https://sign-in.example:443/other?x=1", "https://SIGN-IN.example/keys"])
def test_keys_of_the_same_origin_are_believed(address: str) -> None:
    assert key_address(document(jwks_uri=address), terms()) == address


def test_keys_elsewhere_have_to_be_listed() -> None:
    elsewhere = document(jwks_uri="https://keys.example/jwks")
    with pytest.raises(KeyUnavailable):
        key_address(elsewhere, terms())
    assert key_address(elsewhere, terms(jwks_origins=("https://keys.example",))) == "https://keys.example/jwks"


@pytest.mark.parametrize(
    "address",
    [
        "http://sign-in.example/jwks",
        "https://sign-in.example:8443/jwks",
        "https://sign-in.example.evil.example/jwks",
        "https://sign-in.example@evil.example/jwks",
        "https://user@sign-in.example/jwks",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1/jwks",
        "file:///etc/passwd",
        "https://sign-in.example:none/jwks",
        "https://[bad/jwks",
        "/jwks",
        "",
        None,
        5,
        [JWKS],
    ],
)
def test_other_addresses_are_refused(address: Any) -> None:
    with pytest.raises(KeyUnavailable) as caught:
        key_address(document(jwks_uri=address), terms())
    assert "169.254" not in caught.value.cause


@pytest.mark.parametrize(
    "issuer", ["https://sign-in.example/", "https://other.example", "", None, ["https://sign-in.example"]]
)
def test_another_issuers_document_is_refused(issuer: Any) -> None:
    with pytest.raises(KeyUnavailable, match="another issuer"):
        key_address(document(issuer=issuer), terms())


@pytest.mark.parametrize("raw", [b"", b"[]", b"<html>", b'{"issuer":1,"issuer":2}', b"[" * 100_000])
def test_what_is_no_document_is_refused(raw: bytes) -> None:
    with pytest.raises(KeyUnavailable):
        key_address(raw, terms())


class Provider:
    """Serves by address; counts what was asked, and the networks that were allowed."""

    def __init__(self) -> None:
        self.pages = {DISCOVERY: document(), JWKS: ISSUER.key_set()}
        self.asked: list[str] = []
        self.networks: set[tuple[str, ...]] = set()

    def __call__(self, url: str, networks: tuple[str, ...] = ()) -> bytes:
        self.asked.append(url)
        self.networks.add(networks)
        if url not in self.pages:
            raise KeyUnavailable("key set: ConnectError")
        return self.pages[url]


class Hands:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_cache_asks_the_document_and_then_for_the_keys() -> None:
    provider, hands = Provider(), Hands()
    keys = JwksCache(provider, hands)
    made = terms(networks=("10.20.0.0/16",))
    assert keys.find(made, "key-1").key_id == "key-1"
    assert provider.asked == [DISCOVERY, JWKS]
    assert provider.networks == {("10.20.0.0/16",)}


def test_keys_that_moved_are_found() -> None:
    provider, hands = Provider(), Hands()
    keys = JwksCache(provider, hands)
    keys.find(terms(), "key-1")
    moved = "https://sign-in.example/keys/2"
    provider.pages = {
        DISCOVERY: document(jwks_uri=moved),
        moved: compact_json({"keys": [TestIssuer.es256(key_id="key-2").public_jwk()]}),
    }
    hands.seconds += FRESH_SECONDS
    assert keys.find(terms(), "key-2").key_id == "key-2"


def test_a_document_that_turns_hostile_changes_nothing() -> None:
    provider, hands = Provider(), Hands()
    keys = JwksCache(provider, hands)
    keys.find(terms(), "key-1")
    evil = "https://evil.example/jwks"
    provider.pages[DISCOVERY] = document(jwks_uri=evil)
    provider.pages[evil] = compact_json({"keys": [TestIssuer.es256(key_id="key-2").public_jwk()]})
    hands.seconds += FRESH_SECONDS
    assert keys.find(terms(), "key-1").key_id == "key-1"
    with pytest.raises(TokenRefused, match="unknown_key"):
        keys.find(terms(), "key-2")
    assert evil not in provider.asked


def test_readiness_asks_for_any_issuers_keys() -> None:
    provider, hands = Provider(), Hands()
    down = TestIssuer.es256(issuer="https://down.example").settings(jwks_uri="https://down.example/jwks")
    keys = JwksCache(provider, hands)
    IssuerKeys(keys, []).demand_any()
    with pytest.raises(KeyUnavailable) as caught:
        IssuerKeys(keys, [down]).demand_any()
    assert caught.value.code == "issuer_keys"
    both = IssuerKeys(keys, [down, terms()])
    both.demand_any()
    assert both.age_seconds() == 0
    provider.pages = {}
    hands.seconds += STALE_SECONDS - 1
    both.demand_any()
    assert both.age_seconds() == STALE_SECONDS - 1
    hands.seconds += 1
    with pytest.raises(KeyUnavailable):
        both.demand_any()


def test_a_provider_that_fails_is_asked_less_and_less() -> None:
    provider, hands = Provider(), Hands()
    provider.pages = {}
    keys = IssuerKeys(JwksCache(provider, hands), [terms()])
    tried = []
    for _ in range(400):
        before = len(provider.asked)
        with pytest.raises(KeyUnavailable):
            keys.demand_any()
        if len(provider.asked) > before:
            tried.append(hands.seconds)
        hands.seconds += 1
    assert tried == [0, 10, 30, 70, 150, 230, 310, 390]
    provider.pages = {DISCOVERY: document(), JWKS: ISSUER.key_set()}
    hands.seconds += 80
    keys.demand_any()


def test_a_failure_is_logged_with_its_cause_and_no_address() -> None:
    provider = Provider()
    provider.pages[DISCOVERY] = document(issuer="https://other.example")
    with capture_logs() as logged:
        assert not JwksCache(provider, Hands()).has_keys(terms())
    assert [line["cause"] for line in logged] == ["discovery: another issuer's document"]
    assert "example" not in str(logged)
