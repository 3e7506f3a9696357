"""How a server ends: it says so, refuses what is new, answers what is at work, and only then closes.

1. SIGTERM or SIGINT: ``/readyz`` answers 503 at once; for the time of the notice everything is served as before, so
   that whoever shares out requests can stop sending any.
2. New requests get 503 ``ending`` and a closed connection; those at work, and the lookups that wait in the lane, are
   answered. At least for as long as a client needs to hear of it, at most ``DRAIN_SECONDS``.
3. Listening and idle connections are closed, and then the registry.

A second signal ends the process where it is, and so does an end that takes too long: as a crash does, which the ledger
is made for.
"""

from __future__ import annotations

import os
import threading
import time
from types import FrameType

import uvicorn

from registry.services.ending import Ending

DRAIN_SECONDS = 30.0
CLOSE_SECONDS = 10.0
REFUSE_SECONDS = 0.5
_BY_SIGNAL = 128  # as shells say it: 128 and the signal's number
_TOO_LATE = 1


class DrainingServer(uvicorn.Server):
    """A server that ends in this order."""

    def __init__(self, config: uvicorn.Config, ending: Ending, notice_seconds: float = 0.0) -> None:
        """Take what is told of the end.

        Args:
            config: of uvicorn.
            ending: of the registry that is served.
            notice_seconds: how long to serve on after the end was announced.
        """
        super().__init__(config)
        self._ending = ending
        self._notice = notice_seconds
        self._refuse_at = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the parameters are uvicorn's
        """Begin to end; told again, end."""
        if self._ending.is_announced:
            os._exit(_BY_SIGNAL + sig)
        self._ending.announce()

    async def on_tick(self, counter: int) -> bool:
        """Tell, ten times a second, whether it is time to close."""
        if await super().on_tick(counter):
            return True
        if not self._ending.is_announced:
            return False
        now = time.monotonic()
        if not self._refuse_at:
            self._refuse_at = now + self._notice
            self._end_at_last(self._notice + DRAIN_SECONDS + CLOSE_SECONDS)
        if now < self._refuse_at:
            return False
        self._ending.refuse()
        taken = now - self._refuse_at
        self.config.timeout_graceful_shutdown = max(1, int(DRAIN_SECONDS - taken))
        is_idle = not self.server_state.tasks and taken >= REFUSE_SECONDS
        return is_idle or taken >= DRAIN_SECONDS

    @staticmethod
    def _end_at_last(seconds: float) -> None:
        def end() -> None:
            time.sleep(seconds)
            os._exit(_TOO_LATE)

        threading.Thread(target=end, name="end at last", daemon=True).start()
