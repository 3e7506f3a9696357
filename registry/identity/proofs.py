"""DPoP proofs (RFC 9449): that who shows a bound token holds the key it is bound to, for this request, now and once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from threading import Lock
from typing import Any
from urllib.parse import unquote, urlsplit

from registry.crypto.jwk import thumbprint
from registry.domain.errors import Busy, TokenRefused
from registry.domain.ids import new_id
from registry.identity.claims import is_plain_text
from registry.identity.issuers import ALLOWED_ALGORITHMS
from registry.identity.key_set import VerificationKey, read_public_key
from registry.identity.refusals import Refusal, refuse_proof
from registry.identity.segments import NotStrict, decode_base64url, encode_base64url, read_object
from registry.identity.tokens import check_signature

WINDOW_SECONDS = 60
LEEWAY_SECONDS = 30
NONCE_SECONDS = 150  # after which another one is given out; the one before is good for as long again
MAX_PROOF_BYTES = 4_096
CAPACITY = 100_000  # remembered proofs; at 48 bytes or so each
CAPACITY_OF_A_KEY = 10_000

_TYPE = "dpop+jwt"
_SHAPE = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof whose signature holds, by the key that it shows.

    Attributes:
        key: thumbprint of that key.
        claims: its payload; checked by nobody yet.
    """

    key: str
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """What a proof must be for: the method and address of the request, and the token shown with it."""

    method: str
    origin: str
    path: str = field(repr=False)
    token: str = field(repr=False)


def read_proof(proof: str) -> Proof:
    """Read a proof and check its signature (RFC 9449 section 4.3, points 2 and 4 to 7).

    Raises:
        TokenRefused: ``proof_form``, ``proof_signature``.
    """
    parts = _SHAPE.fullmatch(proof) if len(proof) <= MAX_PROOF_BYTES else None
    if parts is None:
        refuse_proof(Refusal.PROOF_FORM)
    try:
        header = read_object(decode_base64url(parts[1]))
        decode_base64url(parts[3])
        payload = read_object(decode_base64url(parts[2]))
    except NotStrict:
        refuse_proof(Refusal.PROOF_FORM)
    key, jwk = _shown_key(header)
    try:
        check_signature(proof, key, key.algorithm)
    except TokenRefused:
        refuse_proof(Refusal.PROOF_SIGNATURE)
    return Proof(thumbprint(jwk), payload)


def _shown_key(header: Mapping[str, Any]) -> tuple[VerificationKey, Mapping[str, str]]:
    # Exactly these: whatever else a header can hold changes how the rest is read, or offers another key.
    algorithm, jwk = header.get("alg"), header.get("jwk")
    if header.keys() != {"typ", "alg", "jwk"} or header["typ"] != _TYPE or type(jwk) is not dict:
        refuse_proof(Refusal.PROOF_FORM)
    if type(algorithm) is not str or algorithm not in ALLOWED_ALGORITHMS:
        refuse_proof(Refusal.PROOF_FORM)
    key = read_public_key(jwk, algorithm)  # refuses private halves, and what does not fit the algorithm
    if key is None:
        refuse_proof(Refusal.PROOF_FORM)
    return key, jwk


def check_target(proof: Proof, target: Target, now: float) -> str:
    """Check what a proof is for, and when it was made (points 3, 8, 9, 11 and 12).

    Args:
        proof: with a signature that holds.
        target: what is asked.
        now: Unix seconds.

    Returns:
        Its ``jti``.

    Raises:
        TokenRefused: ``proof_form``, ``proof_target``, ``proof_token``, ``proof_time``.
    """
    claims = proof.claims
    identifier, made_at = claims.get("jti"), claims.get("iat")
    texts = (identifier, claims.get("htm"), claims.get("htu"), claims.get("ath"))
    if not all(type(text) is str for text in texts) or type(made_at) is not int or not is_plain_text(str(identifier)):
        refuse_proof(Refusal.PROOF_FORM)
    if claims["htm"] != target.method or not _is_same_address(claims["htu"], target):
        refuse_proof(Refusal.PROOF_TARGET)
    digest = encode_base64url(sha256(target.token.encode()).digest())
    if not compare_digest(claims["ath"].encode(), digest.encode()):
        refuse_proof(Refusal.PROOF_TOKEN)
    if not -LEEWAY_SECONDS <= now - made_at <= WINDOW_SECONDS + LEEWAY_SECONDS:
        refuse_proof(Refusal.PROOF_TIME)
    return str(identifier)


def _is_same_address(text: str, target: Target) -> bool:
    """Compare an address with what was asked, without query and fragment (RFC 3986 sections 6.2.2 and 6.2.3)."""
    try:
        parts = urlsplit(text)
        origin = f"{parts.scheme}://{(parts.hostname or '')}:{parts.port or _PORTS.get(parts.scheme, 0)}"
        path = unquote(parts.path, errors="strict")
    except ValueError:
        return False
    return parts.username is None and origin == target.origin and (path or "/") == target.path


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address in the writing that proofs are compared in."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"


class UsedProofs:
    """Remembers proofs for as long as they would be accepted. Bounded, in all and by key; full, it refuses."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        capacity: int = CAPACITY,
        capacity_of_a_key: int = CAPACITY_OF_A_KEY,
    ) -> None:
        self._monotonic = monotonic
        self._capacity = capacity
        self._capacity_of_a_key = capacity_of_a_key
        self._until: dict[bytes, tuple[float, str]] = {}  # in the order of their ends: all are kept equally long
        self._of_keys: dict[str, int] = {}
        self._lock = Lock()

    def use(self, key: str, identifier: str) -> None:
        """Use a proof up.

        Raises:
            TokenRefused: ``proof_replay``: it was used before.
            Busy: there is no room to remember it, so it may not be used at all.
        """
        digest = sha256(f"{key} {identifier}".encode()).digest()[:16]
        now = self._monotonic()
        with self._lock:
            self._forget(now)
            if digest in self._until:
                refuse_proof(Refusal.PROOF_REPLAY)
            if len(self._until) >= self._capacity or self._of_keys.get(key, 0) >= self._capacity_of_a_key:
                raise Busy
            self._until[digest] = (now + WINDOW_SECONDS + 2 * LEEWAY_SECONDS, key)
            self._of_keys[key] = self._of_keys.get(key, 0) + 1

    def _forget(self, now: float) -> None:
        while self._until:
            digest, (until, key) = next(iter(self._until.items()))
            if now < until:
                return
            del self._until[digest]
            self._of_keys[key] -= 1
            if not self._of_keys[key]:
                del self._of_keys[key]

    def __len__(self) -> int:
        return len(self._until)


class Nonces:
    """A number that proofs have to hold, another one every 150 s; it is this process's own."""

    def __init__(self, monotonic: Callable[[], float], draw: Callable[[], str] = new_id) -> None:
        self._monotonic = monotonic
        self._draw = draw
        self._since = monotonic()
        self._good = (draw(), draw())  # the present one, the one before
        self._lock = Lock()

    def demand(self, shown: object) -> None:
        """Check the ``nonce`` of a proof.

        Raises:
            TokenRefused: ``proof_nonce``, with the one to use.
        """
        with self._lock:
            over = int((self._monotonic() - self._since) // NONCE_SECONDS)
            if over:
                self._good = (self._draw(), self._good[0] if over == 1 else self._draw())
                self._since += over * NONCE_SECONDS
            good = self._good
        if type(shown) is not str or not any(compare_digest(shown.encode(), one.encode()) for one in good):
            refuse_proof(Refusal.PROOF_NONCE, good[0])
