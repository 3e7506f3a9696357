"""Running a transaction again that lost against another one.

With several writers at once, a database may end a transaction because another came first: two people enrolled with
one employee number, one Idempotency-Key sent twice, a deadlock. It is rolled back whole; what was read in it is stale,
so it is the whole function that is run again, decisions included, never a single statement.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from registry.domain.errors import Contended

# Whoever came first is let through: a loser that is at once back may take the freed row before it, and lose again.
_PAUSE_SECONDS = 0.02

P = ParamSpec("P")
R = TypeVar("R")


def rerun_once(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function again, once, when its transaction lost against another one.

    Every function of this room that opens a write transaction has this (tests/architecture/test_rules.py): it must be
    possible to call it twice with the same arguments. An unknown outcome, such as a connection lost while committing,
    is never run again here.

    Raises:
        Contended: it lost a second time; nothing was kept.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Contended:
            time.sleep(_PAUSE_SECONDS)
            return function(*args, **kwargs)

    return run
