"""The two encodings inside a token or key set, canonical base64url and a JSON object, read without any latitude."""

from __future__ import annotations

import base64
from typing import Any

from registry.domain.errors import UnreadableDocument
from registry.text.strict_json import parse_json


class NotStrict(ValueError):
    """Not canonical base64url, or not one strict JSON object. Carries no text: the content may be secret."""


def read_object(raw: bytes) -> dict[str, Any]:
    """Read one JSON object by the rules of registry/text/strict_json.py (json.loads would take UTF-16 and NaN too).

    Raises:
        NotStrict: anything but one object in plain UTF-8 with unique member names at every level.
    """
    try:
        value = parse_json(raw)
    except UnreadableDocument:
        raise NotStrict from None
    if not isinstance(value, dict):
        raise NotStrict
    return value


def decode_base64url(segment: str) -> bytes:
    """Decode base64url without padding (RFC 7515 section 2), canonical form only.

    Python's decoder skips foreign characters and ignores stray trailing bits, so one signed token could be
    written in many ways; encoding again and comparing leaves exactly one.

    Raises:
        NotStrict: padding, foreign characters, impossible length or stray bits.
    """
    try:
        text = segment.encode("ascii")
        raw = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:  # not ASCII, or an impossible length
        raise NotStrict from None
    if encode_base64url(raw) != segment:
        raise NotStrict
    return raw


def encode_base64url(raw: bytes) -> str:
    """Encode bytes as base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
