"""The list of who was erased, beside the keys: a backup from before an erasure still has their wrapped keys.

The file ``erased`` of the key folder has one keyed tag for each person and subject that was taken out, in ascending
order, and a checksum::

    registry-erased/v1
    1c9a7e0d5b3f48261c9a7e0d5b3f4826
    checksum: <SHA-256 of the lines above, hexadecimal>

It names nobody, and without the keys nobody can add to it. Whoever is on it has no key here any more, whatever a
restored database holds, and is taken out again when the registry goes on with that database.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable
from pathlib import Path

from registry.crypto.tags import TagKey
from registry.domain.errors import KeyUnavailable
from registry.keys.causes import ERASED
from registry.keys.key_files import checked_lines, open_folder, read_file, replace_file, with_checksum

NAME = "erased"
_HEADER = "registry-erased/v1"
_DOMAIN = "registry/erased/v1"
_TAG = re.compile(r"[0-9a-f]{32}")
_MAX_BYTES = 64 * 2**20  # two million lines
_Stamp = tuple[int, int, int]


class ErasedList:
    """Who was erased, read again when another process added somebody. Safe to share between threads."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        """Take the key folder and the key of the tags, one that is never exchanged."""
        self._folder = folder
        self._key = TagKey(secret, _DOMAIN)
        self._read: tuple[_Stamp | None, frozenset[str]] = (None, frozenset())

    def covers(self, one: str) -> bool:
        """Tell whether a person or subject was erased, by id: a system call when nothing changed.

        Raises:
            KeyUnavailable: the list cannot be read, or is damaged; then nobody can tell.
        """
        return one in self.among((one,))

    def among(self, several: Iterable[str]) -> frozenset[str]:
        """Return which of several persons or subjects were erased, by id: one system call when nothing changed.

        Raises:
            KeyUnavailable: as ``covers``.
        """
        lines = self._lines()
        return frozenset(one for one in several if self._tag(one) in lines)

    @property
    def is_empty(self) -> bool:
        """Whether nobody was erased.

        Raises:
            KeyUnavailable: as ``covers``.
        """
        return not self._lines()

    def demand_kept(self, person: str) -> None:
        """Check that a person may have a key here.

        Raises:
            KeyUnavailable: they were erased; or as ``covers``.
        """
        if self.covers(person):
            raise KeyUnavailable("whose key this is was erased; what a backup has of it is not opened", ERASED)

    def add(self, several: Iterable[str]) -> int:
        """Add ids, durably; returns how many are new.

        Raises:
            KeyUnavailable: the folder cannot be read or written, or the list is damaged.
        """
        tags = {self._tag(one) for one in several}
        if tags <= self._lines():
            return 0
        descriptor = open_folder(self._folder)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # as a change of the keys themselves
            known = self._lines()
            lines = "".join(f"{tag}\n" for tag in sorted(known | tags))
            replace_file(descriptor, NAME, with_checksum(f"{_HEADER}\n{lines}"))
        except OSError as error:
            raise KeyUnavailable(f"{self._folder / NAME} cannot be written: {error.strerror}") from None
        finally:
            os.close(descriptor)
        return len(tags - known)

    def set_aside(self) -> None:
        """Give a damaged list another name, so that one can be made anew.

        Raises:
            KeyUnavailable: the folder cannot be written.
        """
        path = self._folder / NAME
        try:
            path.rename(path.with_name(f"{NAME}.damaged-{path.stat().st_mtime_ns}"))
        except OSError as error:
            raise KeyUnavailable(f"{path} cannot be moved: {error.strerror}") from None

    def _lines(self) -> frozenset[str]:
        stamp = self._stamp()
        known, lines = self._read
        if stamp == known:
            return lines
        lines = frozenset() if stamp is None else self._load()
        self._read = (stamp, lines)
        return lines

    def _stamp(self) -> _Stamp | None:
        try:
            facts = (self._folder / NAME).lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyUnavailable(f"{self._folder / NAME} cannot be read: {error.strerror}") from None
        return facts.st_ino, facts.st_mtime_ns, facts.st_size

    def _load(self) -> frozenset[str]:
        path = self._folder / NAME
        descriptor = open_folder(self._folder)
        try:
            lines = checked_lines(read_file(self._folder, descriptor, NAME, _MAX_BYTES), _HEADER, str(path))
        finally:
            os.close(descriptor)
        if not all(map(_TAG.fullmatch, lines)):
            raise KeyUnavailable(f"{path} is not a list of who was erased; run: registry audit fsck --repair")
        return frozenset(lines)

    def _tag(self, one: str) -> str:
        return self._key.tag(one.encode()).hex()
