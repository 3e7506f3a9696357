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
