"""Verified tokens, remembered: a signature is checked once, not on every request."""

from __future__ import annotations

from hashlib import sha256
from threading import Lock
from typing import Protocol

from registry.domain.clock import Clock
from registry.domain.principals import Claims
from registry.identity.refusals import Refusal, refuse, refuse_proof

CAPACITY = 10_000
MAX_AGE_SECONDS = 300


class Verifier(Protocol):
    """Turns a token into claims; ``TokenVerifier`` does."""

    def verify(self, token: str) -> Claims:
        """Verify a token, or raise TokenRefused."""
        ...


class VerifiedTokens:
    """Puts a memory before a verifier. Same call, same answers, a microsecond instead of a signature check.

    Keeps SHA-256 of the token, never the token. Only what passed is kept: refusals are not, so nobody without a
    valid token can push out those who have one. An entry ends with the token's ``exp`` (no leeway) and after 300 s
    at the latest, so that a key withdrawn by the issuer stops working here as well.
    """

    def __init__(self, verifier: Verifier, clock: Clock, capacity: int = CAPACITY) -> None:
        self._verifier = verifier
        self._clock = clock
        self._capacity = capacity
        self._entries: dict[bytes, tuple[float, Claims]] = {}
        self._generation = 0
        self._lock = Lock()

    def verify(self, token: str) -> Claims:
        """Return the claims of a token, verified now or a short while ago.

        Raises:
            TokenRefused: as the verifier does; ``sender_bound``: the token is bound to a key, and whoever shows it has
                proved nothing: ``identity.possession`` is for those. ``single_use``: likewise, since it would not be
                used up.
        """
        claims = self.verify_unproved(token)
        if claims.key_thumbprint:
            refuse_proof(Refusal.SENDER_BOUND)
        if claims.is_single_use:
            refuse(Refusal.SINGLE_USE)
        return claims

    def verify_unproved(self, token: str) -> Claims:
        """As ``verify``, for a caller that goes on to check the key that the token may be bound to."""
        claims = self._remembered(token)
        if claims is not None:
            return claims
        generation = self._generation
        claims = self._verifier.verify(token)
        self._keep(token, claims, generation)
        return claims

    def recall(self, token: str) -> Claims | None:
        """Return the claims of a token verified earlier, else None. Never blocks: fit for an event loop.

        Never those of a token that is bound to a key or good for one request: each use takes a proof, or is the last.
        """
        claims = self._remembered(token)
        return None if claims is None or claims.key_thumbprint or claims.is_single_use else claims

    def _remembered(self, token: str) -> Claims | None:
        entry = self._entries.get(_digest(token))  # one dictionary read is atomic; the hot path takes no lock
        if entry is None:
            return None
        ends_at, claims = entry
        return claims if self._clock.now().timestamp() < ends_at else None

    def knew(self, token: str) -> Claims | None:
        """Return what a token said when it was verified, although it must be verified again; None once it has expired.

        For deciding whose turn it is, never who somebody is.
        """
        entry = self._entries.get(_digest(token))
        if entry is None:
            return None
        claims = entry[1]
        return claims if self._clock.now().timestamp() < claims.expires_at else None

    def forget(self, token: str) -> None:
        """Drop one token; also one that is being verified at this moment."""
        with self._lock:
            self._generation += 1
            self._entries.pop(_digest(token), None)

    def clear(self) -> None:
        """Drop all tokens; call it on every revocation. A verification under way is not kept either."""
        with self._lock:
            self._generation += 1
            self._entries = {}

    def _keep(self, token: str, claims: Claims, generation: int) -> None:
        ends_at = min(claims.expires_at, self._clock.now().timestamp() + MAX_AGE_SECONDS)
        key = _digest(token)
        with self._lock:
            if generation != self._generation:
                return
            self._entries.pop(key, None)
            while len(self._entries) >= self._capacity:
                del self._entries[next(iter(self._entries))]  # the oldest: entries stand in the order they came
            self._entries[key] = (ends_at, claims)

    def __len__(self) -> int:
        return len(self._entries)


def _digest(token: str) -> bytes:
    # surrogatepass: a text that is no token must be refused by the verifier, not fail here.
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
