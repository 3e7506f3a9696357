"""A token issuer for tests: signs well-formed tokens, and, byte by byte, any other kind."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from registry.domain.errors import TokenRefused
from registry.identity.issuers import DEVELOPMENT_AUDIENCE, DEVELOPMENT_ISSUER, IssuerSettings
from registry.identity.key_set import KeySet, VerificationKey, read_key_set

ISSUER = "https://sign-in.example"
AUDIENCE = "registry"
DROP: Any = object()  # as a value: leave the member out


def b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("utf-8", "surrogatepass")


def changed(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members with changes applied; DROP leaves one out."""
    return {name: value for name, value in {**members, **changes}.items() if value is not DROP}


class StoppedClock:
    """Shows one time until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class TestIssuer:
    """One issuer with one signing key."""

    __test__ = False  # not a test class

    def __init__(
        self,
        private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
        *,
        key_id: str = "key-1",
        issuer: str = ISSUER,
        audience: str = AUDIENCE,
    ) -> None:
        self.private = private
        self.key_id = key_id
        self.issuer = issuer
        self.audience = audience
        self.algorithm = "ES256" if isinstance(private, ec.EllipticCurvePrivateKey) else "RS256"

    @classmethod
    def es256(cls, **names: str) -> TestIssuer:
        return cls(ec.generate_private_key(ec.SECP256R1()), **names)

    @classmethod
    def rs256(cls, **names: str) -> TestIssuer:
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=2048), **names)

    @classmethod
    def from_private_jwk(
        cls, jwk: Mapping[str, str], issuer: str = DEVELOPMENT_ISSUER, audience: str = DEVELOPMENT_AUDIENCE
    ) -> TestIssuer:
        """Act with the development issuer's own key: everything about the tokens is right but what a test breaks."""
        private = ec.derive_private_key(int.from_bytes(unb64url(jwk["d"]), "big"), ec.SECP256R1())
        return cls(private, key_id=jwk["kid"], issuer=issuer, audience=audience)

    def settings(self, **changes: Any) -> IssuerSettings:
        terms: dict[str, Any] = {
            "issuer": self.issuer,
            "audience": self.audience,
            "algorithms": frozenset({self.algorithm}),
            "jwks_uri": "https://sign-in.example/jwks",
        }
        return IssuerSettings(**(terms | changes))

    def public_jwk(self, **changes: Any) -> dict[str, Any]:
        public = self.private.public_key().public_numbers()
        jwk: dict[str, Any] = {"kid": self.key_id, "use": "sig", "alg": self.algorithm}
        if isinstance(public, ec.EllipticCurvePublicNumbers):
            jwk |= {"kty": "EC", "crv": "P-256"}
            jwk |= {"x": b64url(public.x.to_bytes(32, "big")), "y": b64url(public.y.to_bytes(32, "big"))}
        else:
            size = (public.n.bit_length() + 7) // 8
            jwk |= {"kty": "RSA", "n": b64url(public.n.to_bytes(size, "big")), "e": b64url(public.e.to_bytes(3, "big"))}
        return changed(jwk, changes)

    def key_set(self) -> bytes:
        return compact_json({"keys": [self.public_jwk()]})

    def public_bytes(self, encoding: serialization.Encoding, form: serialization.PublicFormat) -> bytes:
        return self.private.public_key().public_bytes(encoding, form)

    def header(self, **changes: Any) -> dict[str, Any]:
        return changed({"alg": self.algorithm, "kid": self.key_id, "typ": "at+jwt"}, changes)

    def claims(self, now: datetime, **changes: Any) -> dict[str, Any]:
        seconds = int(now.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": "casey.morgan",
            "roles": ["reader"],
            "client_id": "console",
            "jti": "5c1b0d",
            "iat": seconds,
            "exp": seconds + 600,
        }
        return changed(claims, changes)

    def token(self, now: datetime, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """Sign a token with some header members and claims changed."""
        return self.signed(compact_json(self.header(**(header or {}))), compact_json(self.claims(now, **claims)))

    def signed(self, header: bytes, payload: bytes, sign: Callable[[bytes], bytes] | None = None) -> str:
        """Sign raw bytes, whatever they say."""
        signing_input = f"{b64url(header)}.{b64url(payload)}"
        return f"{signing_input}.{b64url((sign or self.signature)(signing_input.encode()))}"

    def signature(self, signing_input: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(signing_input, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.der_signature(signing_input))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def der_signature(self, signing_input: bytes) -> bytes:
        assert isinstance(self.private, ec.EllipticCurvePrivateKey)
        return self.private.sign(signing_input, ec.ECDSA(hashes.SHA256()))


class StaticKeys:
    """A KeySource of fixed keys, per issuer."""

    def __init__(self, *issuers: TestIssuer) -> None:
        self._sets: dict[str, KeySet] = {}
        for one in issuers:
            self.add(one)

    def add(self, issuer: TestIssuer) -> None:
        self._sets[issuer.issuer] = {
            **self._sets.get(issuer.issuer, {}),
            **read_key_set(issuer.key_set(), issuer.algorithm),
        }

    def find(self, settings: IssuerSettings, key_id: str) -> VerificationKey:
        key = self._sets.get(settings.issuer, {}).get(key_id)
        if key is None:
            raise TokenRefused("unknown_key")
        return key
