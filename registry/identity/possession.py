"""From what a request shows to claims: the token, and where it is bound to a key, the proof of holding that key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from hmac import compare_digest

from registry.domain.clock import Clock
from registry.domain.errors import MisconfiguredHome
from registry.domain.principals import Claims
from registry.identity.issuers import BINDING_OFF, IssuerSettings
from registry.identity.proofs import Nonces, Target, UsedProofs, check_target, origin_of, read_proof
from registry.identity.refusals import Refusal, refuse_proof
from registry.identity.shown import Shown, shown_token
from registry.identity.token_cache import VerifiedTokens


class Possession:
    """Verifies what requests show. The one way in for a token that is bound to a key."""

    def __init__(
        self,
        tokens: VerifiedTokens,
        issuers: Iterable[IssuerSettings],
        public_url: str,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the means.

        Args:
            tokens: verifies tokens, and remembers them.
            issuers: whose tokens are accepted.
            public_url: where clients reach this registry; proofs are compared with it, never with a header.
            clock: what proofs' times are compared with.
            monotonic: seconds from any start, never backwards.

        Raises:
            MisconfiguredHome: an issuer's tokens may be bound, and ``public_url`` is not set.
        """
        bound = [settings for settings in issuers if settings.dpop != BINDING_OFF]
        if bound and not public_url:
            raise MisconfiguredHome("config.toml: dpop needs public_url, the address that clients write into proofs")
        self._tokens = tokens
        self._origin = origin_of(public_url) if public_url else ""
        self._with_nonce = frozenset(settings.issuer for settings in bound if settings.dpop_nonce)
        self._clock = clock
        self._used = UsedProofs(monotonic)
        self._nonces = Nonces(monotonic)

    def verify(self, shown: Shown) -> Claims:
        """Return the claims of whoever asks.

        Raises:
            TokenRefused: with a code of ``refusals.Refusal``.
            Busy: there is no room to remember another proof.
        """
        token = shown_token(shown.authorization)
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
        identifier = check_target(proof, target, self._clock.now().timestamp())
        if claims.issuer in self._with_nonce:
            self._nonces.demand(proof.claims.get("nonce"))
        # Last: whoever cannot make a good proof takes no room.
        self._used.use(proof.key, identifier)
