"""Characters read off images by tesseract, where it is installed: a process of its own with little that it may do.

It is given the image on its standard input and tells the text on its standard output: no file, and none may be
written. A small program of ours bounds its memory and its time and becomes it then: bounded from outside, it could
have begun others before. The only module of this room that starts a process.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from registry.documents.enlarged import enlarged
from registry.domain.errors import UnreadableDocument

_SECONDS = 90
_MEMORY_BYTES = 2 << 30
_OPEN_FILES = 64
# Sets limits, and becomes the program: no file may be written, no core dumped.
_BOUNDED = """
import os, resource as r, sys
memory, seconds, files = map(int, sys.argv[1:4])
for limit, most in ((r.RLIMIT_FSIZE, 0), (r.RLIMIT_CORE, 0), (r.RLIMIT_AS, memory), (r.RLIMIT_CPU, seconds),
                    (r.RLIMIT_NOFILE, files)):
    r.setrlimit(limit, (most, most))
os.execv(sys.argv[4], sys.argv[4:])
"""
_MOST_CHARACTERS = 2_000_000
_SEARCHED = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"
# It is compiled with a setting for what it finds where; nothing of ours is told to it.
_ENVIRONMENT = {"PATH": "/nonexistent", "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}


class ImageReader(Protocol):
    """Reads what an image shows."""

    def read(self, content: bytes) -> str:
        """Return the characters that an image shows, line by line.

        Args:
            content: a PNG, JPEG, TIFF, GIF or BMP whose header was checked.

        Raises:
            UnreadableDocument: ``broken_image``, ``image_too_slow``.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tesseract:
    """The program at ``path``."""

    path: str

    @classmethod
    def installed(cls) -> Tesseract | None:
        """Return it, None where it is not installed."""
        path = shutil.which("tesseract", path=_SEARCHED)
        return cls(path) if path is not None and sys.executable else None

    def read(self, content: bytes) -> str:
        """See ``ImageReader``."""
        bounded = [sys.executable, "-I", "-S", "-c", _BOUNDED, *map(str, (_MEMORY_BYTES, _SECONDS, _OPEN_FILES))]
        command = [*bounded, self.path, "stdin", "stdout", "--psm", "1", "-l", "eng"]
        pipe = subprocess.PIPE
        with subprocess.Popen(  # noqa: S603 - a fixed program, found in fixed places, with fixed arguments
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        ) as process:
            try:
                text, _ = process.communicate(enlarged(content), timeout=_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise UnreadableDocument("image_too_slow") from None
        if process.returncode < 0:
            raise UnreadableDocument("image_too_slow")  # ended by a limit
        if process.returncode:
            raise UnreadableDocument("broken_image")
        return text.decode("utf-8", "replace").replace("\f", "\n")[:_MOST_CHARACTERS]


def remembered(reader: ImageReader | None) -> ImageReader | None:
    """Return a reader that reads each image once, for a document and its copy."""
    return None if reader is None else RememberedImages(reader)


@dataclass(frozen=True, slots=True)
class RememberedImages:
    """Reads an image once, however often it stands in a document and its copy."""

    reader: ImageReader
    _texts: dict[bytes, str] = field(default_factory=dict, repr=False)

    def read(self, content: bytes) -> str:
        """See ``ImageReader``."""
        digest = sha256(content).digest()
        if digest not in self._texts:
            self._texts[digest] = self.reader.read(content)
        return self._texts[digest]
