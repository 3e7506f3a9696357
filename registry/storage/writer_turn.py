"""One writer at a time on SQLite, in this process and among processes, without busy waiting.

SQLite's own busy handler sleeps and starves writers (stalls of seconds were measured); a file lock queues them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
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

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the turn inside the block.

        Raises:
            AuditUnavailable: it was not our turn within ``WAIT_SECONDS``, or the lock file cannot be used.
        """
        if not self._threads.acquire(timeout=WAIT_SECONDS):
            raise AuditUnavailable("locked")
        try:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError:
                raise AuditUnavailable("storage_error") from None
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

    def _open(self) -> int:
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as exc:
                full = exc.errno in (errno.ENOSPC, errno.EDQUOT)
                raise AuditUnavailable("disk_full" if full else "read_only") from None
        return self._descriptor
