"""File operations of this process that fail at a chosen step: each opening to write, write, fsync, rename, folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, BinaryIO, Self, cast

import pytest


class How(StrEnum):
    """What a failing step did before it said so."""

    NOT_DONE = "not done"
    HALF_DONE = "half done"  # a write that wrote half; as NOT_DONE for every other step
    DONE = "done, and reported failed"


class FileFaults:
    """Counts steps while armed and fails those chosen."""

    def __init__(self) -> None:
        self._fails: frozenset[int] = frozenset()
        self._is_armed = False
        self._how = How.NOT_DONE
        self._error = errno.EIO
        self.steps: list[str] = []

    @contextmanager
    def armed(self, how: How, error: int, *fails: int) -> Iterator[None]:
        """Fail the steps with these numbers, from 0, in a block."""
        self.steps, self._fails, self._how, self._error, self._is_armed = [], frozenset(fails), how, error, True
        try:
            yield
        finally:
            self._is_armed = False

    def step(self, name: str, act: Callable[[], Any], half: Callable[[], Any] = lambda: None) -> Any:
        """Do something, or fail."""
        if not self._is_armed:
            return act()
        self.steps.append(name)
        if len(self.steps) - 1 not in self._fails:
            return act()
        {How.NOT_DONE: lambda: None, How.HALF_DONE: half, How.DONE: act}[self._how]()
        raise OSError(self._error, os.strerror(self._error))


class _Stream:
    """A file whose writes are steps."""

    def __init__(self, faults: FileFaults, stream: BinaryIO) -> None:
        self._faults = faults
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write(self, raw: bytes) -> int:
        half = raw[: len(raw) // 2]
        return cast(
            "int", self._faults.step("write", lambda: self._stream.write(raw), lambda: self._stream.write(half))
        )

    def flush(self) -> None:
        self._stream.flush()


def infect_files(monkeypatch: pytest.MonkeyPatch) -> FileFaults:
    """Have the file operations of this process go through faults, until the test ends."""
    faults, real_open, real_fdopen = FileFaults(), os.open, os.fdopen

    def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        def act() -> int:
            return real_open(path, flags, *rest, **more)

        return cast("int", faults.step("open", act)) if flags & os.O_CREAT else act()

    def fdopened(file: int, mode: str = "r", *rest: Any, **more: Any) -> Any:
        stream = real_fdopen(file, mode, *rest, **more)
        return _Stream(faults, cast("BinaryIO", stream)) if mode == "wb" else stream

    for name in ("fsync", "replace", "rename", "mkdir"):
        monkeypatch.setattr(os, name, _stepped(faults, name, getattr(os, name)))
    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "fdopen", fdopened)
    return faults


def _stepped(faults: FileFaults, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given, **more: faults.step(name, lambda: real(*given, **more))
