"""Bound tokens (RFC 9449): every proof but the right one, for this request, now and once, is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from registry.domain.errors import AuditUnavailable, Busy, MisconfiguredHome, TokenRefused
from registry.identity.possession import Possession, Terms
from registry.identity.proofs import LEEWAY_SECONDS, NONCE_SECONDS, WINDOW_SECONDS, Nonces, UsedProofs
from registry.identity.shown import Shown
from registry.identity.token_cache import VerifiedTokens
from registry.identity.tokens import TokenVerifier
from tests.fakes.holder import Holder
from tests.fakes.issuer import DROP, StaticKeys, StoppedClock, TestIssuer, b64url, compact_json

NOW = datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)
URL = "https://registry.example"
PATH = "/v1/disclosures"
ASKED = ("POST", URL + PATH)
ISSUER = TestIssuer.es256()
HOLDER, ANOTHER, RSA = Holder(), Holder(), Holder(TestIssuer.rs256())
TOKEN = ISSUER.token(NOW, cnf=HOLDER.bound)


class Seconds:
    """A clock without a date."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Once:
    """What all processes remember, here: one."""

    def __init__(self) -> None:
        self.used: dict[tuple[str, str], float] = {}
        self.holders: list[str] = []
        self.failure: Exception | None = None

    def use(self, sort: str, name: str, until: float, holder: str) -> bool:
        if self.failure is not None:
            raise self.failure
        self.holders.append(holder)
        return self.used.setdefault((sort, name), until) is until


class Desk:
    """What stands before the routes, with clocks that are moved by hand."""

    def __init__(self, **terms: Any) -> None:
        self.clock, self.seconds = StoppedClock(NOW), Seconds()
        settings = ISSUER.settings(**({"dpop": "allowed"} | terms))
        verifier = TokenVerifier([settings], StaticKeys(ISSUER), self.clock)
        self.tokens = VerifiedTokens(verifier, self.clock)
        self.once = Once()
        self.possession = Possession(self.tokens, Terms([settings], URL), self.clock, self.once, self.seconds)

    def step(self, seconds: float) -> None:
        self.clock.moment += timedelta(seconds=seconds)
        self.seconds.now += seconds

    def ask(self, proofs: Iterable[str] = (), *, token: str = TOKEN, scheme: str = "DPoP", path: str = PATH) -> str:
        """Return who asks, or why they are refused."""
        try:
            shown = Shown([f"{scheme} {token}"], list(proofs), "POST", path)
            return self.possession.verify(shown).subject
        except TokenRefused as refused:
            return refused.reason


def proof(holder: Holder = HOLDER, request: tuple[str, str] = ASKED, token: str = TOKEN, **changes: Any) -> str:
    return holder.proof(NOW, request, token, **changes)


def test_whoever_holds_the_key_is_who_the_token_says() -> None:
    desk = Desk()
    assert desk.ask([proof()]) == "casey.morgan"
    bound = ISSUER.token(NOW, cnf=RSA.bound)
    assert desk.ask([proof(RSA, token=bound)], token=bound) == "casey.morgan"


@pytest.mark.parametrize(
    "url",
    ["HTTPS://Registry.EXAMPLE/v1/disclosures", f"{URL}:443{PATH}", f"{URL}{PATH}?a=b#c", f"{URL}/v1/%64isclosures"],
)
def test_an_address_may_be_written_in_another_way(url: str) -> None:
    assert Desk().ask([proof(request=("POST", url))]) == "casey.morgan"


def header(**changes: Any) -> Callable[[], str]:
    return lambda: proof(header=changes)


def claim(**changes: Any) -> Callable[[], str]:
    return lambda: proof(**changes)


def symmetric() -> str:
    """Return a proof that shows a symmetric key."""
    return proof(header={"alg": "HS256", "jwk": {"kty": "oct", "k": b64url(b"k" * 32)}})


def cut() -> str:
    whole = proof()
    return whole[:-4] + ("AAAA" if whole[-4:] != "AAAA" else "BBBB")


