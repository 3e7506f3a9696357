"""What a request shows to say who asks: one Authorization header, and with a bound token one proof (RFC 9449)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from registry.identity.refusals import Refusal, refuse

# auth-scheme is case-insensitive (RFC 9110, section 11); token68 is the only form that a token has in either scheme.
# fullmatch, since "$" would let a trailing line feed through.
_SHOWN = re.compile(r"(bearer|dpop) ([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE | re.ASCII)
_DPOP = "dpop"


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token as it was shown, unverified, and whether the sender says that it is bound to a key."""

    token: str = field(repr=False)
    is_bound: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything of a request that says who asks.

    Attributes:
        authorization, proofs: the values of every ``Authorization`` and ``DPoP`` header, in order. All of them: taking
            the first of two is how a proxy and a server come to disagree about who is asking.
        method, path: what is asked; the path as the server decoded it, without the query.
    """

    authorization: Sequence[str] = field(repr=False)
    proofs: Sequence[str] = field(repr=False)
    method: str
    path: str = field(repr=False)


def shown_token(authorization: Sequence[str]) -> ShownToken:
    """Return the token of a request.

    Args:
        authorization: the values of every Authorization header of the request, in order.

    Raises:
        TokenRefused: ``missing`` (no header) or ``malformed`` (several headers, another scheme, or anything but
            ``Bearer`` or ``DPoP``, one space and a token68).
    """
    if not authorization:
        refuse(Refusal.MISSING)
    if len(authorization) != 1:
        refuse(Refusal.MALFORMED)
    match = _SHOWN.fullmatch(authorization[0])
    if match is None:
        refuse(Refusal.MALFORMED)
    return ShownToken(match[2], match[1].lower() == _DPOP)
