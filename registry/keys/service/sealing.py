"""How a key is kept under a key of the ring and a key of the service together: it takes both to open it.

Layout, in bytes::

    version   1   0x03
    tag      32   HMAC-SHA256 over context and everything after the tag, under a key from the ring key
    length    2   of ``sealed``, big-endian
    sealed    n   32 random bytes, wrapped by the service
    wrapped   m   the key, wrapped (``crypto.wrap``) under HKDF of those bytes and the ring key

The tag is looked at first: changed or moved bytes are refused without asking the service, which may count and bill each
question, and some tokens cannot tell changed bytes from a fault of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.crypto.derive import derive
from registry.crypto.tags import equal, keyed_tag
from registry.crypto.wrap import unwrap_key, wrap_key
from registry.domain.errors import EnvelopeRejected

_VERSION = b"\x03"
_TAG_BYTES = 32
_HEADER_BYTES = 1 + _TAG_BYTES + 2
_DOMAIN = "registry/service-wrap/v1"
_LONGEST_SEALED = 8_192


@dataclass(frozen=True, slots=True)
class Parts:
    """A wrapped key, taken apart."""

    sealed: bytes
    wrapped: bytes = field(repr=False)


def put_together(secret: bytes, once: bytes, sealed: bytes, item: tuple[bytes, bytes]) -> bytes:
    """Wrap a key.

    Args:
        secret: the key of the ring, 32 bytes.
        once: 32 bytes that are used for this key alone.
        sealed: the same, wrapped by the service.
        item: context and key.

    Raises:
        ValueError: a key of a wrong length.
    """
    context, key = item
    body = b"".join((len(sealed).to_bytes(2, "big"), sealed, wrap_key(_both(secret, once), key, context)))
    return b"".join((_VERSION, _tag(secret, context, body), body))


def take_apart(secret: bytes, context: bytes, blob: bytes) -> Parts:
    """Check the tag of a wrapped key and return its parts.

    Raises:
        EnvelopeRejected: changed bytes, another context or an unknown version.
    """
    body = blob[1 + _TAG_BYTES :]
    if len(blob) < _HEADER_BYTES or blob[:1] != _VERSION:
        raise _rejected()
    if not equal(blob[1 : 1 + _TAG_BYTES], _tag(secret, context, body)):
        raise _rejected()
    length = int.from_bytes(body[:2], "big")
    if length > _LONGEST_SEALED or 2 + length > len(body):
        raise _rejected()
    return Parts(body[2 : 2 + length], body[2 + length :])


def opened(secret: bytes, once: bytes, parts: Parts, context: bytes) -> bytes:
    """Give back the key.

    Raises:
        EnvelopeRejected: the service gave back other bytes than it wrapped.
    """
    return unwrap_key(_both(secret, once), parts.wrapped, context)


def _both(secret: bytes, once: bytes) -> bytes:
    return derive(secret + once, f"{_DOMAIN}/key")


def _tag(secret: bytes, context: bytes, body: bytes) -> bytes:
    data = b"".join((len(context).to_bytes(4, "big"), context, body))
    return keyed_tag(derive(secret, f"{_DOMAIN}/tag"), _DOMAIN, data, length=_TAG_BYTES)


def _rejected() -> EnvelopeRejected:
    return EnvelopeRejected("a wrapped key does not open")
