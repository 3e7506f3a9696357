"""A word that opens a key service, from a file of its own: a secret id, a PIN."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from registry.domain.errors import KeyUnavailable
from registry.keys.causes import FORBIDDEN

_LONGEST = 1_024


def read_secret(path: Path, what: str) -> str:
    """Read the one word of a file.

    The file may be a link and may belong to root, as with container engines; it must not be open to others.

    Args:
        path: the file.
        what: what it holds, for messages, such as ``secret id``.

    Raises:
        KeyUnavailable: missing, open to others, or not one word.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyUnavailable(f"{path}, the {what}'s file, cannot be opened: {error.strerror}", FORBIDDEN) from None
    try:
        facts = os.fstat(file)
        if not stat.S_ISREG(facts.st_mode):
            raise KeyUnavailable(f"{path}, the {what}'s file, is not a regular file", FORBIDDEN)
        if facts.st_uid not in (os.geteuid(), 0) or facts.st_mode & 0o027:
            raise KeyUnavailable(f"{path}, the {what}'s file, is open to others; run: chmod 400 {path}", FORBIDDEN)
        content = os.read(file, _LONGEST + 2)
    except OSError as error:
        raise KeyUnavailable(f"{path}, the {what}'s file, cannot be read: {error.strerror}", FORBIDDEN) from None
    finally:
        os.close(file)
    text = content.decode("ascii", "replace").removesuffix("\n")
    if not 0 < len(text) <= _LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise KeyUnavailable(f"{path} does not hold a {what}, and nothing else", FORBIDDEN)
    return text
