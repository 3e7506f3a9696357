"""Who was admitted a moment ago, so that the order "token, role, body" costs no query on the hot route.

Remembering an admission opens nothing: the lookup itself is decided on roles read in its own transaction. Only a
caller with the role is remembered; every refusal goes the long way, to an entry.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from registry.domain.principals import Principal, Role
from registry.services.kernel import Caller, Kernel

SECONDS = 2.0
CAPACITY = 10_000


class Admissions:
    """Remembers admissions for two seconds."""

    def __init__(self, kernel: Kernel, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._kernel = kernel
        self._monotonic = monotonic
        self._kept: dict[tuple[Caller, frozenset[Role]], tuple[float, Principal]] = {}
        self._lock = threading.Lock()

    def recall(self, caller: Caller, roles: frozenset[Role]) -> Principal | None:
        """Return who was admitted as this very caller with these roles a moment ago. Never blocks."""
        until, principal = self._kept.get((caller, roles), (0.0, None))
        return principal if self._monotonic() < until else None

    def admit(self, caller: Caller, roles: frozenset[Role], action: str) -> Principal:
        """Admit a caller by the principals table.

        Raises:
            AccessDenied: none of the roles; the refusal is an entry.
        """
        principal = self._kernel.admit(caller, roles, action)
        with self._lock:
            if len(self._kept) >= CAPACITY:
                self._kept.clear()
            self._kept[caller, roles] = (self._monotonic() + SECONDS, principal)
        return principal
