"""Stamped checkpoints, ``ledger/anchors/`` in the home folder: evidence that cannot be asked for again.

<size>.checkpoint    the note as it was stamped
<size>.<name>.tsr    what an authority answered
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.domain.errors import AuditUnavailable
from registry.services.anchors import Kept

NAME = "anchors"
_TOKEN = re.compile(r"([1-9][0-9]{0,18})\.([a-z0-9-]{1,32})\.tsr")
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class AnchorFiles:
    """The shelf of ``services.anchors``, as files."""

    def __init__(self, folder: Path) -> None:
        """Keep where.

        Args:
            folder: of the ledger's side files; it exists.
        """
        self._path = folder / NAME

    def put(self, size: int, note: str, name: str, token: bytes) -> None:
        """Keep a token with what it is over; the checkpoint is durable first."""
        self._put(f"{size}.checkpoint", note.encode())
        self._put(f"{size}.{name}.tsr", token)

    def kept(self) -> tuple[Kept, ...]:
        """Return all, by size."""
        tokens: dict[int, dict[str, bytes]] = {}
        with _named():
            for path in sorted(self._path.glob("*.tsr")):
                named = _TOKEN.fullmatch(path.name)
                if named is not None:
                    tokens.setdefault(int(named[1]), {})[named[2]] = path.read_bytes()
            return tuple(
                Kept(size, (self._path / f"{size}.checkpoint").read_text("utf-8"), tokens[size])
                for size in sorted(tokens)
            )

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Try to be the one process that asks; gives whether this one is."""
        with _named():
            self._path.mkdir(_FOLDER_MODE, exist_ok=True)
            folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield _taken(folder)
        finally:
            os.close(folder)

    def _put(self, name: str, content: bytes) -> None:
        with _named():
            unfinished = self._path / f".{name}.unfinished"
            file = os.open(unfinished, _WRITE, _FILE_MODE)
            with os.fdopen(file, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(file)
            unfinished.replace(self._path / name)
            folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _taken(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError):
        raise AuditUnavailable("storage_error") from None
