"""Full tiles of the ledger's tree as files, ``ledger/tiles/`` in the home folder, named as in c2sp.org/tlog-tiles.

They hold hashes alone, follow from the leaves, and are made anew when they are gone. A file is written whole or not at
all, and never replaced by another content.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.domain.errors import AuditUnavailable, LedgerCorrupt
from registry.storage.side_folder import sync_folder
from registry.transparency._codec import HASH_BYTES
from registry.transparency.tiles import WIDTH, Tile

NAME = "tiles"
_BYTES = WIDTH * HASH_BYTES
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
_CAUSES = {errno.ENOSPC: "disk_full", errno.EDQUOT: "disk_full", errno.EROFS: "read_only"}


class TileFiles:
    """Keeps full tiles of hashes."""

    def __init__(self, folder: Path) -> None:
        """Keep where.

        Args:
            folder: of the ledger's side files; it exists.
        """
        self._root = folder / NAME

    def get(self, tile: Tile) -> bytes | None:
        """Return a tile as kept; None when there is none, or what is there is not as long as a tile.

        Raises:
            AuditUnavailable: it cannot be read.
        """
        with _named():
            try:
                file = os.open(self._root / tile.path, _READ)
            except FileNotFoundError:
                return None
            with os.fdopen(file, "rb") as stream:
                raw = stream.read(_BYTES + 1)
            return raw if len(raw) == _BYTES else None

    def put(self, tile: Tile, raw: bytes) -> None:
        """Keep a full tile, durably.

        Raises:
            LedgerCorrupt: another content is kept under this name.
            AuditUnavailable: it cannot be written.
        """
        present = self.get(tile)
        if present == raw:
            return
        if present is not None:
            raise LedgerCorrupt("a tile that was written before has another content")
        path = self._root / tile.path
        with _named():
            self._make(path.parent)
            unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
            file = os.open(unfinished, _WRITE, _FILE_MODE)
            with os.fdopen(file, "wb") as stream:
                stream.write(raw)
                stream.flush()
                os.fsync(file)
            unfinished.replace(path)
            sync_folder(path.parent)

    def names(self) -> Iterator[str]:
        """Yield the name of every file that stands among the tiles, as ``Tile.path`` writes it; unfinished ones not.

        Raises:
            AuditUnavailable: the folder cannot be read.
        """
        with _named():
            for path in self._root.rglob("*") if self._root.is_dir() else ():
                if path.name[:1] != "." and not path.is_dir():
                    yield path.relative_to(self._root).as_posix()

    def set_aside(self) -> None:
        """Keep all tiles under another name, as evidence of what they were, and begin with none.

        Raises:
            AuditUnavailable: they cannot be moved.
        """
        with _named(), contextlib.suppress(FileNotFoundError):
            number = 1 + sum(1 for _ in self._root.parent.glob(f"{NAME}.set-aside-*"))
            self._root.rename(self._root.with_name(f"{NAME}.set-aside-{number}"))
            sync_folder(self._root.parent)

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        if folder != self._root:
            self._make(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(_FOLDER_MODE)
        sync_folder(folder.parent)


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        raise AuditUnavailable(_CAUSES.get(failure.errno or 0, "storage_error")) from None
