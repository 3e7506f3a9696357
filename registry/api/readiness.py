"""What ``/readyz`` knows: one look at a time, kept for a moment, so that a flood of questions costs nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from registry.api.errors import problem_of
from registry.domain.errors import RegistryError

FRESH_SECONDS = 0.5
LIMIT_SECONDS = 5.0
OK = "ok"
_HANGS = "timed_out"
_NOT_REACHED = "not_checked"

Causes = Mapping[str, str]


class _Look:
    """One round of the checks, in a thread of its own."""

    def __init__(self, checks: Mapping[str, Callable[[], object]], began_at: float) -> None:
        self.began_at = began_at
        self.ended: Future[None] = Future()
        self._checks = checks
        self._found: dict[str, str] = {}
        # Not of the pool that works for requests, which a flood keeps busy; and a thread that hangs must not keep the
        # process from ending.
        threading.Thread(target=self._run, name="readiness", daemon=True).start()

    def causes(self) -> Causes:
        """Return what each check gave; the one that runs has timed out, those after it were not reached."""
        found = dict(self._found)
        for name in self._checks:
            if name not in found:
                found[name] = _NOT_REACHED if _HANGS in found.values() else _HANGS
        return found

    def _run(self) -> None:
        try:
            for name, check in self._checks.items():
                self._found[name] = _cause_of(check)
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it
            self.ended.set_exception(error)
        else:
            self.ended.set_result(None)


class Readiness:
    """Answers for every check ``ok`` or its cause, in fixed words. For one event loop."""

    def __init__(
        self, checks: Mapping[str, Callable[[], object]], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the checks.

        Args:
            checks: by name; each raises when what it tries is not in order. Called one after the other.
            monotonic: seconds that never go backwards.
        """
        self._checks = checks
        self._monotonic = monotonic
        self._known: Causes = {}
        self._known_at = 0.0
        self._look: _Look | None = None

    async def causes(self) -> Causes:
        """Return what was found at most half a second ago, or look anew; five seconds without a result are a cause."""
        now = self._monotonic()
        if self._known and now - self._known_at < FRESH_SECONDS:
            return self._known
        if self._look is None:
            self._look = _Look(self._checks, now)
        look = self._look
        try:
            left = max(0.0, LIMIT_SECONDS - (now - look.began_at))
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(look.ended)), left)
        except TimeoutError:
            pass  # what hangs is not looked at again before it is done: threads would pile up
        finally:
            if look.ended.done() and self._look is look:
                self._look = None
        self._known, self._known_at = look.causes(), self._monotonic()
        return self._known


def _cause_of(check: Callable[[], object]) -> str:
    """Return a word that names no host, path or key: the same that an answer 503 would give."""
    try:
        check()
    except RegistryError as error:
        problem = problem_of(error)
        return str(problem.members.get("cause", problem.code))
    return OK
