"""Why a key is not given, in one word each: what a problem document and readiness say as ``cause``."""

from __future__ import annotations

from typing import Final

SEALED: Final = "key_service_sealed"
LOCKED: Final = "key_service_locked"
DISABLED: Final = "key_service_disabled"
FORBIDDEN: Final = "key_service_forbidden"
THROTTLED: Final = "key_service_throttled"
UNREACHABLE: Final = "key_service_unreachable"
WRONG_VERSION: Final = "key_service_version"
WRONG_KEY: Final = "key_service_wrong_key"
FAILED: Final = "key_service_failed"
ERASED: Final = "key_erased"

# The file is whole and the service refused nothing: what it gave back is not what was sealed.
GIVES_ANOTHER: Final = "of the key service opens, and gives another key than"


def not_the_key_of(name: str, purpose: str, service_key: str) -> str:
    """Say that a key file opens to another key than its id says; whether the service or the file is wrong is not seen.

    Args:
        name: of the file.
        purpose: of the key that it should hold.
        service_key: the key of the service that opened it.
    """
    which = "put back the service's state, or the file if it was exchanged"
    return f"{name} does not hold the {purpose} key it should: {service_key} {GIVES_ANOTHER} {name} holds; {which}"
