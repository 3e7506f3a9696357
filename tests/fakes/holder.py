"""A client that holds a key and makes proofs with it (RFC 9449)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.fakes.issuer import DROP, TestIssuer, b64url, changed, compact_json

NAMING = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}


class Holder:
    """Holds one key; ``issuer`` lends it the code that signs."""

    def __init__(self, issuer: TestIssuer | None = None) -> None:
        self.signer = issuer or TestIssuer.es256()
        self.jwk = self.signer.public_jwk(kid=DROP, use=DROP, alg=DROP)
        named = {name: self.jwk[name] for name in NAMING[self.jwk["kty"]]}
        self.thumbprint = b64url(hashlib.sha256(compact_json(named)).digest())
        self.made = 0

    @property
    def bound(self) -> dict[str, Any]:
        """The claim of a token that is bound to this key."""
        return {"jkt": self.thumbprint}

    def claims(self, now: datetime, request: tuple[str, str], token: str, **changes: Any) -> dict[str, Any]:
        self.made += 1
        method, url = request
        digest = b64url(hashlib.sha256(token.encode()).digest())
        seconds = int(now.timestamp())
        plain = {"jti": f"proof-{self.made}", "htm": method, "htu": url, "iat": seconds, "ath": digest}
        return changed(plain, changes)

    def proof(
        self,
        now: datetime,
        request: tuple[str, str],
        token: str,
        *,
        header: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """Make a proof for one request, with some header members and claims changed."""
        plain = {"typ": "dpop+jwt", "alg": self.signer.algorithm, "jwk": self.jwk}
        payload = compact_json(self.claims(now, request, token, **changes))
        return self.signer.signed(compact_json(changed(plain, header or {})), payload)
