"""JSON objects read without any latitude: what two readers could understand differently is refused."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NoReturn


class NotStrict(ValueError):
    """Not canonical base64url, not UTF-8, not one JSON object, a repeated member or a non-JSON number.

    Carries no text: the content may be secret.
    """


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrict
    return members


def _no_such_number(_literal: str) -> NoReturn:
    raise NotStrict  # NaN and Infinity are Python's, not JSON's


# One decoder for all: building it costs more than a header takes to read.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_no_such_number)


def read_object(raw: bytes) -> dict[str, Any]:
    """Read one JSON object.

    Args:
        raw: UTF-8 (json.loads on bytes would guess UTF-16 and UTF-32 as well, hence the explicit decoding).

    Raises:
        NotStrict: anything but one JSON object with unique member names at every level.
    """
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):  # ValueError includes bad UTF-8, bad JSON and integers of > 4,300 digits
        raise NotStrict from None
    if type(value) is not dict:
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
    except (ValueError, binascii.Error):
        raise NotStrict from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != text:
        raise NotStrict
    return raw
