"""The demonstration's folder: one per run, marked, locked while in use, replaced by the next run."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from registry.domain.errors import MisconfiguredHome

MARKER = ".registry-demo"
_HOME = "home"
_FILES = (
    "people.csv",
    "post.txt",
    "report.html",
    "report.pdf",
    "evidence.zip",
    "evidence-flipped.zip",
    "verify_bundle.py",
    "ledger.vkey",
    "demo.log",
)


@dataclass(frozen=True, slots=True)
class Folder:
    """Where everything of one run goes."""

    path: Path

    @property
    def home(self) -> Path:
        """The registry's home folder."""
        return self.path / _HOME

    def file(self, name: str) -> Path:
        """Return the path of one of the run's files."""
        if name not in _FILES:
            raise ValueError("not a file of the demonstration")
        return self.path / name

    def write(self, name: str, content: bytes) -> Path:
        """Write one of the run's files, readable by its owner only: some hold what the registry protects."""
        path = self.file(name)
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path

    def log(self) -> TextIO:
        """Open the run's log, line by line."""
        path = self.file("demo.log")
        path.touch(mode=0o600)
        return path.open("w", encoding="utf-8", buffering=1)


@contextmanager
def demo_folder(path: Path) -> Iterator[Folder]:
    """Make the folder, or empty a former one, and keep others out of it.

    Only what a demonstration writes is removed; anything else that somebody put there stays.

    Raises:
        MisconfiguredHome: the folder holds something else, is in use, or cannot be written.
    """
    folder = path.expanduser().absolute()
    try:
        descriptor = _claim(folder)
    except OSError:
        raise MisconfiguredHome(f"{folder} cannot be written; choose another folder with --dir") from None
    try:
        _clear(folder)
        yield Folder(folder)
    finally:
        os.close(descriptor)


def _claim(folder: Path) -> int:
    marker = folder / MARKER
    if folder.exists() and not marker.is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise MisconfiguredHome(f"{folder} is not a demonstration's folder and is not empty; choose another with --dir")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise MisconfiguredHome(f"a demonstration is running in {folder}; stop it or choose another folder") from None
    return descriptor


def _clear(folder: Path) -> None:
    try:
        if (folder / _HOME).is_dir():
            shutil.rmtree(folder / _HOME)
        for name in _FILES:
            (folder / name).unlink(missing_ok=True)
    except OSError:
        raise MisconfiguredHome(f"{folder} cannot be emptied; remove it or choose another with --dir") from None
