"""Lets the system calls of SQLite itself fail: what is below the driver, where a disk is full or broken.

SQLite has a table of the system calls that it makes, meant for tests. Its own code runs on them, so what is found out
is what SQLite does about a failed write, and what this program makes of that.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_WRITE = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64, use_errno=True
)
_TRUNCATE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int64, use_errno=True)
_POINTERS_BEFORE_CALLS = 13  # xOpen to xCurrentTimeInt64, in the third version of the structure


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("file_size", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("others", ctypes.c_void_p * _POINTERS_BEFORE_CALLS),
        ("set_call", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)),
        ("get_call", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)),
    )


@dataclass
class DiskFaults:
    """Counts the calls that write and lets one fail, or all from it on.

    Attributes:
        error: number of the error; 0 when none is to fail.
        at: which call, counted from when it was set.
        stays: all calls after it fail too.
        before: run before each call, if given: a disk that does not return.
    """

    error: int = 0
    at: int = 0
    stays: bool = False
    before: Callable[[], object] | None = None
    calls: int = 0
    fired: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, error: int, at: int, *, stays: bool) -> None:
        with self._lock:
            self.error, self.at, self.stays, self.calls, self.fired = error, at, stays, 0, 0

    def disarm(self) -> None:
        with self._lock:
            self.error = 0

    def fails(self) -> bool:
        if self.before is not None:
            self.before()
        with self._lock:
            number, self.calls = self.calls, self.calls + 1
            fails = bool(self.error) and (number == self.at or (self.stays and number > self.at))
            self.fired += fails
        if fails:
            ctypes.set_errno(self.error)
        return fails


@contextmanager
def failing_disk() -> Iterator[DiskFaults]:
    """Put ourselves between SQLite and its writes, for a block. Raises OSError where that cannot be done."""
    library = ctypes.CDLL("libsqlite3.so.0")
    find = library.sqlite3_vfs_find
    find.restype = ctypes.POINTER(_Vfs)
    vfs = find(None)
    faults, kept = DiskFaults(), []
    for name, kind in ((b"pwrite64", _WRITE), (b"pwrite", _WRITE), (b"write", None), (b"ftruncate", _TRUNCATE)):
        present = vfs.contents.get_call(vfs, name)
        if kind is not None and present:
            hook = _hooked(kind, ctypes.cast(present, kind), faults)
            vfs.contents.set_call(vfs, name, ctypes.cast(hook, ctypes.c_void_p))
            kept.append((name, present, hook))
    try:
        yield faults
    finally:
        for name, present, _ in kept:
            vfs.contents.set_call(vfs, name, present)


def _hooked(kind: Any, real: Any, faults: DiskFaults) -> Any:
    def call(*arguments: Any) -> int:
        return -1 if faults.fails() else int(real(*arguments))

    return kind(call)
