"""ID tokens (OpenID Connect Core 3.1.3.7): that an answer of an issuer's own page belongs to the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from registry.identity.claims import seconds_of, subject_claim
from registry.identity.compact import read_compact
from registry.identity.issuers import IssuerSettings
from registry.identity.refusals import Refusal, refuse
from registry.identity.segments import encode_base64url
from registry.identity.tokens import KeySource, check_signature

_DIGEST_BYTES = 16  # at_hash is the left half of SHA-256, as both algorithms that exist here use it


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token must say.

    Attributes:
        client: the program that asked; ``aud``.
        nonce: of the question.
        access_token: that came with it.
        signed_in_since: Unix seconds: the person must have signed in since; None for whenever.
    """

    client: str
    nonce: str = field(repr=False)
    access_token: str = field(repr=False)
    signed_in_since: float | None = None


def check_id_token(token: str, settings: IssuerSettings, keys: KeySource, expected: Expected, now: float) -> None:
    """Check an ID token; nothing of it is kept, since the access token says who it is, and both say the same.

    The access token is read here as it stands; whoever uses it verifies it.

    Args:
        token: compact JWS.
        settings: of the issuer that was asked.
        keys: finds its keys.
        expected: what it must say.
        now: Unix seconds.

    Raises:
        TokenRefused: with a code of ``refusals.Refusal``.
    """
    unverified = read_compact(token)
    if unverified.algorithm != settings.algorithm:
        refuse(Refusal.ALGORITHM)
    if unverified.token_type not in ("", "jwt"):
        refuse(Refusal.TOKEN_TYPE)
    key = keys.find(settings, unverified.key_id)
    check_signature(token, key, unverified.algorithm)
    claims = unverified.payload
    if claims.get("iss") != settings.issuer:
        refuse(Refusal.ISSUER)
    _check_audience(claims, expected.client)
    if seconds_of(claims, "exp") + settings.leeway_seconds <= now:
        refuse(Refusal.EXPIRED)
    if seconds_of(claims, "iat") > now + settings.leeway_seconds:
        refuse(Refusal.ISSUED_IN_FUTURE)
    if not _is_text(claims.get("nonce"), expected.nonce):
        refuse(Refusal.NONCE)
    digest = encode_base64url(sha256(expected.access_token.encode()).digest()[:_DIGEST_BYTES])
    if "at_hash" in claims and not _is_text(claims["at_hash"], digest):
        refuse(Refusal.ACCESS_TOKEN)
    _check_person(claims, read_compact(expected.access_token).payload, settings)
    if expected.signed_in_since is not None:
        signed_in_at = seconds_of(claims, "auth_time")
        if signed_in_at + settings.leeway_seconds < expected.signed_in_since:
            refuse(Refusal.SIGN_IN_OLD)


def _check_audience(claims: Mapping[str, Any], client: str) -> None:
    audience = claims.get("aud")
    # For us alone: whoever else it is for could show it here.
    if audience not in (client, [client]) or claims.get("azp", client) != client:
        refuse(Refusal.AUDIENCE)


def _check_person(claims: Mapping[str, Any], access: Mapping[str, Any], settings: IssuerSettings) -> None:
    """Check that both tokens are of one person: ``at_hash``, which would tell, may be missing in this flow.

    OpenID Connect Core 5.3.2 demands it of an answer of UserInfo, which is not asked here: an access token in its place
    says who it is by itself. The claim that counts is the issuer's own (``oid``, since there each program has another
    ``sub`` for one person); an ID token without it says the same as ``sub`` (Okta's ``uid``).
    """
    name = subject_claim(access, settings)
    who = access.get(name)
    if type(claims.get("sub")) is not str or type(who) is not str:
        refuse(Refusal.CLAIM_MISSING)
    if not _is_text(claims.get(name, claims["sub"]), who):
        refuse(Refusal.ACCESS_TOKEN)


def _is_text(given: object, wanted: str) -> bool:
    return type(given) is str and compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())
