"""A folder of small files beside the ledger's database: written whole or not at all, by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.domain.errors import AuditUnavailable

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class SideFolder:
    """One such folder; made when something is first put there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, name: str, content: bytes) -> None:
        """Write a file: durable under its name when this returns, and nothing of it otherwise.

        Raises:
            AuditUnavailable: ``storage_error``.
        """
        with named_storage():
            self.path.mkdir(_FOLDER_MODE, exist_ok=True)
            unfinished = self.path / f".{name}.{os.getpid()}.unfinished"
            file = os.open(unfinished, _WRITE, _FILE_MODE)
            with os.fdopen(file, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(file)
            unfinished.replace(self.path / name)
            sync_folder(self.path)

    def set_aside(self, suffix: str) -> None:
        """Keep the folder, if there is one, under another name: it is evidence.

        Raises:
            AuditUnavailable: ``storage_error``.
        """
        with named_storage(), contextlib.suppress(FileNotFoundError):
            self.path.rename(self.path.with_name(f"{self.path.name}.{suffix}"))
            sync_folder(self.path.parent)

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Try to be the one process that writes here; gives whether this one is."""
        with named_storage():
            self.path.mkdir(_FOLDER_MODE, exist_ok=True)
            folder = _open(self.path)
        try:
            yield _taken(folder)
        finally:
            os.close(folder)


def sync_folder(path: Path) -> None:
    """Make what was named or renamed in a folder durable.

    Raises:
        OSError: the disk.
    """
    folder = _open(path)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def named_storage() -> Iterator[None]:
    """Name what goes wrong with a file.

    Raises:
        AuditUnavailable: ``storage_error``.
    """
    try:
        yield
    except (OSError, UnicodeDecodeError):
        raise AuditUnavailable("storage_error") from None


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _taken(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
