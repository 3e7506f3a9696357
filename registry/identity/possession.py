"""From what a request shows to claims: the token, and where it is bound to a key, the proof of holding that key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from hmac import compare_digest
from typing import NamedTuple, Protocol

from registry.domain.clock import Clock
from registry.domain.errors import MisconfiguredHome
from registry.domain.principals import Claims
from registry.identity.issuers import BINDING_OFF, LONGEST_LEEWAY_SECONDS, IssuerSettings
from registry.identity.proofs import (
    LEEWAY_SECONDS,
    WINDOW_SECONDS,
    Nonces,
    Target,
    UsedProofs,
    check_target,
    origin_of,
    read_proof,
)
from registry.identity.refusals import Refusal, refuse, refuse_proof
from registry.identity.shown import Shown, ShownToken, shown_token
from registry.identity.token_cache import VerifiedTokens


class Once(Protocol):
    """Remembers, for all processes, what is good once; ``services.use_once`` does."""

    def use(self, sort: str, name: str, until: float, holder: str) -> bool:
        """Use a name up until a moment in Unix seconds, out of its holder's room; False when it was used before.

        Raises:
            Busy, AuditUnavailable: it cannot be remembered, so it may not be used.
        """
        ...


class Terms(NamedTuple):
    """Whose tokens are accepted, and where.

    Attributes:
        issuers: whose.
        public_url: where clients reach this registry; proofs are compared with it, never with a header.
    """

    issuers: Iterable[IssuerSettings]
    public_url: str


class Possession:
    """Verifies what requests show. The one way in for a token that is bound to a key."""

    def __init__(
        self,
        tokens: VerifiedTokens,
        terms: Terms,
        clock: Clock,
        once: Once,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the means.

        Args:
            tokens: verifies tokens, and remembers them.
            terms: whose tokens are accepted, and where.
            clock: what proofs' times are compared with.
            once: remembers for all processes what is good once.
            monotonic: seconds from any start, never backwards.

        Raises:
            MisconfiguredHome: an issuer's tokens may be bound, and ``public_url`` is not set.
        """
        bound = [settings for settings in terms.issuers if settings.dpop != BINDING_OFF]
        if bound and not terms.public_url:
            raise MisconfiguredHome("config.toml: dpop needs public_url, the address that clients write into proofs")
        self._tokens = tokens
        self._origin = origin_of(terms.public_url) if terms.public_url else ""
        self._with_nonce = frozenset(settings.issuer for settings in bound if settings.dpop_nonce)
        self._clock = clock
        self._once = once
        self._used = UsedProofs(monotonic)
        self._nonces = Nonces(monotonic)

    def verify(self, shown: Shown) -> Claims:
        """Return the claims of whoever asks.

        Raises:
            TokenRefused: with a code of ``refusals.Refusal``.
            Busy: there is no room to remember another proof or token that is good once.
            AuditUnavailable: neither could be remembered.
        """
        token = shown_token(shown.authorization)
        claims = self._claims(shown, token)
        # Last: whoever cannot show it rightly does not use it up for who can.
        if claims.is_single_use:
            name = f"{claims.issuer}\n{claims.token_id}"
            if not self._once.use("token", name, claims.expires_at + LONGEST_LEEWAY_SECONDS, _holder(claims)):
                refuse(Refusal.TOKEN_REPLAY)
        return claims

    def _claims(self, shown: Shown, token: ShownToken) -> Claims:
        claims = self._tokens.verify_unproved(token.token)
        if not claims.key_thumbprint:
            # RFC 9449, section 7.1: a plain token is no bound one, whatever proof comes with it.
            if token.is_bound:
                refuse_proof(Refusal.UNBOUND)
            return claims
        if not token.is_bound:
            refuse_proof(Refusal.SENDER_BOUND)
        self._check(shown, token.token, claims)
        return claims

    def _check(self, shown: Shown, token: str, claims: Claims) -> None:
        if len(shown.proofs) != 1:
            refuse_proof(Refusal.PROOF_FORM if shown.proofs else Refusal.PROOF_MISSING)
        proof = read_proof(shown.proofs[0])
        if not compare_digest(proof.key, claims.key_thumbprint):
            refuse_proof(Refusal.PROOF_KEY)
        target = Target(shown.method, self._origin, shown.path, token)
        now = self._clock.now().timestamp()
        identifier = check_target(proof, target, now)
        if claims.issuer in self._with_nonce:
            self._nonces.demand(proof.claims.get("nonce"))
        # Last: whoever cannot make a good proof takes no room.
        self._used.use(proof.key, identifier)
        # A number is one process's own; without it, what another process took must be known here.
        if claims.issuer not in self._with_nonce:
            until = now + WINDOW_SECONDS + 2 * LEEWAY_SECONDS
            if not self._once.use("proof", f"{proof.key} {identifier}", until, _holder(claims)):
                refuse_proof(Refusal.PROOF_REPLAY)


def _holder(claims: Claims) -> str:
    """Name whoever a token is of: keys are made by whoever likes, so that none of theirs counts apart."""
    return f"{claims.issuer}\n{claims.subject}"
