"""Signing in at an issuer's page: what the issuer says of itself, what comes back, and when it is too late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from registry.domain.errors import KeyUnavailable, MisconfiguredHome, TokenRefused
from registry.identity import sign_in
from registry.identity.issuers import Networks
from registry.identity.sign_in import Question, SignIn
from registry.identity.sign_in_settings import SignInSettings, read_sign_in
from tests.fakes.hostile_tokens import hmac_with
from tests.fakes.issuer import DROP, StaticKeys, StoppedClock, TestIssuer, b64url, compact_json

NOW = datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)
SECOND = int(NOW.timestamp())
ISSUER = TestIssuer.es256()
OTHER = TestIssuer.es256(issuer="https://other.example")
HOME = "https://sign-in.example"
DOCUMENT = {
    "issuer": ISSUER.issuer,
    "jwks_uri": f"{HOME}/jwks",
    "authorization_endpoint": f"{HOME}/auth",
    "token_endpoint": f"{HOME}/token",
}
ACCESS = ISSUER.token(NOW)
AT_HASH = b64url(sha256(ACCESS.encode()).digest()[:16])
TERMS = ISSUER.settings(
    jwks_uri=None, discovery=f"{HOME}/.well-known/openid-configuration", step_up_acr=frozenset({"b", "a"})
)
SETTINGS = SignInSettings(TERMS, "console", "https://registry.example/", scope="openid x", resource="urn:registry")


class Web:
    """The issuer, as far as it is asked."""

    def __init__(self) -> None:
        self.document: Mapping[str, Any] = DOCUMENT
        self.answer: tuple[int, bytes] = (200, b"{}")
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.is_away = False

    def __call__(self, url: str, networks: Networks = ()) -> bytes:
        self.asked.append((url, {}))
        if self.is_away:
            raise KeyUnavailable("away")
        return compact_json(dict(self.document))

    def post_form(self, url: str, form: Mapping[str, str], networks: Networks = ()) -> tuple[int, bytes]:
        self.asked.append((url, form))
        return self.answer


class Desk:
    """A console before an issuer."""

    def __init__(self, secret: Callable[[], str] | None = None) -> None:
        self.web, self.clock = Web(), StoppedClock(NOW)
        self.keys = StaticKeys(ISSUER)
        self.sign_in = SignIn(SETTINGS, self.keys, self.web, self.clock, secret)

    def finish(self, question: Question, id_token: str | None = None, **answer: str) -> str:
        """Return the access token, or why there is none."""
        asked = asked_of(question)
        token = ISSUER.signed(*parts(asked["nonce"])) if id_token is None else id_token
        if self.web.answer == (200, b"{}"):
            self.web.answer = (200, compact_json({"access_token": ACCESS, "id_token": token}))
        given = {"code": "c-1", "state": asked["state"]} | answer
        try:
            return self.sign_in.finish(question.ticket, given).token
        except TokenRefused as refused:
            return refused.reason


def asked_of(question: Question) -> dict[str, str]:
    return {name: texts[0] for name, texts in parse_qs(urlsplit(question.url).query).items()}


def parts(nonce: str, /, header: Mapping[str, Any] | None = None, **changes: Any) -> tuple[bytes, bytes]:
    """Return header and payload of an ID token."""
    drop = dict.fromkeys(("roles", "client_id", "jti"), DROP)
    claims = ISSUER.claims(NOW, **(drop | {"aud": "console", "nonce": nonce, "at_hash": AT_HASH} | changes))
    return compact_json(ISSUER.header(**({"typ": "JWT"} | dict(header or {})))), compact_json(claims)


def test_a_right_answer_gives_the_access_token_and_asks_with_the_verifier() -> None:
    desk = Desk(lambda: "made-up secret")
    question = desk.sign_in.begin(note="n0te-_")
    assert desk.finish(question) == ACCESS
    where, form = desk.web.asked[-1]
    assert where == f"{HOME}/token"
    digest = b64url(sha256(form["code_verifier"].encode()).digest())
    assert digest == asked_of(question)["code_challenge"]
    assert form["redirect_uri"] == "https://registry.example/console/sign-in/back" == asked_of(question)["redirect_uri"]
    assert form["client_secret"] == "made-up secret"
    assert form["resource"] == "urn:registry"
    assert form["code_verifier"] not in question.url
    assert desk.sign_in.finish(question.ticket, {"code": "c", "state": asked_of(question)["state"]}).note == "n0te-_"


@pytest.mark.parametrize(
    ("header", "changes", "reason"),
    [
        ({}, {"nonce": "another"}, "nonce"),
        ({}, {"nonce": DROP}, "nonce"),
        ({}, {"nonce": 5}, "nonce"),
        ({}, {"aud": "another"}, "audience"),
        ({}, {"aud": ["console", "another"]}, "audience"),
        ({}, {"aud": DROP}, "audience"),
        ({}, {"azp": "another"}, "audience"),
        ({}, {"iss": OTHER.issuer}, "issuer"),
        ({}, {"iss": f"{ISSUER.issuer}/"}, "issuer"),
        ({}, {"at_hash": "x"}, "access_token"),
        ({}, {"sub": "somebody.else"}, "access_token"),
        ({}, {"sub": "casey.morgan "}, "access_token"),
        ({}, {"sub": DROP}, "claim_missing"),
        ({}, {"sub": 5}, "claim_missing"),
        ({}, {"sub": ["casey.morgan"]}, "claim_missing"),
        ({}, {"exp": SECOND - 30}, "expired"),
        ({}, {"exp": DROP}, "claim_missing"),
        ({}, {"exp": True}, "claim_type"),
        ({}, {"iat": SECOND + 31}, "issued_in_future"),
        ({"typ": "at+jwt"}, {}, "token_type"),
        ({"typ": "logout+jwt"}, {}, "token_type"),
        ({"alg": "none"}, {}, "algorithm"),
        ({"alg": "HS256"}, {}, "algorithm"),
        ({"alg": "RS256"}, {}, "algorithm"),
        ({"kid": "another"}, {}, "unknown_key"),
        ({"jku": "https://evil.example/k"}, {}, "header"),
        ({"jwk": OTHER.public_jwk()}, {}, "header"),
    ],
)
def test_an_id_token_of_something_else_is_refused(header: dict[str, Any], changes: dict[str, Any], reason: str) -> None:
    desk = Desk()
    question = desk.sign_in.begin()
    token = ISSUER.signed(*parts(asked_of(question)["nonce"], header, **changes))
    assert desk.finish(question, token) == reason


@pytest.mark.parametrize("at_hash", [DROP, "of the other one"])
def test_an_access_token_of_somebody_else_is_not_taken(at_hash: Any) -> None:
    """What comes beside a right ID token is right in itself, and of another person: ``at_hash`` may be missing."""
    desk = Desk()
    question = desk.sign_in.begin()
    other = ISSUER.token(NOW, sub="somebody.else")
    if at_hash is not DROP:
        at_hash = b64url(sha256(other.encode()).digest()[:16])
    token = ISSUER.signed(*parts(asked_of(question)["nonce"], at_hash=at_hash))
    desk.web.answer = (200, compact_json({"access_token": other, "id_token": token}))
    assert desk.finish(question) == "access_token"


@pytest.mark.parametrize(
    ("names", "access", "identity", "is_taken"),
    [
        # Entra: each program has a ``sub`` of its own for one person, and ``oid`` is the person.
        (("oid",), {"oid": "o-1", "sub": "s-of-the-registry"}, {"oid": "o-1", "sub": "s-of-the-console"}, True),
        (("oid",), {"oid": "o-1", "sub": "s"}, {"oid": "o-2", "sub": "s"}, False),
        (("oid",), {"oid": "o-1", "sub": "s"}, {"sub": "s"}, False),
        # Okta: ``uid`` of an access token is ``sub`` of an ID token.
        (("uid", "sub"), {"uid": "u-1", "sub": "casey@city.example"}, {"sub": "u-1"}, True),
        (("uid", "sub"), {"uid": "u-1", "sub": "casey@city.example"}, {"sub": "u-2"}, False),
        (("uid", "sub"), {"uid": "u-1", "sub": "u-2"}, {"sub": "u-2"}, False),
        (("uid", "sub"), {"sub": "a-program"}, {"sub": "a-program"}, True),
    ],
)
def test_the_person_is_known_by_the_issuers_own_claim(
    names: tuple[str, ...], access: dict[str, Any], identity: dict[str, Any], *, is_taken: bool
) -> None:
    desk = Desk()
    terms = replace(SETTINGS, issuer=replace(TERMS, subject_claims=names))
    desk.sign_in = SignIn(terms, desk.keys, desk.web, desk.clock)
    question = desk.sign_in.begin()
    theirs = ISSUER.token(NOW, **access)
    told = ISSUER.signed(*parts(asked_of(question)["nonce"], **({"at_hash": DROP} | identity)))
    desk.web.answer = (200, compact_json({"access_token": theirs, "id_token": told}))
    assert desk.finish(question) == (theirs if is_taken else "access_token")


def test_another_key_opens_nothing() -> None:
    desk = Desk()
    question = desk.sign_in.begin()
    made = parts(asked_of(question)["nonce"])
    assert desk.finish(question, OTHER.signed(*made)) == "signature"
    desk.web.answer = (200, b"{}")
    assert desk.finish(question, ISSUER.signed(*made, hmac_with(ISSUER.key_set()))) == "signature"
    desk.web.answer = (200, b"{}")
    assert desk.finish(question, ISSUER.signed(*made, lambda _: b"")) == "signature"


def test_a_strong_one_has_to_be_new() -> None:
    desk = Desk()
    question = desk.sign_in.begin(strong=True)
    asked = asked_of(question)
    assert (asked["acr_values"], asked["max_age"]) == ("a b", "0")
    for auth_time, reason in ((SECOND - 31, "sign_in_old"), (DROP, "claim_missing"), (SECOND, ACCESS)):
        desk.web.answer = (200, b"{}")
        token = ISSUER.signed(*parts(asked["nonce"], auth_time=auth_time))
        assert desk.finish(question, token) == reason
    # One that was asked for as plain does not become a strong one, nor the other way round, in the browser's hands.
    made_plain = Question(question.url, question.ticket.replace(".strong.", ".plain."))
    assert desk.finish(made_plain) == "sign_in_state"


@pytest.mark.parametrize("seconds", [-1, 600])
def test_too_late_and_too_early_is_no_answer(seconds: int) -> None:
    desk = Desk()
    question = desk.sign_in.begin()
    desk.clock.moment = NOW + timedelta(seconds=seconds)
    assert desk.finish(question) == "sign_in_state"


@pytest.mark.parametrize(
    "ticket", ["", ".", "..", "a.b.c", "x" * 43 + ".1.plain.", "x" * 43 + f".{SECOND}.plain.", "\ud800"]
)
def test_a_made_up_ticket_is_none(ticket: str) -> None:
    desk = Desk()
    question = desk.sign_in.begin()
    assert desk.finish(Question(question.url, ticket)) == "sign_in_state"


def test_another_process_knows_nothing_of_it() -> None:
    question = Desk().sign_in.begin()
    assert Desk().finish(question) == "sign_in_state"


@pytest.mark.parametrize(
    "answer",
    [
        (400, b'{"error":"invalid_grant"}'),
        (302, b"{}"),
        (200, b'{"access_token":"x"}'),
        (200, b'{"access_token":5,"id_token":"x"}'),
    ],
)
def test_no_tokens_is_a_refusal(answer: tuple[int, bytes]) -> None:
    desk = Desk()
    desk.web.answer = answer
    if answer[1] == b"{}":
        desk.web.answer = (answer[0], b'{"access_token":"x","id_token":"y"}')
    assert desk.finish(desk.sign_in.begin()) == "sign_in_refused"


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"access_token":"x","access_token":"y"}'])
def test_an_answer_of_no_form_is_an_outage(body: bytes) -> None:
    desk = Desk()
    desk.web.answer = (200, body)
    with pytest.raises(KeyUnavailable):
        desk.finish(desk.sign_in.begin())


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://sign-in.example/auth"},
        {"authorization_endpoint": "https://sign-in.example/auth\r\nSet-Cookie: a=b"},
        {"authorization_endpoint": "https://user:secret@sign-in.example/auth"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": 5},
    ],
)
def test_an_issuer_whose_page_is_no_safe_address_is_not_gone_to(changes: dict[str, Any]) -> None:
    desk = Desk()
    desk.web.document = {**DOCUMENT, **changes}
    with pytest.raises(KeyUnavailable):
        desk.sign_in.begin()


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/token",
        "http://169.254.169.254/latest",
        "https://sign-in.example:444/token",
        "file:///etc/passwd",
        5,
    ],
)
def test_a_code_is_sent_to_the_issuers_own_origin_only(address: Any) -> None:
    desk = Desk()
    desk.web.document = {**DOCUMENT, "token_endpoint": address}
    question = desk.sign_in.begin()
    with pytest.raises(KeyUnavailable):
        desk.finish(question)
    assert all(not form for _, form in desk.web.asked)


def test_an_outage_is_sat_out_and_a_flood_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    desk.web.is_away = True
    for _ in range(20):
        with pytest.raises(KeyUnavailable):
            desk.sign_in.begin()
    assert len(desk.web.asked) == 1
    desk.web.is_away = False
    monkeypatch.setattr(sign_in, "RETRY_SECONDS", 0)
    desk.sign_in.begin()
    monkeypatch.setattr(sign_in, "FRESH_SECONDS", 0)
    desk.web.is_away = True
    assert desk.sign_in.begin().url.startswith(f"{HOME}/auth?")


@pytest.mark.parametrize(
    "given",
    [
        [],
        {"issuer": ISSUER.issuer},
        {"issuer": "https://nobody.example", "client_id": "console"},
        {"issuer": ISSUER.issuer, "client_id": "console", "scope": "registry"},
        {"issuer": ISSUER.issuer, "client_id": "console", "colour": "red"},
        {"issuer": ISSUER.issuer, "client_id": 5},
        {"issuer": OTHER.issuer, "client_id": "console"},  # whose page nobody says the place of
    ],
)
def test_unfit_settings_are_refused(given: Any, tmp_path: Path) -> None:
    issuers = [TERMS, OTHER.settings()]
    with pytest.raises(MisconfiguredHome, match="sign_in"):
        read_sign_in(given, issuers, "https://registry.example", tmp_path)
    with pytest.raises(MisconfiguredHome, match="public_url"):
        read_sign_in({"issuer": ISSUER.issuer, "client_id": "console"}, issuers, "", tmp_path)


def test_settings_are_read_and_none_is_none(tmp_path: Path) -> None:
    given = {"issuer": ISSUER.issuer, "client_id": "console", "client_secret_file": "secret"}
    made = read_sign_in(given, [TERMS], "https://registry.example", tmp_path)
    assert made is not None
    assert (made.client_secret_file, made.scope) == (tmp_path / "secret", "openid")
    assert read_sign_in(None, [TERMS], "", tmp_path) is None


def test_an_answer_that_names_another_issuer_is_none() -> None:
    """RFC 9207: where two issuers' pages lead back to one address, whose answer it is has to be said."""
    for is_announced in (False, True):
        for named, expected in (("https://other.example", "issuer"), (ISSUER.issuer, ACCESS)):
            desk = Desk()
            desk.web.document = {**DOCUMENT, "authorization_response_iss_parameter_supported": is_announced}
            assert desk.finish(desk.sign_in.begin(), iss=named) == expected
    assert desk.finish(desk.sign_in.begin()) == "issuer"  # one that says that it names itself does
