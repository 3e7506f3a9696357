"""What a refusal of AWS KMS means. No text of an answer is passed on, only its code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as ConnectionFailed

from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.causes import DISABLED, FAILED, FORBIDDEN, THROTTLED, UNREACHABLE, WRONG_KEY

_DISABLED = "is disabled; enable it at AWS: aws kms enable-key"
_UNUSABLE = "is not usable now, pending deletion perhaps; look at it at once: aws kms describe-key"
_LOST = "is not there; was it deleted, or is it another region or account?"
_OTHER = "is not the key that wrapped this; was the alias or the file of the key folder exchanged?"
_BUSY = "is not served now, says AWS KMS"
_MAY_NOT = "may not be used so, says AWS KMS; compare the policies of key and role with docs/operations.md"
_WHO = "cannot be used: AWS refuses the credentials that the SDK found"
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "DisabledException": (_DISABLED, DISABLED),
    "KMSInvalidStateException": (_UNUSABLE, DISABLED),
    "NotFoundException": (_LOST, WRONG_KEY),
    "InvalidArnException": (_LOST, WRONG_KEY),
    "IncorrectKeyException": (_OTHER, WRONG_KEY),
    "InvalidKeyUsageException": ("is of another kind; it must be symmetric, to encrypt and decrypt", WRONG_KEY),
    "AccessDeniedException": (_MAY_NOT, FORBIDDEN),
    **dict.fromkeys(
        (
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "MissingAuthenticationToken",
            "ExpiredTokenException",
            "RequestExpired",
        ),
        (_WHO, FORBIDDEN),
    ),
    **dict.fromkeys(
        (
            "ThrottlingException",
            "Throttling",
            "RequestLimitExceeded",
            "LimitExceededException",
        ),
        ("is asked for more often than AWS KMS allows", THROTTLED),
    ),
    **dict.fromkeys(
        ("KeyUnavailableException", "DependencyTimeoutException", "ServiceUnavailable", "ServiceUnavailableException"),
        (_BUSY, UNREACHABLE),
    ),
}
# These are about the service, not about one key or one question: who asks next would learn the same.
_PAUSING = frozenset({THROTTLED, UNREACHABLE, FAILED})


def meaning(error: BotoCoreError | ClientError, name: str) -> KeyUnavailable | EnvelopeRejected:
    """Return what an exception of the SDK means for who asked.

    Args:
        error: as the SDK raised it.
        name: of the key that was asked for.
    """
    if isinstance(error, ClientError):
        code = _code(error.response)
        if code == "InvalidCiphertextException":
            return EnvelopeRejected("a wrapped key does not open")
        why, cause = _MEANINGS.get(code, ("is refused with an error of AWS KMS itself", FAILED))
        return KeyUnavailable(f"{name} {why}", cause)
    if isinstance(
        error, HTTPClientError | ConnectionFailed
    ):  # unreachable, too slow, its certificate, a connection that broke
        return KeyUnavailable(f"AWS KMS cannot be reached: {type(error).__name__}", UNREACHABLE)
    if isinstance(
        error,
        NoCredentialsError
        | PartialCredentialsError
        | CredentialRetrievalError
        | NoAuthTokenError
        | TokenRetrievalError
        | ProfileNotFound,
    ):
        return KeyUnavailable(f"the AWS SDK finds no credentials to use: {type(error).__name__}", FORBIDDEN)
    return KeyUnavailable(f"the AWS SDK fails: {type(error).__name__}", FAILED)


def is_of_the_service(error: KeyUnavailable) -> bool:
    """Return whether whoever asks next would learn the same."""
    return error.code in _PAUSING


def _code(response: Mapping[str, Any]) -> str:
    found = response.get("Error")
    code = found.get("Code") if isinstance(found, Mapping) else None
    return code if isinstance(code, str) else ""
