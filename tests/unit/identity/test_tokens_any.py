"""Whatever comes in, the verifier answers with claims or a refusal, and no changed token passes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from registry.domain.errors import TokenRefused
from registry.identity.claims import is_plain_text
from registry.identity.refusals import Refusal
from registry.identity.shown import shown_token
from registry.identity.tokens import TokenVerifier
from tests.fakes.issuer import StaticKeys, StoppedClock, TestIssuer, compact_json

NOW = datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)
MAIN = TestIssuer.es256()
VERIFIER = TokenVerifier([MAIN.settings()], StaticKeys(MAIN), StoppedClock(NOW))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
members = st.dictionaries(
    st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "sub", "roles", "jti", "client_id", "azp", "cnf", "act", "x"]),
    values,
)
header_members = st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "x"]), values)


def verdict(token: str) -> str:
    try:
        claims = VERIFIER.verify(token)
    except TokenRefused as refusal:
        return Refusal(refusal.reason).value  # a ValueError if it were a code that nobody documented
    assert claims.issuer == MAIN.issuer
    assert is_plain_text(claims.subject)
    return "passed"


def test_every_single_character_matters() -> None:
    token = MAIN.token(NOW)
    changed = [
        (place, token[:place] + instead + token[place + 1 :])
        for place, character in enumerate(token)
        for instead in ("", ALPHABET[(ALPHABET.find(character) + 1) % 64])
    ]
    assert [place for place, other in changed if verdict(other) == "passed"] == []


@given(st.text())
def test_any_text(text: str) -> None:
    assert verdict(text) != "passed"


@given(st.text(alphabet=ALPHABET + ".=", max_size=60))
def test_any_text_of_the_right_alphabet(text: str) -> None:
    assert verdict(text) != "passed"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_signed(header: bytes, payload: bytes) -> None:
    assert verdict(MAIN.signed(header, payload)) != "passed"


@given(header_members, members)
def test_any_members_signed(header: dict[str, Any], claims: dict[str, Any]) -> None:
    head, body = compact_json(MAIN.header(**header)), compact_json(MAIN.claims(NOW, **claims))
    reason = verdict(MAIN.signed(head, body))
    if {"alg", "crit", "jwk"} & header.keys() or {"cnf", "act"} & claims.keys():
        assert reason != "passed"


@given(st.lists(st.text(max_size=40) | st.text(max_size=20).map("Bearer ".__add__), max_size=3))
def test_any_authorization_headers(headers: list[str]) -> None:
    single = len(headers) == 1 and re.fullmatch(r"(?i:bearer) [!-~]+", headers[0], re.ASCII)
    try:
        token = shown_token(headers).token
    except TokenRefused:
        token = ""
    assert not token or (single and headers[0][len("Bearer ") :] == token)
