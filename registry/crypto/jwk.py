"""Signing keys as JSON Web Keys (RFC 7517), named by their thumbprint (RFC 7638)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec

_COORDINATE_BYTES = 32
# In the order that RFC 7638 has them hashed in.
_NAMING_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "kid", "alg", "use")


def new_p256_private_jwk() -> dict[str, str]:
    """Draw a fresh P-256 key for ES256 signatures.

    Returns:
        A private JWK with ``kty``, ``crv``, ``x``, ``y``, ``d``, ``alg``, ``use`` and ``kid``; ``kid`` is the
        RFC 7638 thumbprint, so the same key always has the same name.
    """
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    point = numbers.public_numbers
    jwk = {"kty": "EC", "crv": "P-256", "x": _coordinate(point.x), "y": _coordinate(point.y)}
    return jwk | {"d": _coordinate(numbers.private_value), "alg": "ES256", "use": "sig", "kid": thumbprint(jwk)}


def public_jwk(private: Mapping[str, str]) -> dict[str, str]:
    """Return the public half: only the members named here, so that no private one can slip through."""
    return {name: private[name] for name in _PUBLIC_MEMBERS if name in private}


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the thumbprint of a public EC or RSA key (RFC 7638, SHA-256): base64url without padding.

    Args:
        jwk: with its required members, all of them texts.
    """
    members = _NAMING_MEMBERS[jwk["kty"]]
    canonical = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _coordinate(number: int) -> str:
    # RFC 7518 section 6.2.1.2: always the full 32 bytes, leading zeros included.
    return _base64url(number.to_bytes(_COORDINATE_BYTES, "big"))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
