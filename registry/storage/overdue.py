"""Connections to PostgreSQL that do not wait for ever.

The server's own limits end what it is working on. A server that hangs, a standby that never confirms and a path that
swallows packets say nothing at all, and the driver would wait until somebody comes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from functools import cache
from typing import Any

# Longer than the server's own limits on a lock and on a statement, so that those come first and say more.
LIMIT_SECONDS = 35.0

_Waiting = Generator[Any, Any, Any]


@cache
def connection_class(driver: Any) -> Any:
    """Return the class of connections of the driver, psycopg, with a limit on silence.

    Beyond it the connection is closed and ``QueryCanceled`` raised: what it was doing may have been done.
    """

    class BoundedConnection(driver.Connection):  # type: ignore[misc]  # an embedded registry has no driver to name here
        limit_seconds: float | None = None

        def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
            limit = LIMIT_SECONDS if self.limit_seconds is None else self.limit_seconds
            return super().wait(self._heard(gen, limit), *arguments, **options)

        def _heard(self, gen: _Waiting, limit: float) -> _Waiting:
            """Run what the driver waits with: it is resumed ten times a second, with nothing while all is silent."""
            heard_at = time.monotonic()
            try:
                wanted = next(gen)
                while True:
                    ready = yield wanted
                    now = time.monotonic()
                    if ready:
                        heard_at = now
                    elif now - heard_at > limit:
                        self.pgconn.finish()
                        raise driver.errors.QueryCanceled("no answer")
                    wanted = gen.send(ready)
            except StopIteration as end:
                return end.value

    return BoundedConnection


def wait_for_ever(connection: Any) -> None:
    """Take the limit off a connection of the driver."""
    connection.limit_seconds = math.inf
