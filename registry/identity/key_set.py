"""Public keys out of a JWK Set (RFC 7517). A key that does not fit the issuer's one algorithm does not exist."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jose import jwk
from jose.backends.base import Key
from jose.exceptions import JOSEError

from registry.domain.errors import KeyUnavailable
from registry.identity.compact import MAX_KEY_ID_CHARACTERS
from registry.identity.segments import NotStrict, decode_base64url, read_object

MAX_DOCUMENT_BYTES = 256 * 1024
MAX_KEYS = 100
RSA_BITS = range(2048, 8192 + 1)  # below: breakable; above: a verification slow enough to be an attack
_RSA_EXPONENTS = range(65537, 2**32, 2)
_P256_COORDINATE_BYTES = 32

# Members of private keys (RFC 7518 sections 6.2.2 and 6.3.2) and "k" of symmetric ones.
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key ready for use, pinned to one algorithm.

    Attributes:
        key_id: its ``kid``.
        algorithm: the only algorithm that it verifies.
        key: the prepared key; building one takes as long as a quarter of a verification.
    """

    key_id: str
    algorithm: str
    key: Key = field(repr=False)


KeySet = Mapping[str, VerificationKey]


def read_key_set(document: bytes, algorithm: str) -> KeySet:
    """Keep the keys of a JWK Set that an issuer's tokens may be verified with.

    Args:
        document: the JWK Set as served.
        algorithm: the issuer's one algorithm.

    Returns:
        Usable keys by ``kid``. May be empty: an issuer may withdraw all its keys.

    Raises:
        KeyUnavailable: it is not a JWK Set at all, is too large, or holds too many keys. One bad key among good ones
            is left out instead, so that an issuer's new key type does not stop everybody.
    """
    if len(document) > MAX_DOCUMENT_BYTES:
        raise KeyUnavailable("key set: larger than 256 kB")
    try:
        listed = read_object(document).get("keys")
    except NotStrict:
        raise KeyUnavailable("key set: not one JSON object with unique members") from None
    if type(listed) is not list or len(listed) > MAX_KEYS:
        raise KeyUnavailable("key set: needs a list of at most 100 keys")
    entries = [entry for entry in listed if type(entry) is dict]
    # Of two keys with one name, nobody can say which was meant: neither is used.
    names = Counter(entry["kid"] for entry in entries if type(entry.get("kid")) is str)
    usable = {}
    for entry in entries:
        if _is_fit(entry, algorithm) and names[entry["kid"]] == 1:
            key = _prepare(entry, algorithm)
            if key is not None:
                usable[key.key_id] = key
    return MappingProxyType(usable)


def read_public_key(entry: Mapping[str, Any], algorithm: str) -> VerificationKey | None:
    """Return a key that somebody shows of their own, under the same rules; None for one that is not fit."""
    named = {**entry, "kid": "shown"}
    return _prepare(named, algorithm) if _is_fit(named, algorithm) else None


def _is_fit(entry: Mapping[str, Any], algorithm: str) -> bool:
    key_id = entry.get("kid")
    if type(key_id) is not str or not 0 < len(key_id) <= MAX_KEY_ID_CHARACTERS:
        return False
    if entry.get("use", "sig") != "sig" or not _may_verify(entry):
        return False
    if not _PRIVATE_MEMBERS.isdisjoint(entry):
        return False
    # "alg" may be left out (Entra does); the issuer's settings pin it then.
    if entry.get("alg", algorithm) != algorithm:
        return False
    return _is_p256(entry) if algorithm == "ES256" else _is_rsa(entry)


def _may_verify(entry: Mapping[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return type(operations) is list and "verify" in operations


def _is_p256(entry: Mapping[str, Any]) -> bool:
    if entry.get("kty") != "EC" or entry.get("crv") != "P-256":
        return False
    return all(len(_octets(entry.get(name))) == _P256_COORDINATE_BYTES for name in ("x", "y"))


def _is_rsa(entry: Mapping[str, Any]) -> bool:
    if entry.get("kty") != "RSA":
        return False
    modulus = int.from_bytes(_octets(entry.get("n")), "big")
    exponent = int.from_bytes(_octets(entry.get("e")), "big")
    return modulus % 2 == 1 and modulus.bit_length() in RSA_BITS and exponent in _RSA_EXPONENTS


def _octets(value: Any) -> bytes:
    if type(value) is not str:
        return b""
    try:
        return decode_base64url(value)
    except NotStrict:
        return b""


def _prepare(entry: Mapping[str, Any], algorithm: str) -> VerificationKey | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # cryptography warns of keys that it will refuse one day
            key = jwk.construct(dict(entry), algorithm)
    except (JOSEError, ValueError, Warning):  # such as a point that is not on the curve, or an even modulus
        return None
    return VerificationKey(entry["kid"], algorithm, key)
