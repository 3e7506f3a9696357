"""Tokens as Entra, Okta and Keycloak write them: good ones give their claims, wrong ones are refused."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from registry.domain.errors import MisconfiguredHome, TokenRefused
from registry.domain.principals import Role
from registry.identity.issuers import IssuerSettings
from registry.identity.tokens import TokenVerifier
from registry.settings import load_settings
from tests.fakes.hostile_tokens import hostile_cases
from tests.fakes.issuer import DROP, StaticKeys, StoppedClock, TestIssuer

NOW = datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)
SECOND = int(NOW.timestamp())
TENANT = "0b6e2d5c-5a7e-4f0e-9a53-2f0c2f1f7e11"
OTHER_TENANT = "7a0f9c53-11d1-4e64-8a0b-5d2f6a1c9e02"
PERSON = "3f1f6c7e-2e8c-4d62-9d0b-64ac5e0d1c11"
_PRIVATE = TestIssuer.rs256().private


@dataclass(frozen=True)
class Make:
    """One provider: what config.toml says of it, and what its access tokens look like."""

    name: str
    config: str
    header: dict[str, Any]
    claims: dict[str, Any]
    subject: str
    client: str

    @property
    def issuer(self) -> TestIssuer:
        return TestIssuer(_PRIVATE, issuer=self.claims["iss"], audience=self.claims["aud"])

    def token(self, header: dict[str, Any] | None = None, **changes: Any) -> str:
        mine = self.claims | {"client_id": DROP, "roles": DROP, "jti": DROP, "sub": DROP}
        mine |= {name: self.claims[name] for name in ("roles", "jti", "sub") if name in self.claims}
        return self.issuer.token(NOW, header=self.header | (header or {}), **(mine | changes))


ENTRA_2 = Make(
    "entra",
    f'preset = "entra"\nissuer = "https://login.microsoftonline.com/{TENANT}/v2.0"\n'
    'audience = "9c1f52a4-0000-4a6e-8f31-d1b6f4a1e3aa"\nstep_up_acr = ["c1"]\n',
    {"typ": "JWT"},
    {
        "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "aud": "9c1f52a4-0000-4a6e-8f31-d1b6f4a1e3aa",
        "tid": TENANT,
        "ver": "2.0",
        "oid": PERSON,
        "sub": "pairwise-1",
        "azp": "console",
        "azpacr": "1",
        "roles": ["reader"],
        "uti": "u-1",
        "acrs": ["c1", "c7"],
        "auth_time": SECOND - 5,
        "scp": "access",
        "preferred_username": "dana.oneil@city.example",
    },
    PERSON,
    "console",
)
ENTRA_1 = Make(
    "entra version 1",
    f'preset = "entra"\nissuer = "https://sts.windows.net/{TENANT}/"\naudience = "api://registry"\n'
    'step_up_acr = ["c1"]\n',
    {"typ": "JWT", "x5t": "AbCd"},
    {
        "iss": f"https://sts.windows.net/{TENANT}/",
        "aud": "api://registry",
        "tid": TENANT,
        "ver": "1.0",
        "oid": PERSON,
        "sub": "pairwise-1",
        "appid": "console",
        "appidacr": "1",
        "roles": ["reader"],
        "uti": "u-1",
        "acrs": ["c1"],
        "acr": "1",
        "auth_time": SECOND - 5,
    },
    PERSON,
    "console",
)
OKTA = Make(
    "okta",
    'preset = "okta"\nissuer = "https://city.okta.example/oauth2/aus1"\naudience = "api://registry"\n'
    'step_up_acr = ["phr"]\n',
    {"typ": DROP},
    {
        "iss": "https://city.okta.example/oauth2/aus1",
        "aud": "api://registry",
        "ver": 1,
        "jti": "AT.1",
        "cid": "console",
        "uid": "00u1",
        "sub": "dana.oneil@city.example",
        "scp": ["registry"],
        "roles": ["reader"],
        "acr": "phr",
        "auth_time": SECOND - 5,
    },
    "00u1",
    "console",
)
KEYCLOAK = Make(
    "keycloak",
    'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\naudience = "registry.api"\n'
    'step_up_acr = ["gold"]\n',
    {"typ": "JWT"},
    {
        "iss": "https://id.city.example/realms/city",
        "aud": ["registry.api", "account"],
        "typ": "Bearer",
        "azp": "console",
        "sub": PERSON,
        "jti": "k-1",
        "acr": "gold",
        "auth_time": SECOND - 5,
        "realm_access": {"roles": ["security_admin", "offline_access"]},
        "resource_access": {"registry.api": {"roles": ["reader"]}, "account": {"roles": ["auditor"]}},
    },
    PERSON,
    "console",
)
MAKES = (ENTRA_2, ENTRA_1, OKTA, KEYCLOAK)
every_make = pytest.mark.parametrize("make", MAKES, ids=lambda make: make.name)


def terms(config: str, home: Path) -> IssuerSettings:
    (home / "config.toml").write_text("[[issuers]]\n" + config)
    (one,) = load_settings(home, {}).issuers
    return one


def verifier(make: Make, home: Path) -> TokenVerifier:
    return TokenVerifier([terms(make.config, home)], StaticKeys(make.issuer), StoppedClock(NOW))


def reason(make: Make, home: Path, token: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        verifier(make, home).verify(token)
    return caught.value.reason


@every_make
def test_a_good_token_gives_who_roles_program_name_and_strength(make: Make, tmp_path: Path) -> None:
    claims = verifier(make, tmp_path).verify(make.token())
    assert (claims.subject, claims.client, claims.roles) == (make.subject, make.client, {Role.READER})
    assert claims.token_id in {"u-1", "AT.1", "k-1"}
    assert claims.step_up_until == SECOND - 5 + 900


@every_make
def test_the_keys_are_found_by_discovery(make: Make, tmp_path: Path) -> None:
    made = terms(make.config, tmp_path)
    assert made.jwks_uri is None
    assert made.discovery is not None
    assert made.discovery.endswith("/.well-known/openid-configuration")


def test_version_one_of_entra_is_asked_where_it_has_its_document(tmp_path: Path) -> None:
    found = terms(ENTRA_1.config, tmp_path).discovery
    assert found == f"https://login.microsoftonline.com/{TENANT}/.well-known/openid-configuration"


@every_make
def test_a_token_without_the_claim_of_roles_has_none(make: Make, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"roles": DROP}
    if make is KEYCLOAK:
        changes = {"resource_access": {"account": {"roles": ["auditor"]}}}
    assert verifier(make, tmp_path).verify(make.token(**changes)).roles == frozenset()


@every_make
def test_what_is_written_counts_more_than_the_preset(make: Make, tmp_path: Path) -> None:
    made = terms(make.config + 'roles_claim = ["realm_access", "roles"]\nroles_required = false\n', tmp_path)
    assert (made.roles_path, made.roles_required) == (("realm_access", "roles"), False)
    claims = TokenVerifier([made], StaticKeys(make.issuer), StoppedClock(NOW)).verify(make.token())
    assert claims.roles == ({Role.SECURITY_ADMIN} if make is KEYCLOAK else None)


# Where a make has what the table breaks under its usual name.
PLACES = {
    "entra": {"sub": "oid", "jti": "uti", "client_id": "azp"},
    "entra version 1": {"sub": "oid", "jti": "uti", "client_id": "appid"},
    "okta": {"sub": "uid", "client_id": "cid"},
    "keycloak": {"client_id": "azp"},
}


JWT = {"typ 'JWT'", "typ 'jwt'", "typ 'application/jwt'"}
# What the table holds for wrong and a make's own terms allow.
HARMLESS = {
    "entra": {*JWT, "lifetime 3,601 s", "lifetime hidden by an early iat", f"aud '{ENTRA_2.claims['aud']}'"},
    "entra version 1": {*JWT, "lifetime 3,601 s", "lifetime hidden by an early iat"},
    "okta": {*JWT, "typ 'missing'", "sub missing"},  # a program's name stands where a person's does not
    "keycloak": JWT,
}


class Shaped(TestIssuer):
    """Writes its tokens as a make does, so that each hostile one is wrong in its one way only."""

    def __init__(self, make: Make) -> None:
        audience = "registry.api" if make is KEYCLOAK else make.claims["aud"]
        super().__init__(TestIssuer.es256().private, issuer=make.claims["iss"], audience=audience)
        self._make = make

    def header(self, **changes: Any) -> dict[str, Any]:
        return super().header(**(self._make.header | changes))

    def claims(self, now: datetime, **changes: Any) -> dict[str, Any]:
        mine = dict.fromkeys(("client_id", "roles", "jti", "sub"), DROP) | self._make.claims
        placed = {PLACES[self._make.name].get(name, name): value for name, value in changes.items()}
        if "roles" in placed and self._make is KEYCLOAK:
            placed["resource_access"] = {"registry.api": {"roles": placed["roles"]}}
        return super().claims(now, **(mine | {"aud": self.audience} | placed))


@every_make
def test_the_hostile_table_holds_for_every_make(make: Make, tmp_path: Path) -> None:
    issuer = Shaped(make)
    made = terms(make.config + 'algorithms = ["ES256"]\n', tmp_path)
    tokens = TokenVerifier([made], StaticKeys(issuer), StoppedClock(NOW))
    assert tokens.verify(issuer.token(NOW)).subject == make.subject
    passed, cases = set(), hostile_cases(issuer, NOW)
    for case in cases:
        with contextlib.suppress(TokenRefused):
            tokens.verify(case.token)
            passed.add(case.name)
    assert len(cases) > 250
    assert passed == HARMLESS[make.name]


@every_make
@pytest.mark.parametrize(
    ("header", "changes", "expected"),
    [
        ({}, {"aud": "another"}, "audience"),
        ({}, {"iss": "https://nobody.example"}, "issuer"),
        ({}, {"exp": SECOND - 31, "iat": SECOND - 600}, "expired"),
        ({}, {"exp": SECOND + 7000}, "lifetime"),
        ({}, {"at_hash": "x"}, "token_type"),
        ({}, {"c_hash": "x"}, "token_type"),
        ({}, {"events": {}}, "token_type"),
        ({"typ": "logout+jwt"}, {}, "token_type"),
        ({"typ": "id+jwt"}, {}, "token_type"),
        ({"typ": ""}, {}, "token_type"),
        ({"typ": "application/"}, {}, "token_type"),
        ({"typ": None}, {}, "token_type"),
        ({"alg": "HS256"}, {}, "algorithm"),
        ({"alg": "ES256"}, {}, "algorithm"),
        ({"alg": "none"}, {}, "algorithm"),
        ({"kid": "key-2"}, {}, "unknown_key"),
        ({"jku": "https://sign-in.example/jwks"}, {}, "header"),
        ({}, {"act": {"sub": "x"}}, "delegated"),
        ({}, {"cnf": {"jkt": "x" * 43}}, "sender_bound"),
        ({}, {"cnf": {"x5t#S256": "x" * 43}}, "sender_bound"),
        ({}, {"acr": 5, "acrs": 5}, "claim_type"),
        ({}, {"acr": [5], "acrs": [5]}, "claim_type"),
        ({}, {"roles": "reader", "resource_access": {"registry.api": {"roles": "reader"}}}, "roles"),
        ({}, {"roles": {}, "resource_access": {"registry.api": []}}, "roles"),
        ({}, {"roles": [["reader"]], "resource_access": "registry.api"}, "roles"),
        ({}, {"azp": DROP, "appid": DROP, "cid": DROP}, "claim_missing"),
        ({}, {"azp": "a\nb", "appid": "a\nb", "cid": "a\nb"}, "claim_type"),
    ],
)
def test_a_wrong_token_is_refused_for_its_reason(
    make: Make, header: dict[str, Any], changes: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    assert reason(make, tmp_path, make.token(header, **changes)) == expected


@pytest.mark.parametrize(
    ("make", "changes", "expected"),
    [
        (ENTRA_2, {"tid": OTHER_TENANT}, "claim_value"),
        (ENTRA_2, {"tid": DROP}, "claim_missing"),
        (ENTRA_2, {"tid": [TENANT]}, "claim_type"),
        (ENTRA_2, {"ver": "1.0"}, "claim_value"),
        (ENTRA_2, {"oid": DROP}, "claim_missing"),
        (ENTRA_2, {"oid": None}, "claim_missing"),
        (ENTRA_2, {"oid": "a\u202eb"}, "subject"),
        (ENTRA_2, {"iss": f"https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"}, "issuer"),
        (ENTRA_2, {"iss": f"https://sts.windows.net/{TENANT}/"}, "issuer"),
        (ENTRA_1, {"ver": "2.0"}, "claim_value"),
        (ENTRA_1, {"iss": f"https://sts.windows.net/{TENANT}"}, "issuer"),
        (OKTA, {"uid": None}, "claim_missing"),
        (OKTA, {"uid": 7}, "claim_type"),
        (OKTA, {"iss": "https://city.okta.example/oauth2/aus1/"}, "issuer"),
        (KEYCLOAK, {"typ": "ID"}, "claim_value"),
        (KEYCLOAK, {"typ": "Refresh"}, "claim_value"),
        (KEYCLOAK, {"typ": DROP}, "claim_missing"),
    ],
)
def test_what_only_one_make_has_is_checked(make: Make, changes: dict[str, Any], expected: str, tmp_path: Path) -> None:
    assert reason(make, tmp_path, make.token(**changes)) == expected


SOURCES = {"src1": {"endpoint": "https://graph.example/v1.0/me/getMemberObjects"}}


@every_make
@pytest.mark.parametrize(
    "changes",
    [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": SOURCES},
        {"_claim_names": {"groups": "src1"}, "_claim_sources": SOURCES, "groups": ["reader"]},
        {"_claim_names": ["groups"]},
        {"_claim_names": None},
        {"hasgroups": True},
        {"hasgroups": "true"},
    ],
)
def test_roles_that_are_said_to_be_elsewhere_are_not_taken_for_none(
    make: Make, changes: dict[str, Any], tmp_path: Path
) -> None:
    """Too many groups for a token: without ``roles_required`` it would have every role of its principal."""
    made = terms(make.config + 'roles_claim = "groups"\nroles_required = false\n', tmp_path)
    tokens = TokenVerifier([made], StaticKeys(make.issuer), StoppedClock(NOW))
    assert tokens.verify(make.token(groups=["reader"], hasgroups=False)).roles == {Role.READER}
    with pytest.raises(TokenRefused, match="roles"):
        tokens.verify(make.token(**changes))


@every_make
def test_only_named_programs_where_the_settings_name_them(make: Make, tmp_path: Path) -> None:
    (name,) = terms(make.config, tmp_path).client_claims
    pinned = 'typ = ["Bearer"], ' if make is KEYCLOAK else ""
    made = terms(make.config + f"fixed_claims = {{ {pinned}{name} = ['console'] }}\n", tmp_path)
    tokens = TokenVerifier([made], StaticKeys(make.issuer), StoppedClock(NOW))
    assert tokens.verify(make.token()).client == "console"
    for other in ("another", "console ", "Console"):
        with pytest.raises(TokenRefused, match="claim_"):
            tokens.verify(make.token(**{name: other}))


@every_make
@pytest.mark.parametrize(
    "key_id",
    ["../key-1", "key-1/../key-1", "/etc/passwd", "file:///dev/null", "key-1\x00", "' OR 1=1 --", "KEY-1", " key-1"],
)
def test_a_key_is_found_by_its_exact_name_only(make: Make, key_id: str, tmp_path: Path) -> None:
    assert reason(make, tmp_path, make.token({"kid": key_id})) == "unknown_key"


def test_a_program_of_okta_is_known_by_its_own_name(tmp_path: Path) -> None:
    claims = verifier(OKTA, tmp_path).verify(OKTA.token(uid=DROP, sub="0oa1", cid="0oa1", acr=DROP, auth_time=DROP))
    assert (claims.subject, claims.client, claims.step_up_until) == ("0oa1", "0oa1", 0)


def test_one_key_name_at_two_issuers_is_two_keys(tmp_path: Path) -> None:
    """Both providers call their key key-1; neither's opens what the other's name stands on."""
    entra, okta = ENTRA_2, OKTA
    strange = TestIssuer(TestIssuer.rs256().private, issuer=okta.claims["iss"], audience=okta.claims["aud"])
    made = [terms(entra.config, tmp_path), terms(okta.config, tmp_path)]
    tokens = TokenVerifier(made, StaticKeys(entra.issuer, strange), StoppedClock(NOW))
    assert tokens.verify(entra.token()).subject == PERSON
    with pytest.raises(TokenRefused, match="signature"):
        tokens.verify(okta.token())  # signed with the key of the same name at the other issuer


@pytest.mark.parametrize(
    "config",
    [
        'preset = "auth0"\nissuer = "https://x.example"\naudience = "a"\n',
        'preset = 5\nissuer = "https://x.example"\naudience = "a"\n',
        'preset = "entra"\nissuer = "https://login.microsoftonline.com/common/v2.0"\naudience = "a"\n',
        'preset = "entra"\nissuer = "https://login.microsoftonline.com/organizations/v2.0"\naudience = "a"\n',
        'preset = "entra"\nissuer = "https://login.microsoftonline.com/city.example/v2.0"\naudience = "a"\n',
        f'preset = "entra"\nissuer = "https://login.microsoftonline.com.evil.example/{TENANT}/v2.0"\naudience = "a"\n',
        f'preset = "entra"\nissuer = "https://login.microsoftonline.com/{TENANT}/v2.0/"\naudience = "a"\n',
        f'preset = "entra"\nissuer = "https://login.microsoftonline.com/{TENANT}/v2.0"\n',
        'preset = "okta"\nissuer = "https://city.okta.example"\naudience = "a"\n',
        'preset = "okta"\nissuer = "https://city.okta.example/oauth2/aus1"\n',
        'preset = "keycloak"\nissuer = "http://id.city.example/realms/city"\n',
        'preset = "keycloak"\nissuer = 5\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\nnetworks = ["10.0.0.1/8"]\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\nnetworks = "10.0.0.0/8"\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\nroles_claim = []\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\nroles_claim = [""]\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\nsubject_claims = []\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\nsubject_claims = "sub"\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\ntoken_id_claim = 5\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\nroles_required = 1\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\nfixed_claims = ["typ"]\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\nfixed_claims = { typ = "ID" }\n',
        'preset = "keycloak"\nissuer = "https://id.city.example/realms/city"\njwks_origins = ["http://x.example"]\n',
        'preset = "keycloak"\nissuer = "https://x.example"\njwks_uri = "https://x.example"\njwks_origins = ["https://x.example"]\n',
        'issuer = "https://x.example"\nalgorithms = ["ES256"]\n',
        'issuer = "https://x.example"\nalgorithms = "ES256"\njwks_uri = "https://x.example/k"\n',
    ],
)
def test_unfit_terms_are_refused_when_they_are_read(config: str, tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredHome):
        terms(config, tmp_path)


def test_other_tokens_are_told_apart_by_header_alone_where_it_tells() -> None:
    """With at+jwt alone nothing in the payload is guessed at."""
    issuer = TestIssuer.es256()
    tokens = TokenVerifier([issuer.settings()], StaticKeys(issuer), StoppedClock(NOW))
    assert tokens.verify(issuer.token(NOW, at_hash="x")).subject == "casey.morgan"
