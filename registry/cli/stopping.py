"""Stopping a long command in order: the first Ctrl-C or SIGTERM asks, the second ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
_ASKED_BY_SIGNAL = 128  # a shell's way of saying which signal ended a command


class Stop:
    """Whether somebody asked to stop.

    Attributes:
        signal: number of the signal that asked; None while nobody did.
    """

    def __init__(self) -> None:
        self.signal: int | None = None

    @property
    def exit_code(self) -> int:
        """Return the exit code of a command that was asked to stop."""
        return _ASKED_BY_SIGNAL + (self.signal or 0)

    @contextmanager
    def heard(self) -> Iterator[Stop]:
        """Listen inside the block. Outside of the main thread nothing can be heard."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._hear) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def until_asked(self, items: Iterator[T]) -> Iterator[T]:
        """Yield items until somebody asks to stop."""
        for item in items:
            yield item
            if self.signal is not None:
                return

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number
