"""Whether anybody's tokens can be verified: what ``/readyz`` asks, and how old the keys are."""

from __future__ import annotations

from collections.abc import Sequence

from registry.domain.errors import KeyUnavailable
from registry.identity.issuers import IssuerSettings
from registry.identity.jwks import JwksCache


class IssuerKeys:
    """The keys of all issuers that are trusted."""

    def __init__(self, keys: JwksCache, issuers: Sequence[IssuerSettings]) -> None:
        self._keys = keys
        self._issuers = issuers

    def demand_any(self) -> None:
        """Check that somebody can sign in.

        A process that was started during an outage of all its providers has no keys, and is not ready: a rolling
        restart stops there, and those that have keys go on. One provider of several that fails stops nobody else.

        Raises:
            KeyUnavailable: no issuer's keys can be had; ``issuer_keys``.
        """
        if self._issuers and not any(self._keys.has_keys(settings) for settings in self._issuers):
            raise KeyUnavailable("the keys of no issuer can be had", "issuer_keys")

    def age_seconds(self) -> float:
        """Return how long ago the keys that are in use came, the oldest of them; 0 when there are none yet."""
        return max((one.age_seconds for one in self._keys.status() if one.age_seconds is not None), default=0.0)
