"""The Authorization header, read strictly (RFC 6750 section 2.1, RFC 9110 section 11)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from registry.identity.refusals import Refusal, refuse

# auth-scheme is case-insensitive (RFC 9110); token68 is the only form a bearer token has. fullmatch, since "$"
# would let a trailing line feed through.
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] ([A-Za-z0-9\-._~+/]+=*)")


def bearer_token(authorization: Sequence[str]) -> str:
    """Return the token of a request.

    Args:
        authorization: the values of every Authorization header of the request, in order. Hand over all of them:
            taking the first of two is how a proxy and a server come to disagree about who is asking.

    Raises:
        TokenRefused: ``missing`` (no header) or ``malformed`` (several headers, another scheme, or anything but
            ``Bearer``, one space and a token68).
    """
    if not authorization:
        refuse(Refusal.MISSING)
    if len(authorization) != 1:
        refuse(Refusal.MALFORMED)
    match = _BEARER.fullmatch(authorization[0])
    if match is None:
        refuse(Refusal.MALFORMED)
    return match.group(1)
