"""An end to every exchange: timeouts of a socket begin anew with each byte, and whoever drips would never reach one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_AGAIN_SECONDS = 0.2


@contextmanager
def ending_after(seconds: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Run a block whose connection is shut down after a time; what waits for it then fails.

    Args:
        seconds: from now.
        connection: gives the socket, or None before there is one.
    """
    is_done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(is_done, seconds, connection), name="deadline", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        is_done.set()
        watcher.join()


def _watch(is_done: threading.Event, seconds: float, connection: Callable[[], socket.socket | None]) -> None:
    wait = seconds
    while not is_done.wait(wait):
        wait = _AGAIN_SECONDS  # there may be no socket yet, or another one by then
        found = connection()
        if found is not None:
            with suppress(OSError):
                # Not through TLS, which would say goodbye first.
                socket.socket.shutdown(found, socket.SHUT_RDWR)
