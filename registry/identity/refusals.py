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
    NONCE = "nonce"
    ACCESS_TOKEN = "access_token"  # noqa: S105 - as above
    SIGN_IN_STATE = "sign_in_state"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_IN_OLD = "sign_in_old"
    SINGLE_USE = "single_use"
    TOKEN_REPLAY = "token_replay"  # noqa: S105 - as above
    CLAIM_VALUE = "claim_value"
    ROLES = "roles"
    SENDER_BOUND = "sender_bound"
    DELEGATED = "delegated"
    UNBOUND = "unbound"
    PROOF_MISSING = "proof_missing"
    PROOF_FORM = "proof_form"
    PROOF_KEY = "proof_key"
    PROOF_SIGNATURE = "proof_signature"
    PROOF_TARGET = "proof_target"
    PROOF_TOKEN = "proof_token"  # noqa: S105 - as above
    PROOF_TIME = "proof_time"
    PROOF_NONCE = "proof_nonce"
    PROOF_REPLAY = "proof_replay"


def refuse(reason: Refusal) -> NoReturn:
    """Raise the refusal.

    Raises:
        TokenRefused: always; it carries the code alone, no part of the token. The cause is cut off too, because
            a JSON or base64 error quotes what it read.
    """
    raise TokenRefused(reason.value) from None


def refuse_proof(reason: Refusal, nonce: str = "") -> NoReturn:
    """Raise the refusal of what was shown with a token that is bound to a key, or should be.

    Args:
        reason: the code.
        nonce: what the next proof has to hold, when that is what is wrong.

    Raises:
        TokenRefused: always; see ``refuse``.
    """
    raise TokenRefused(reason.value, is_of_proof=True, nonce=nonce) from None
