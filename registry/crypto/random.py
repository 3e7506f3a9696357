"""Randomness for keys, nonces and salts."""

from __future__ import annotations

import os


def random_bytes(count: int) -> bytes:
    """Return that many bytes from the operating system's generator.

    Nothing is buffered in the process, so a forked worker never repeats its parent's bytes.
    """
    return os.urandom(count)
