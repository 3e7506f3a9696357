"""One writer at a time on SQLite, in this process and among processes, without busy waiting.

SQLite's own busy handler sleeps and starves writers (stalls of seconds were measured); a file lock queues them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.domain.errors import AuditUnavailable

WAIT_SECONDS = 20.0


class WriterTurn:
    """A lock over threads, and a file lock over processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()
        self._descriptor: int | None = None
        self._place: _Place | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the turn inside the block.

        Raises:
            AuditUnavailable: it was not our turn within ``WAIT_SECONDS``, or the lock file cannot be used.
        """
        until = time.monotonic() + WAIT_SECONDS
        if not self._threads.acquire(timeout=WAIT_SECONDS):
            raise AuditUnavailable("locked")
        try:
            descriptor = self._open()
            self._wait(descriptor, until)
            try:
                yield
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def close(self) -> None:
        """Let go of the lock file."""
        with self._threads:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _wait(self, descriptor: int, until: float) -> None:
        try:
            if self._place is None and _is_free(descriptor):
                return
            if self._place is None or not self._place.claim():
                self._place = _Place(os.dup(descriptor))
            is_ours = self._place.wait(until - time.monotonic())
        except (OSError, RuntimeError):  # no descriptor, no thread
            raise AuditUnavailable("storage_error") from None
        if not is_ours:
            raise AuditUnavailable("locked")
        self._place = None

    def _open(self) -> int:
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as exc:
                full = exc.errno in (errno.ENOSPC, errno.EDQUOT)
                raise AuditUnavailable("disk_full" if full else "read_only") from None
        return self._descriptor


class _Place:
    """A place in the queue among processes, kept by a thread: ``flock`` itself cannot be told when to give up.

    Who gives up leaves the place standing for the next of this process. Where there is none when the turn comes, it
    goes to the next process at once. The place has a descriptor of its own, and so outlives the lock file's.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._changed = threading.Condition()
        self._is_wanted = True
        self._has_come = False
        self._is_over = False
        threading.Thread(target=self._queue, name="writer-turn", daemon=True).start()

    def claim(self) -> bool:
        """Take over the place that somebody gave up; False when it is no more."""
        with self._changed:
            self._is_wanted = not self._is_over
            return self._is_wanted

    def wait(self, seconds: float) -> bool:
        """Wait for the turn; False when it did not come in time."""
        with self._changed:
            self._is_wanted = self._changed.wait_for(lambda: self._is_over, max(0.0, seconds))
            return self._has_come

    def _queue(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            has_come = True
        except OSError:
            has_come = False
        with self._changed:
            if has_come and not self._is_wanted:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self._has_come = has_come and self._is_wanted
            self._is_over = True
            self._changed.notify_all()
        os.close(self._descriptor)


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