def another_payload() -> str:
    head, _, signature = proof().split(".")
    return f"{head}.{b64url(compact_json(HOLDER.claims(NOW, ASKED, TOKEN)))}.{signature}"


PRIVATE = HOLDER.jwk | {"d": b64url(b"\x01" * 32)}
HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "no type": (header(typ=DROP), "proof_form"),
    "a token's type": (header(typ="at+jwt"), "proof_form"),
    "type in other case": (header(typ="DPOP+JWT"), "proof_form"),
    "no key": (header(jwk=DROP), "proof_form"),
    "a key id": (header(kid="key-1"), "proof_form"),
    "critical": (header(crit=["b64"], b64=False), "proof_form"),
    "a private key": (header(jwk=PRIVATE), "proof_form"),
    "a symmetric key": (symmetric, "proof_form"),
    "none": (header(alg="none"), "proof_form"),
    "another algorithm": (header(alg="RS256"), "proof_form"),
    "a key off its curve": (header(jwk=HOLDER.jwk | {"x": HOLDER.jwk["y"]}), "proof_form"),
    "another key's halves": (header(jwk=HOLDER.jwk | {"crv": "P-384"}), "proof_form"),
    "somebody else's key": (lambda: proof(ANOTHER), "proof_key"),
    "the key shown, another signs": (lambda: proof(ANOTHER, header={"jwk": HOLDER.jwk}), "proof_signature"),
    "changed signature": (cut, "proof_signature"),
    "changed payload": (another_payload, "proof_signature"),
    "another method": (lambda: proof(request=("GET", ASKED[1])), "proof_target"),
    "method in small letters": (lambda: proof(request=("post", ASKED[1])), "proof_target"),
    "another path": (lambda: proof(request=("POST", URL + "/v1/subjects")), "proof_target"),
    "a longer path": (lambda: proof(request=("POST", URL + PATH + "/")), "proof_target"),
    "another host": (lambda: proof(request=("POST", "https://registry.example.evil" + PATH)), "proof_target"),
    "a host before it": (
        lambda: proof(request=("POST", "https://registry.example@evil.example" + PATH)),
        "proof_target",
    ),
    "a name before it": (lambda: proof(request=("POST", "https://x@registry.example" + PATH)), "proof_target"),
    "plain http": (lambda: proof(request=("POST", "http://registry.example" + PATH)), "proof_target"),
    "another port": (lambda: proof(request=("POST", "https://registry.example:444" + PATH)), "proof_target"),
    "no address": (lambda: proof(request=("POST", "https://[")), "proof_target"),
    "another token": (claim(ath=b64url(b"\x00" * 32)), "proof_token"),
    "no token": (claim(ath=DROP), "proof_form"),
    "no name": (claim(jti=DROP), "proof_form"),
    "an empty name": (claim(jti=""), "proof_form"),
    "a name with a line end": (claim(jti="a\nb"), "proof_form"),
    "a number as name": (claim(jti=7), "proof_form"),
    "no time": (claim(iat=DROP), "proof_form"),
    "a time as text": (claim(iat="now"), "proof_form"),
    "a truth value as time": (claim(iat=True), "proof_form"),
    "too old": (claim(iat=int(NOW.timestamp()) - WINDOW_SECONDS - LEEWAY_SECONDS - 1), "proof_time"),
    "too young": (claim(iat=int(NOW.timestamp()) + LEEWAY_SECONDS + 1), "proof_time"),
    "no token68": (lambda: "a.b", "proof_form"),
    "two in one": (lambda: f"{proof()}, {proof()}", "proof_form"),
    "padded": (lambda: proof() + "=", "proof_form"),
    "very long": (claim(extra="x" * 5_000), "proof_form"),
    "empty": (lambda: "", "proof_form"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_proof_is_refused(name: str) -> None:
    make, reason = HOSTILE[name]
    assert Desk().ask([make()]) == reason


def test_a_proof_is_used_once() -> None:
    desk, once = Desk(), proof()
    assert [desk.ask([once]), desk.ask([once])] == ["casey.morgan", "proof_replay"]
    desk.step(WINDOW_SECONDS + LEEWAY_SECONDS)
    assert desk.ask([once]) == "proof_replay"
    desk.step(1)
    assert desk.ask([once]) == "proof_time"  # long before it is forgotten
    assert desk.ask([desk_proof(desk)]) == "casey.morgan"


def desk_proof(desk: Desk, **changes: Any) -> str:
    return HOLDER.proof(desk.clock.moment, ASKED, TOKEN, **changes)


def test_two_keys_may_give_their_proofs_one_name() -> None:
    desk = Desk()
    theirs = ISSUER.token(NOW, cnf=ANOTHER.bound)
    assert desk.ask([proof(jti="one")]) == "casey.morgan"
    assert desk.ask([proof(ANOTHER, token=theirs, jti="one")], token=theirs) == "casey.morgan"


def test_no_proof_or_several_are_refused() -> None:
    assert [Desk().ask(), Desk().ask([proof(), proof()])] == ["proof_missing", "proof_form"]


def test_a_bound_token_is_no_plain_one() -> None:
    desk = Desk()
    assert desk.ask([proof()]) == "casey.morgan"
    # With the right proof beside it, and after it was verified and is remembered.
    assert desk.ask([proof()], scheme="Bearer") == "sender_bound"
    assert desk.ask(scheme="Bearer") == "sender_bound"
    assert desk.tokens.recall(TOKEN) is None
    with pytest.raises(TokenRefused, match="sender_bound"):
        desk.tokens.verify(TOKEN)


def test_a_plain_token_is_no_bound_one() -> None:
    plain = ISSUER.token(NOW)
    assert Desk().ask(token=plain, scheme="Bearer") == "casey.morgan"
    assert Desk().ask([proof(token=plain)], token=plain) == "unbound"
    assert Desk(dpop="required").ask(token=plain, scheme="Bearer") == "unbound"


@pytest.mark.parametrize(
    ("bound", "reason"),
    [
        ({}, "sender_bound"),
        ({"x5t#S256": "x" * 43}, "sender_bound"),
        (HOLDER.bound | {"x5t#S256": "x" * 43}, "sender_bound"),
        (None, "sender_bound"),
        ("jkt", "sender_bound"),
        ({"jkt": ""}, "claim_type"),
        ({"jkt": 7}, "claim_type"),
        ({"jkt": HOLDER.thumbprint + "A"}, "claim_type"),
    ],
)
def test_what_a_token_is_bound_by_is_read_strictly(bound: Any, reason: str) -> None:
    token = ISSUER.token(NOW, cnf=bound)
    assert Desk().ask([proof(token=token)], token=token) == reason


def test_an_issuer_without_it_gets_none_of_it() -> None:
    settings = ISSUER.settings()
    clock = StoppedClock(NOW)
    tokens = VerifiedTokens(TokenVerifier([settings], StaticKeys(ISSUER), clock), clock)
    shown = Shown([f"DPoP {TOKEN}"], [proof()], "POST", PATH)
    with pytest.raises(TokenRefused, match="sender_bound"):
        Possession(tokens, Terms([settings], ""), clock, Once()).verify(shown)


def test_proofs_need_an_address_to_be_compared_with() -> None:
    settings, clock = ISSUER.settings(dpop="required"), StoppedClock(NOW)
    tokens = VerifiedTokens(TokenVerifier([settings], StaticKeys(ISSUER), clock), clock)
    with pytest.raises(MisconfiguredHome, match="public_url"):
        Possession(tokens, Terms([settings], ""), clock, Once())


@pytest.mark.parametrize("terms", [{"dpop": "on"}, {"dpop": ""}, {"dpop_nonce": 1}])
def test_settings_that_mean_nothing_are_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(MisconfiguredHome, match="dpop"):
        ISSUER.settings(**terms)


def test_a_number_that_was_given_out_is_asked_for_and_grows_old() -> None:
    desk = Desk(dpop_nonce=True)
    with pytest.raises(TokenRefused) as refused:
        desk.possession.verify(Shown([f"DPoP {TOKEN}"], [proof()], "POST", PATH))
    assert (refused.value.reason, refused.value.is_of_proof) == ("proof_nonce", True)
    given = refused.value.nonce
    assert given
    assert desk.ask([desk_proof(desk, nonce=given)]) == "casey.morgan"
    assert desk.ask([desk_proof(desk, nonce=given[:-1])]) == "proof_nonce"
    assert desk.ask([desk_proof(desk, nonce=None)]) == "proof_nonce"
    desk.step(NONCE_SECONDS)
    assert desk.ask([desk_proof(desk, nonce=given)]) == "casey.morgan"
    desk.step(NONCE_SECONDS)
    assert desk.ask([desk_proof(desk, nonce=given)]) == "proof_nonce"


def test_numbers_long_unused_are_all_new() -> None:
    seconds, drawn = Seconds(), iter("abcdefgh")
    nonces = Nonces(seconds, lambda: next(drawn))
    nonces.demand("a")
    nonces.demand("b")
    seconds.now = 5 * NONCE_SECONDS
    for old in "ab":
        with pytest.raises(TokenRefused, match="proof_nonce"):
            nonces.demand(old)


def test_the_memory_is_bounded_and_refuses_when_it_is_full() -> None:
    seconds = Seconds()
    used = UsedProofs(seconds, capacity=3, capacity_of_a_key=2)
    used.use("one", "a")
    used.use("one", "b")
    with pytest.raises(Busy):
        used.use("one", "c")
    used.use("two", "a")
    with pytest.raises(Busy):
        used.use("three", "a")
    with pytest.raises(TokenRefused, match="proof_replay"):
        used.use("two", "a")
    seconds.now = WINDOW_SECONDS + 2 * LEEWAY_SECONDS
    used.use("one", "c")
    assert len(used) == 1


def test_who_cannot_make_a_good_proof_takes_no_room() -> None:
    desk = Desk()
    for make, _ in HOSTILE.values():
        desk.ask([make()])
    assert len(desk.possession._used) == 0


def test_what_another_process_took_is_refused_here_unless_a_number_of_this_one_says_so() -> None:
    desk, another = Desk(), Desk()
    another.once = desk.once
    another.possession = Possession(
        another.tokens, Terms([ISSUER.settings(dpop="allowed")], URL), another.clock, desk.once
    )
    shown = proof()
    assert desk.ask([shown]) == "casey.morgan"
    assert another.ask([shown]) == "proof_replay"
    assert all(until >= NOW.timestamp() + WINDOW_SECONDS + 2 * LEEWAY_SECONDS for until in desk.once.used.values())


def test_a_proof_that_is_dated_ahead_is_remembered_for_as_long_as_it_would_be_taken() -> None:
    """With a number of this process's own nothing else remembers it."""
    desk = Desk(dpop_nonce=True)
    number = nonce_of(desk)
    ahead = proof(iat=int(NOW.timestamp()) + LEEWAY_SECONDS, nonce=number)
    assert desk.ask([ahead]) == "casey.morgan"
    desk.step(WINDOW_SECONDS + 2 * LEEWAY_SECONDS - 1)
    assert desk.ask([ahead]) == "proof_replay"


def nonce_of(desk: Desk) -> str:
    """Return the number that a proof without one is answered with."""
    with pytest.raises(TokenRefused) as refused:
        desk.possession.verify(Shown([f"DPoP {TOKEN}"], [proof()], "POST", PATH))
    return refused.value.nonce


def test_who_has_one_name_at_two_issuers_does_not_share_their_room() -> None:
    other = TestIssuer.es256(issuer="https://other.example")
    holders = []
    for issuer in (ISSUER, other):
        desk = Desk()
        settings = issuer.settings(single_use=frozenset({"hr-system"}))
        tokens = VerifiedTokens(TokenVerifier([settings], StaticKeys(issuer), desk.clock), desk.clock)
        possession = Possession(tokens, Terms([settings], URL), desk.clock, desk.once, desk.seconds)
        token = issuer.token(NOW, client_id="hr-system", sub="hr")
        possession.verify(Shown([f"Bearer {token}"], [], "POST", PATH))
        holders += desk.once.holders
    assert len(set(holders)) == 2


def test_a_proof_by_an_algorithm_that_no_token_may_have_is_none() -> None:
    token = ISSUER.token(NOW, cnf=RSA.bound)
    private = RSA.signer.private
    assert isinstance(private, rsa.RSAPrivateKey)
    plain = {"typ": "dpop+jwt", "alg": "RS512", "jwk": RSA.jwk}
    signed = RSA.signer.signed(
        compact_json(plain),
        compact_json(RSA.claims(NOW, ASKED, token)),
        lambda what: private.sign(what, padding.PKCS1v15(), hashes.SHA512()),
    )
    assert Desk().ask([signed], token=token) == "proof_form"


ONCE = ISSUER.token(NOW, client_id="hr-system", jti="the-one")


def test_a_token_that_is_good_once_is_used_up_by_whoever_shows_it_rightly() -> None:
    desk = Desk(single_use=frozenset({"hr-system"}), leeway_seconds=300)
    assert desk.ask([proof(token=ONCE)], token=ONCE) == "unbound"  # and it is not used up by that
    assert desk.ask(token=ONCE, scheme="Bearer") == "casey.morgan"
    assert desk.ask(token=ONCE, scheme="Bearer") == "token_replay"
    # as long as it could pass otherwise
    (until,) = desk.once.used.values()
    assert until >= NOW.timestamp() + 600 + 300
    other = ISSUER.token(NOW, client_id="hr-system", jti="another")
    assert desk.ask(token=other, scheme="Bearer") == "casey.morgan"


def test_a_second_spelling_of_the_signature_is_the_same_token() -> None:
    desk = Desk(single_use=frozenset({"*"}))
    assert desk.ask(token=ONCE, scheme="Bearer") == "casey.morgan"
    assert desk.ask(token=ISSUER.token(NOW, client_id="hr-system", jti="the-one"), scheme="Bearer") == "token_replay"


def test_it_needs_a_name_and_other_programs_are_not_meant() -> None:
    desk = Desk(single_use=frozenset({"hr-system"}))
    nameless = ISSUER.token(NOW, client_id="hr-system", jti=DROP)
    assert desk.ask(token=nameless, scheme="Bearer") == "claim_missing"
    console = ISSUER.token(NOW, client_id="console")
    assert [desk.ask(token=console, scheme="Bearer") for _ in range(2)] == ["casey.morgan"] * 2
    assert desk.once.used == {}


def test_without_a_memory_nothing_that_is_good_once_passes() -> None:
    desk = Desk(single_use=frozenset({"*"}))
    desk.once.failure = AuditUnavailable("disk_full")
    with pytest.raises(AuditUnavailable):
        desk.ask(token=ONCE, scheme="Bearer")
    with pytest.raises(AuditUnavailable):
        Desk.ask(desk, [proof()])


def test_it_is_never_given_out_past_what_uses_it_up() -> None:
    desk = Desk(single_use=frozenset({"*"}))
    assert desk.ask(token=ONCE, scheme="Bearer") == "casey.morgan"
    assert desk.tokens.recall(ONCE) is None
    with pytest.raises(TokenRefused, match="single_use"):
        desk.tokens.verify(ONCE)


def test_where_a_token_opens_one_sealed_card_it_says_until_when_it_could_pass() -> None:
    desk = Desk(sealed_once=True, leeway_seconds=300)
    seen = desk.tokens.verify(ONCE)
    assert (seen.one_sealed_until, seen.is_single_use) == (seen.expires_at + 300, False)
    with pytest.raises(TokenRefused, match="claim_missing"):
        desk.tokens.verify(ISSUER.token(NOW, client_id="hr-system", jti=DROP))
    assert Desk().tokens.verify(ONCE).one_sealed_until == 0
