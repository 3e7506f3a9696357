"""The few text forms that every format of this room shares, each with exactly one spelling per value."""

from __future__ import annotations

import binascii
import re

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1  # tree sizes and indexes fit a signed 64-bit column; C2SP allows up to 2^64 - 1

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


def base64_text(raw: bytes) -> str:
    """Return the standard, padded base64 of some bytes (RFC 4648 section 4)."""
    return binascii.b2a_base64(raw, newline=False).decode("ascii")


def base64_bytes(text: str) -> bytes | None:
    """Return the bytes of a base64 text, or None unless it is the one canonical spelling of them.

    Decoders skip line ends, accept missing padding or non-zero trailing bits; all of those would give one
    signature several spellings, so the text must be what ``base64_text`` would write.
    """
    try:
        raw = binascii.a2b_base64(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        return None
    return raw if base64_text(raw) == text else None


def decimal(text: str) -> int | None:
    """Return the number that ASCII digits spell, or None for any other spelling (sign, zeros, spaces, 2^63)."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    number = int(text)
    return number if number <= MAX_SIZE else None
