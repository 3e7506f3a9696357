"""Not asking a key service that is down: a batch of lookups must not wait once for each key."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock

from registry.domain.errors import KeyUnavailable

# After a failure nobody asks for this long, except one who tries.
PAUSE_SECONDS = 1.0


class Pause:
    """Remembers the last failure of a service. Safe to share between threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._failed: KeyUnavailable | None = None
        self._until = -math.inf

    def refuse(self) -> None:
        """Return if the service may be asked.

        Raises:
            KeyUnavailable: it failed a moment ago; the same cause again.
        """
        with self._lock:
            if self._failed is None:
                return
            now = self._monotonic()
            if now < self._until:
                raise KeyUnavailable(self._failed.cause, self._failed.code)
            self._until = now + PAUSE_SECONDS  # this caller tries; the others wait for what becomes of it

    def failed(self, error: KeyUnavailable) -> None:
        """Note that the service itself failed: not one key, and not what one caller asked."""
        with self._lock:
            self._failed, self._until = error, self._monotonic() + PAUSE_SECONDS

    def worked(self) -> None:
        """Note that the service answered."""
        with self._lock:
            self._failed = None
