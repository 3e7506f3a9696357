"""Why a token was refused: the closed list of codes. They go into the ledger and never to the caller."""

from __future__ import annotations

from enum import StrEnum
from typing import NoReturn

from registry.domain.errors import TokenRefused


class Refusal(StrEnum):
    """One code per kind of refusal; registry/identity/README.md says what each means."""

    MISSING = "missing"
    MALFORMED = "malformed"
    OVERSIZE = "oversize"
    ENCRYPTED = "encrypted"
    ALGORITHM = "algorithm"
    HEADER = "header"
    TOKEN_TYPE = "token_type"  # noqa: S105 - a reason code, not a password
    ISSUER = "issuer"
    UNKNOWN_KEY = "unknown_key"
    KEYS_UNAVAILABLE = "keys_unavailable"
    SIGNATURE = "signature"
    CLAIM_MISSING = "claim_missing"
    CLAIM_TYPE = "claim_type"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ISSUED_IN_FUTURE = "issued_in_future"
    LIFETIME = "lifetime"
    SUBJECT = "subject"
    ROLES = "roles"
    SENDER_BOUND = "sender_bound"
    DELEGATED = "delegated"


def refuse(reason: Refusal) -> NoReturn:
    """Raise the refusal.

    Raises:
        TokenRefused: always; it carries the code alone, no part of the token. The cause is cut off too, because
            a JSON or base64 error quotes what it read.
    """
    raise TokenRefused(reason.value) from None
