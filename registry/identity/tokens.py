"""The one place where a token becomes claims. python-jose checks the signature; everything else is checked here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from jose import jws
from jose.exceptions import JOSEError

from registry.domain.clock import Clock
from registry.domain.errors import MisconfiguredHome
from registry.domain.principals import Claims
from registry.identity.claims import read_claims
from registry.identity.compact import UnverifiedToken, read_compact
from registry.identity.issuers import IssuerSettings
from registry.identity.key_set import VerificationKey
from registry.identity.refusals import Refusal, refuse


class KeySource(Protocol):
    """Finds an issuer's public keys. ``JwksCache`` does; tests hand over a dictionary."""

    def find(self, settings: IssuerSettings, key_id: str) -> VerificationKey:
        """Return the issuer's key of that name.

        Raises:
            TokenRefused: ``unknown_key``, or ``keys_unavailable`` when the issuer's keys cannot be had.
        """
        ...


class TokenVerifier:
    """Verifies access tokens (RFC 9068 profile of JWT) of the configured issuers."""

    def __init__(self, issuers: Sequence[IssuerSettings], keys: KeySource, clock: Clock) -> None:
        self._issuers = {settings.issuer: settings for settings in issuers}
        if len(self._issuers) != len(issuers):
            raise MisconfiguredHome("two issuers have the same name")
        self._keys = keys
        self._clock = clock

    def verify(self, token: str) -> Claims:
        """Verify a token.

        Order: size and shape, header, issuer, key, signature, then the claims: nothing signed is believed before its
        signature, and nothing slow is done for a token that could never pass.

        Raises:
            TokenRefused: with a code of ``refusals.Refusal``; the message holds no part of the token.
        """
        unverified = read_compact(token)
        settings = self._issuer_of(unverified)
        if unverified.algorithm != settings.algorithm:
            refuse(Refusal.ALGORITHM)
        if unverified.token_type not in settings.token_types:
            refuse(Refusal.TOKEN_TYPE)
        key = self._keys.find(settings, unverified.key_id)
        check_signature(token, key, unverified.algorithm)
        return read_claims(unverified.payload, settings, self._clock.now().timestamp())

    def _issuer_of(self, unverified: UnverifiedToken) -> IssuerSettings:
        # Read before the signature is checked, to know whose keys to try; a wrong one finds no key of that issuer.
        name = unverified.payload.get("iss")
        if name is None:
            refuse(Refusal.CLAIM_MISSING)
        if type(name) is not str:
            refuse(Refusal.CLAIM_TYPE)
        settings = self._issuers.get(name)
        if settings is None:
            refuse(Refusal.ISSUER)
        return settings


def check_signature(token: str, key: VerificationKey, algorithm: str) -> None:
    """Check the signature of a compact JWS with one key.

    Raises:
        TokenRefused: ``algorithm`` or ``signature``.
    """
    # The key is pinned to its algorithm when it is loaded. One prepared key and one algorithm are handed over,
    # never a key set (python-jose would try every key in it) and never key text (which it guesses the type of).
    if key.algorithm != algorithm:
        refuse(Refusal.ALGORITHM)
    try:
        jws.verify(token, key.key, algorithms=[key.algorithm])
    except JOSEError:
        refuse(Refusal.SIGNATURE)
