"""A zip archive in memory, as office documents are. Nothing is ever unpacked to a disk."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from functools import cached_property

from registry.documents.limits import MAX_ARCHIVE_BYTES, MAX_MEMBER_BYTES, MAX_MEMBERS, Budget
from registry.documents.xml_part import XmlPart
from registry.domain.errors import UnreadableDocument

_ENCRYPTED = 0x1
# A name with more digits than a program counts with, or with words.
_CHOSEN = re.compile(r"[0-9]{4}|[^\x00-\x7f ]|[ @]|[0-9][-_.][0-9]")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class Package:
    """The members of one archive."""

    def __init__(self, content: bytes, budget: Budget) -> None:
        """Read the archive's directory.

        Args:
            content: the archive.
            budget: of the file that it is or stands in.

        Raises:
            UnreadableDocument: ``broken_archive``, ``encrypted``, ``archive_too_large``.
        """
        self.budget = budget
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
        except _BROKEN:
            raise UnreadableDocument("broken_archive") from None
        entries = self._archive.infolist()
        if len(entries) > MAX_MEMBERS or sum(entry.file_size for entry in entries) > MAX_ARCHIVE_BYTES:
            raise UnreadableDocument("archive_too_large")
        if any(entry.flag_bits & _ENCRYPTED for entry in entries):
            raise UnreadableDocument("encrypted")
        self._entries = {entry.filename: entry for entry in entries}
        if len({name.lower() for name in self._entries}) != len(entries):
            # Readers differ in which of two they take.
            raise UnreadableDocument("broken_archive")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the members, folders left out, in the archive's order."""
        return tuple(name for name in self._entries if not name.endswith("/"))

    @cached_property
    def comments(self) -> tuple[str, ...]:
        """What the archive says about itself and its members, and names of members that somebody chose."""
        said = [self._archive.comment, *(entry.comment for entry in self._entries.values())]
        chosen = [name.rpartition("/")[2] for name in self._entries if _CHOSEN.search(name)]
        return (*(one.decode("utf-8", "replace") for one in said if one), *chosen)

    def read(self, name: str) -> bytes:
        """Return one member.

        Raises:
            UnreadableDocument: ``broken_archive``, ``archive_too_large``.
        """
        if self._entries[name].file_size > MAX_MEMBER_BYTES:
            raise UnreadableDocument("archive_too_large")
        try:
            with self._archive.open(self._entries[name]) as member:
                content = member.read(MAX_MEMBER_BYTES + 1)
        except _BROKEN:
            raise UnreadableDocument("broken_archive") from None
        if len(content) > MAX_MEMBER_BYTES:
            raise UnreadableDocument("archive_too_large")
        self.budget.unpack(len(content))
        return content

    def xml(self, name: str) -> XmlPart:
        """Return one member as XML.

        Raises:
            UnreadableDocument: as ``read``; ``not_text``.
        """
        return XmlPart(self.read(name), self.budget)

    def written(self, changed: Mapping[str, bytes | None]) -> bytes:
        """Return an archive with some members changed (None: left out), the others as they are.

        Comments, extra fields and whatever stood before or behind the archive are gone.
        """
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for name, entry in self._entries.items():
                content = changed[name] if name in changed else (b"" if entry.is_dir() else self.read(name))
                if content is None:
                    continue
                fresh = zipfile.ZipInfo(name, entry.date_time)
                fresh.external_attr = entry.external_attr
                is_plain = name == "mimetype" or entry.is_dir()
                fresh.compress_type = zipfile.ZIP_STORED if is_plain else zipfile.ZIP_DEFLATED
                archive.writestr(fresh, content)
        return target.getvalue()
