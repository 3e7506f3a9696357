"""Stamped checkpoints, ``ledger/anchors/`` in the home folder: evidence that cannot be asked for again.

<size>.checkpoint    the note as it was stamped
<size>.<name>.tsr    what an authority answered
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from pathlib import Path

from registry.services.anchors import Kept
from registry.storage.side_folder import SideFolder, named_storage

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

    def turn(self) -> AbstractContextManager[bool]:
        """Try to be the one process that asks; gives whether this one is."""
        return self._folder.turn()
