"""The outside of a token: its size, its three parts, its header. Nothing here trusts what it reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from registry.identity.issuers import ALLOWED_ALGORITHMS, NO_TYPE
from registry.identity.refusals import Refusal, refuse
from registry.identity.segments import NotStrict, decode_base64url, read_object

MAX_TOKEN_BYTES = 8192
MAX_KEY_ID_CHARACTERS = 255

_ENCRYPTED_DOTS = 4
_SHAPE = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
# crit, b64 and zip change how the rest is to be read; the others offer a key of the sender's own choice. None has
# a place in an access token, so their presence is refused rather than ignored.
_FORBIDDEN_MEMBERS = frozenset({"crit", "b64", "zip", "jwk", "jku", "x5u", "x5c"})


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A well-formed token whose signature nobody has checked. Only tokens.py may look inside.

    Attributes:
        algorithm, key_id: header ``alg`` (one of the allowed) and ``kid``.
        token_type: header ``typ``, lower case, without the ``application/`` prefix; empty when there is none.
        payload: the JSON object, unverified.
    """

    algorithm: str
    key_id: str
    token_type: str
    payload: Mapping[str, Any] = field(repr=False)


def read_compact(token: str) -> UnverifiedToken:
    """Take a compact JWS (RFC 7515 section 7.1) apart, header checks first.

    Raises:
        TokenRefused: ``oversize``, ``encrypted`` (a JWE), ``malformed``, ``algorithm``, ``header`` or
            ``token_type`` (a ``typ`` that is no text).
    """
    # Characters stand for bytes here: the shape below admits ASCII only.
    if len(token) > MAX_TOKEN_BYTES:
        refuse(Refusal.OVERSIZE)
    if token.count(".") == _ENCRYPTED_DOTS:
        refuse(Refusal.ENCRYPTED)
    parts = _SHAPE.fullmatch(token)
    if parts is None:
        refuse(Refusal.MALFORMED)
    head, body, signature = parts.groups()
    try:
        algorithm, key_id, token_type = _read_header(head)
        decode_base64url(signature)
        payload = read_object(decode_base64url(body))
    except NotStrict:
        refuse(Refusal.MALFORMED)
    return UnverifiedToken(algorithm, key_id, token_type, payload)


# An issuer's tokens share a header, so the answer is kept by its exact spelling. Refusals are not kept.
@lru_cache(maxsize=64)
def _read_header(head: str) -> tuple[str, str, str]:
    header = read_object(decode_base64url(head))
    algorithm = header.get("alg")
    if type(algorithm) is not str or algorithm not in ALLOWED_ALGORITHMS:
        refuse(Refusal.ALGORITHM)
    if not _FORBIDDEN_MEMBERS.isdisjoint(header):
        refuse(Refusal.HEADER)
    key_id = header.get("kid")
    if type(key_id) is not str or not 0 < len(key_id) <= MAX_KEY_ID_CHARACTERS:
        refuse(Refusal.HEADER)
    if "typ" not in header:
        return algorithm, key_id, NO_TYPE
    token_type = header["typ"]
    if type(token_type) is not str or not token_type.lower().removeprefix("application/"):
        refuse(Refusal.TOKEN_TYPE)
    # RFC 7515 section 4.1.9: a media type, compared without regard to case, "application/" may be left out.
    return algorithm, key_id, token_type.lower().removeprefix("application/")
