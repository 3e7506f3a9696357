"""Stamped checkpoints, ``ledger/anchors/`` in the home folder: evidence that cannot be asked for again.

<size>.checkpoint    the note as it was stamped
<size>.<name>.tsr    what an authority answered
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path

from registry.services.anchors import Kept
from registry.storage.side_folder import SideFolder, named_storage, sync_folder

NAME = "anchors"
_TOKEN = re.compile(r"([1-9][0-9]{0,18})\.([a-z0-9-]{1,32})\.tsr")


class AnchorFiles:
    """The shelf of ``services.anchors``, as files."""

    def __init__(self, folder: Path) -> None:
        """Keep where.

        Args:
            folder: of the ledger's side files; it exists.
        """
        self._path = folder / NAME
        self._folder = SideFolder(self._path)

    def put(self, size: int, note: str, name: str, token: bytes) -> None:
        """Keep a token with what it is over; the checkpoint is durable first."""
        self._folder.put(f"{size}.checkpoint", note.encode())
        self._folder.put(f"{size}.{name}.tsr", token)

    def kept(self) -> tuple[Kept, ...]:
        """Return all, by size."""
        tokens: dict[int, dict[str, bytes]] = {}
        with named_storage():
            for path in sorted(self._path.glob("*.tsr")):
                named = _TOKEN.fullmatch(path.name)
                if named is not None:
                    tokens.setdefault(int(named[1]), {})[named[2]] = path.read_bytes()
            return tuple(
                Kept(size, (self._path / f"{size}.checkpoint").read_text("utf-8"), tokens[size])
                for size in sorted(tokens)
            )

    def set_aside(self, beyond: int, suffix: str) -> None:
        """Keep what was stamped over more entries than a size in a folder of its own: it is of another history.

        Raises:
            AuditUnavailable: ``storage_error``.
        """
        with named_storage():
            found = [path for path in sorted(self._path.glob("*")) if _size_of(path.name) > beyond]
            aside = self._path.with_name(f"{NAME}.{suffix}")
            if found:
                aside.mkdir(0o700, exist_ok=True)
            for path in found:
                path.rename(aside / path.name)
            for folder in (aside, self._path, self._path.parent) if found else ():
                sync_folder(folder)

    def turn(self) -> AbstractContextManager[bool]:
        """Try to be the one process that asks; gives whether this one is."""
        return self._folder.turn()


def _size_of(name: str) -> int:
    digits = name.partition(".")[0]
    return int(digits) if digits.isdecimal() else -1
