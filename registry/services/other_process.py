"""Another process that works for this one, and the pipe to it."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


class OtherProcess(Generic[Answer]):
    """One process and its pipe. It holds nothing that could be lost: it may be ended at any time."""

    def __init__(self, work: Callable[..., None], *given: object) -> None:
        """Start it.

        Args:
            work: a module's function, called there with its end of the pipe and what is given. It says anything but
                None once it is ready, and then answers whatever comes.
            given: further arguments; they travel, so never a key.

        Raises:
            OSError: no process can be started.
            AssertionError: this process may start none.
        """
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, *given), daemon=True)
        self._process.start()
        theirs.close()  # so that its end is an end of file here

    def is_up(self) -> bool:
        """Wait until it has started; False when it was ended before."""
        return self._heard() is not None

    def ask(self, what: object) -> Answer | None:
        """Have something done; None when the process was ended."""
        return self.heard() if self.send(what) else None

    def send(self, what: object) -> bool:
        """Have something done, whose answer is fetched later; False when the process was ended."""
        try:
            self._pipe.send(what)
        except OSError:
            return False
        return True

    def has_answered(self) -> bool:
        """Tell whether an answer can be fetched without waiting, or the process was ended."""
        return self._pipe.poll()

    def heard(self) -> Answer | None:
        """Wait for the next answer; None when the process was ended."""
        answer: Answer | None = self._heard()
        return answer

    def end(self) -> None:
        """End the process; whoever waits for it hears of it."""
        self._process.kill()
        self._process.join()

    def close(self) -> None:
        """Close what is left of an ended process."""
        self._pipe.close()
        self._process.close()

    def _heard(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            return None


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Let processes that are started here ignore Ctrl-C, which a terminal sends to all: this one ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
