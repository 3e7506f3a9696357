"""The file of the high-water mark: ``ledger/high-water`` in the home folder, replaced whole, and what keeps it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.audit.high_water import HighWater, mark_of, read_mark
from registry.audit.ports import HeadRow
from registry.domain.errors import MisconfiguredHome, ProofRejected, RegistryError
from registry.transparency.note import LedgerKeys

NAME = "high-water"
EVERY_SECONDS = 1.0
WAIT_SECONDS = 5.0
_LOOK_SECONDS = 0.01
_UNFINISHED = ".high-water.unfinished"
_MAX_BYTES = 65_536
_FILE_MODE = 0o600
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class HighWaterFile:
    """Reads and replaces the mark. Processes of one home folder take turns on the folder itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def path(self) -> Path:
        """Where the mark is."""
        return self._folder / NAME

    def read(self) -> bytes | None:
        """Return the mark as kept; None when there is none.

        Raises:
            MisconfiguredHome: it is there and cannot be read.
        """
        try:
            file = os.open(self.path, _READ)
        except FileNotFoundError:
            return None
        except OSError:
            raise MisconfiguredHome(f"{self.path} cannot be read; make it readable for this user") from None
        with os.fdopen(file, "rb") as stream:
            return stream.read(_MAX_BYTES)

    def replace(self, mark: HighWater) -> None:
        """Put another mark in place of the former one, durably; whole or not at all.

        Raises:
            OSError: the disk.
        """
        with self.turn() as folder:
            self._replace(folder, mark)

    def raise_to(self, newest: Callable[[], HighWater], verifier: LedgerKeys) -> HighWater:
        """Put the newest mark in place unless the one there is as high.

        Args:
            newest: reads the committed head; called after the present mark was read, so it can only be higher.
            verifier: the ledger's key; a mark that is not its own is replaced.

        Returns:
            The mark that is in place now.

        Raises:
            OSError: the disk.
        """
        with self.turn() as folder:
            present = self._present(verifier)
            mark = newest()
            if present is not None and present.size >= mark.size:
                return present
            self._replace(folder, mark)
            return mark

    def set_aside(self, suffix: str) -> None:
        """Keep the present mark, if there is one, under another name: it is evidence.

        Raises:
            OSError: the disk.
        """
        with self.turn() as folder, contextlib.suppress(FileNotFoundError):
            os.rename(NAME, f"{NAME}.{suffix}", src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    @contextmanager
    def turn(self) -> Iterator[int]:
        """Hold the folder against other processes; gives its descriptor.

        Raises:
            OSError: the disk, or another process held it for ``WAIT_SECONDS``: one that is stopped.
        """
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(folder, time.monotonic() + WAIT_SECONDS)
            yield folder
        finally:
            os.close(folder)

    def _present(self, verifier: LedgerKeys) -> HighWater | None:
        try:
            raw = self.read()
            return None if raw is None else read_mark(raw, verifier)
        except (MisconfiguredHome, ProofRejected):
            return None

    def _replace(self, folder: int, mark: HighWater) -> None:
        file = os.open(_UNFINISHED, _WRITE, _FILE_MODE, dir_fd=folder)
        with os.fdopen(file, "wb") as stream:
            stream.write(mark.render())
            stream.flush()
            os.fsync(file)
        os.replace(_UNFINISHED, NAME, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)


def _lock(folder: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(_LOOK_SECONDS)
        else:
            return


class HighWaterKeeper:
    """Raises the mark after commits: at most once a second while the registry is open, and at its end.

    It looks at the committed head, so it also sees what other processes appended. A mark that cannot be written
    stops no service, because the ledger itself is sound; it shows in ``is_behind``.
    """

    def __init__(
        self,
        file: HighWaterFile,
        read_head: Callable[[], HeadRow],
        verifier: LedgerKeys,
        seen: Callable[[int], None],
    ) -> None:
        """Start keeping.

        Args:
            file: where the mark is.
            read_head: reads the committed head.
            verifier: the ledger's key.
            seen: told how far the mark is, so that a database put back in use is refused the next entry.
        """
        self._file = file
        self._read_head = read_head
        self._verifier = verifier
        self._seen = seen
        self._kept = -1
        self._is_behind = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="high-water", daemon=True)
        self._thread.start()

    @property
    def size(self) -> int:
        """How far the mark is that this process last saw in place; -1 before the first look."""
        return self._kept

    @property
    def is_behind(self) -> bool:
        """Whether the last look could not put the mark where the ledger is."""
        return self._is_behind

    def keep(self) -> None:
        """Raise the mark to the committed head."""
        try:
            if self._read_head().size == self._kept:
                return
            self._kept = self._file.raise_to(self._newest, self._verifier).size
            self._is_behind = False
        except (OSError, RegistryError):
            # The disk or the database: whoever appends hears of it by name. Tried again in a second.
            self._is_behind = True
            return
        self._seen(self._kept)

    def close(self) -> None:
        """Stop looking, and raise the mark once more. Closing again does nothing."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join()
        self.keep()

    def _newest(self) -> HighWater:
        return mark_of(self._read_head(), self._verifier)

    def _work(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            self.keep()
