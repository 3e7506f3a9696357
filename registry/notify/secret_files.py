"""Reading secrets from files, each time they are used: a new one needs no restart, and settings hold none."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_LONGEST = 1_000
_OTHERS = 0o027  # what a group may change and others may do


def read_secret(path: Path) -> str:
    """Return the one line of a secret's file; it may belong to root, as with container engines.

    Raises:
        ValueError: open to others, no regular file, or not one line of ASCII.
        OSError: it cannot be read.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError("not a regular file")
        if facts.st_uid not in (os.geteuid(), 0) or facts.st_mode & _OTHERS:
            raise ValueError(f"open to others; run: chmod 400 {path}")
        content = os.read(file, _LONGEST + 2)
    finally:
        os.close(file)
    text = content.decode("ascii", "replace").removesuffix("\n")
    if not 0 < len(text) <= _LONGEST or not text.isascii() or not text.isprintable():
        raise ValueError("not one line of ASCII")
    return text
