"""The verifier: every hostile token is refused for its own reason, every good one gives exactly its claims."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from registry.domain.errors import MisconfiguredHome, TokenRefused
from registry.domain.principals import Claims, Role
from registry.identity.tokens import TokenVerifier
from tests.fakes.hostile_tokens import HostileToken, hmac_with, hostile_cases, hostile_tokens, token_of_length
from tests.fakes.issuer import DROP, StaticKeys, StoppedClock, TestIssuer, compact_json

NOW = datetime(2026, 3, 2, 15, 4, 5, 600_000, tzinfo=UTC)
SECOND = int(NOW.timestamp())
MAIN = TestIssuer.es256()
RSA = TestIssuer.rs256(issuer="https://rsa.example", key_id="rsa-1")
VERIFIER = TokenVerifier([MAIN.settings(), RSA.settings()], StaticKeys(MAIN, RSA), StoppedClock(NOW))
CASES = hostile_cases(MAIN, NOW)


def refused(token: str, verifier: TokenVerifier = VERIFIER) -> str:
    with pytest.raises(TokenRefused) as caught:
        verifier.verify(token)
    assert str(caught.value) == caught.value.reason
    assert caught.value.__cause__ is None
    return caught.value.reason


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile_token_is_refused_for_its_own_reason(case: HostileToken) -> None:
    assert refused(case.token) == case.reason


def test_the_table_is_wide_and_says_each_thing_once() -> None:
    assert len(CASES) > 250
    assert len({case.name for case in CASES}) == len(CASES)
    assert len(hostile_tokens(MAIN, NOW)) > 230


def test_good_token_gives_its_claims() -> None:
    assert VERIFIER.verify(MAIN.token(NOW)) == Claims(
        issuer=MAIN.issuer,
        subject="casey.morgan",
        roles=frozenset({Role.READER}),
        token_id="5c1b0d",
        client="console",
        expires_at=SECOND + 600,
        issued_at=SECOND,
    )


def test_good_rs256_token_gives_its_claims() -> None:
    assert VERIFIER.verify(RSA.token(NOW)).issuer == RSA.issuer


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "AT+JWT"}, {}),
        ({"typ": "application/at+jwt"}, {}),
        ({"cty": "x", "note": {"nested": [1]}}, {}),
        ({}, {"aud": ["elsewhere", "registry"]}),
        ({}, {"aud": ["registry"]}),
        ({}, {"exp": SECOND - 29, "iat": SECOND - 600}),
        ({}, {"iat": SECOND + 30, "exp": SECOND + 100}),
        ({}, {"exp": SECOND + 3600}),
        ({}, {"nbf": SECOND + 30}),
        ({}, {"nbf": SECOND - 5}),
        ({}, {"sub": "\u00c5sa \u738b s" + "x" * 240}),
        ({}, {"scope": "registry:lookup", "nonce": "n", "unknown": None}),
    ],
)
def test_good_variants_pass(header: dict[str, Any], claims: dict[str, Any]) -> None:
    assert VERIFIER.verify(MAIN.token(NOW, header=header, **claims)).issuer == MAIN.issuer


def test_token_of_8192_bytes_passes() -> None:
    token = token_of_length(MAIN, NOW, 8191)
    assert len(token) in {8191, 8192}
    assert VERIFIER.verify(token).subject == "casey.morgan"


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (DROP, None),
        ([], frozenset()),
        (["reader", "auditor", "reader"], frozenset({Role.READER, Role.AUDITOR})),
        (["Reader", "READER", "reader ", "\uff52eader", "root", "finance.clerk"], frozenset()),
        (["reader", "root"], frozenset({Role.READER})),
    ],
)
def test_roles_are_the_known_ones_spelt_exactly(roles: Any, expected: frozenset[Role] | None) -> None:
    assert VERIFIER.verify(MAIN.token(NOW, roles=roles)).roles == expected


def test_roles_come_from_the_named_claim_only() -> None:
    verifier = TokenVerifier([MAIN.settings(roles_claim="registry_roles")], StaticKeys(MAIN), StoppedClock(NOW))
    assert verifier.verify(MAIN.token(NOW)).roles is None
    assert verifier.verify(MAIN.token(NOW, registry_roles=["auditor"])).roles == {Role.AUDITOR}


@pytest.mark.parametrize(
    ("claims", "client", "token_id"),
    [
        ({"client_id": DROP, "jti": DROP}, "", ""),
        ({"client_id": DROP, "azp": "hr-batch"}, "hr-batch", "5c1b0d"),
        ({"azp": "other"}, "console", "5c1b0d"),
    ],
)
def test_client_and_token_id_are_optional(claims: dict[str, Any], client: str, token_id: str) -> None:
    read = VERIFIER.verify(MAIN.token(NOW, **claims))
    assert (read.client, read.token_id) == (client, token_id)


def test_time_comes_from_the_clock_given() -> None:
    clock = StoppedClock(NOW)
    verifier = TokenVerifier([MAIN.settings()], StaticKeys(MAIN), clock)
    token = MAIN.token(NOW)
    verifier.verify(token)
    clock.moment = NOW + timedelta(seconds=629)
    verifier.verify(token)
    clock.moment = NOW + timedelta(seconds=630)
    assert refused(token, verifier) == "expired"
    clock.moment = NOW - timedelta(seconds=32)
    assert refused(token, verifier) == "issued_in_future"


def test_terms_are_the_issuers_own() -> None:
    settings = MAIN.settings(max_lifetime_seconds=300, leeway_seconds=0, token_types=frozenset({"jwt"}))
    verifier = TokenVerifier([settings, RSA.settings()], StaticKeys(MAIN, RSA), StoppedClock(NOW))
    jwt = {"typ": "JWT"}
    assert verifier.verify(MAIN.token(NOW, header=jwt, exp=SECOND + 300)).subject == "casey.morgan"
    assert refused(MAIN.token(NOW, header=jwt, exp=SECOND + 301), verifier) == "lifetime"
    assert refused(MAIN.token(NOW, header=jwt, iat=SECOND + 1, exp=SECOND + 2), verifier) == "issued_in_future"
    assert refused(MAIN.token(NOW, header=jwt, iat=SECOND - 10, exp=SECOND), verifier) == "expired"
    assert refused(MAIN.token(NOW, exp=SECOND + 300), verifier) == "token_type"
    assert verifier.verify(RSA.token(NOW, exp=SECOND + 3600)).issuer == RSA.issuer


def test_key_names_of_one_issuer_open_nothing_of_another() -> None:
    assert refused(RSA.token(NOW, iss=MAIN.issuer)) == "algorithm"
    other = TestIssuer.es256(issuer="https://other.example", key_id="other-key")
    verifier = TokenVerifier([MAIN.settings(), other.settings()], StaticKeys(MAIN, other), StoppedClock(NOW))
    assert verifier.verify(other.token(NOW)).issuer == other.issuer
    assert refused(other.token(NOW, iss=MAIN.issuer), verifier) == "unknown_key"
    assert refused(MAIN.token(NOW, iss=other.issuer), verifier) == "unknown_key"


def test_kid_names_the_key_that_is_tried_and_no_other_is() -> None:
    second = TestIssuer.es256(key_id="key-2")
    keys = StaticKeys(MAIN, second)
    verifier = TokenVerifier([MAIN.settings()], keys, StoppedClock(NOW))
    assert verifier.verify(second.token(NOW)).subject == "casey.morgan"
    assert refused(MAIN.token(NOW, header={"kid": "key-2"}), verifier) == "signature"
    assert refused(second.token(NOW, header={"kid": "key-1"}), verifier) == "signature"


def test_key_of_another_algorithm_is_not_used() -> None:
    class WrongKeys(StaticKeys):
        def find(self, settings: Any, key_id: str) -> Any:
            return super().find(RSA.settings(), RSA.key_id)

    verifier = TokenVerifier([MAIN.settings()], WrongKeys(RSA), StoppedClock(NOW))
    assert refused(MAIN.token(NOW), verifier) == "algorithm"


RSA_SECRETS = {
    "PEM": RSA.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "PKCS1 PEM": RSA.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
    "DER": RSA.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "PKCS1 DER": RSA.public_bytes(Encoding.DER, PublicFormat.PKCS1),
    "modulus": RSA.private.public_key().public_numbers().n.to_bytes(256, "big"),
}


@pytest.mark.parametrize("form", RSA_SECRETS)
def test_hs256_with_the_rsa_public_key_is_refused(form: str) -> None:
    header, payload = compact_json(RSA.header(alg="HS256")), compact_json(RSA.claims(NOW))
    assert refused(RSA.signed(header, payload, hmac_with(RSA_SECRETS[form]))) == "algorithm"


@pytest.mark.parametrize("alg", ["ES256", "RS384", "RS512", "PS256", "none", "RS256 "])
def test_rs256_issuer_takes_no_other_algorithm(alg: str) -> None:
    assert refused(RSA.token(NOW, header={"alg": alg})) == "algorithm"


def test_pss_signature_under_the_name_rs256_is_refused() -> None:
    def pss(signing_input: bytes) -> bytes:
        return RSA.private.sign(signing_input, padding.PSS(padding.MGF1(SHA256()), 32), SHA256())

    assert refused(RSA.signed(compact_json(RSA.header()), compact_json(RSA.claims(NOW)), pss)) == "signature"


def test_refusal_holds_no_part_of_the_token() -> None:
    subject = MAIN.token(NOW, sub="SENTINEL\nSENTINEL")
    payload = MAIN.signed(compact_json(MAIN.header()), b'{"SENTINEL":1,"SENTINEL":2}')
    header = MAIN.token(NOW, header={"alg": "SENTINEL"})
    signature = MAIN.token(NOW)[:-8] + "SENTINEL"
    for token in (subject, payload, header, signature, "SENTINEL"):
        with pytest.raises(TokenRefused) as caught:
            VERIFIER.verify(token)
        link = caught.value
        assert (link.args, link.__cause__, link.__suppress_context__) == ((link.reason,), None, True)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"alg": "none"}, "algorithm"),
        ({"alg": "HS256"}, "algorithm"),
        ({"alg": "none", "crit": ["x"]}, "algorithm"),
        ({"jwk": {}}, "header"),
        ({"kid": DROP}, "header"),
        ({"typ": None}, "token_type"),
    ],
)
def test_header_is_checked_before_anything_else_is_read(header: dict[str, Any], expected: str) -> None:
    assert refused(MAIN.token(NOW, header=header, iss="https://nobody.example")) == expected
    assert refused(MAIN.signed(compact_json(MAIN.header(**header)), b"not JSON")) == expected


def test_two_issuers_of_one_name_are_a_misconfiguration() -> None:
    with pytest.raises(MisconfiguredHome):
        TokenVerifier([MAIN.settings(), MAIN.settings()], StaticKeys(MAIN), StoppedClock(NOW))


STRONG = TokenVerifier([MAIN.settings(step_up_acr=frozenset({"phr"}))], StaticKeys(MAIN), StoppedClock(NOW))


@pytest.mark.parametrize(
    ("claims", "until"),
    [
        ({"acr": "phr", "auth_time": SECOND - 5}, SECOND - 5 + 900),
        ({"acr": ["low", "phr"], "auth_time": SECOND - 5}, SECOND - 5 + 900),
        ({"acr": "phr", "auth_time": SECOND + 30}, SECOND + 30 + 900),  # clocks differ
        ({"acr": "low", "auth_time": SECOND - 5}, 0),
        ({"acr": "PHR", "auth_time": SECOND - 5}, 0),
        ({"acr": [], "auth_time": SECOND - 5}, 0),
        ({"auth_time": SECOND - 5}, 0),
        ({"acr": "phr"}, 0),  # nobody knows when: weak, and good for what needs no more
    ],
)
def test_a_strong_sign_in_is_one_that_says_so_and_when(claims: dict[str, Any], until: int) -> None:
    assert STRONG.verify(MAIN.token(NOW, **claims)).step_up_until == until


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"acr": "phr", "auth_time": SECOND + 32}, "issued_in_future"),  # it would stay recent for longer
        ({"acr": "phr", "auth_time": True}, "claim_type"),
        ({"acr": "phr", "auth_time": f"{SECOND}"}, "claim_type"),
        ({"acr": "phr", "auth_time": -1}, "claim_type"),
        ({"acr": "phr", "auth_time": None}, "claim_missing"),
        ({"acr": ["phr", 5], "auth_time": SECOND}, "claim_type"),
        ({"acr": {"phr": True}, "auth_time": SECOND}, "claim_type"),
    ],
)
def test_a_strong_sign_in_of_no_form_or_of_a_time_to_come_is_refused(claims: dict[str, Any], reason: str) -> None:
    assert refused(MAIN.token(NOW, **claims), STRONG) == reason
