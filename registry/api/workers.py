"""Several processes behind one socket: a parent that opens nothing, and workers that each open the registry.

The parent forks while it has one thread and no connection, so a worker starts in hundredths of a second and shares
nothing but listening sockets. One that ends is replaced; when the parent is gone, so are they.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

import structlog

_TOLD = frozenset({signal.SIGTERM, signal.SIGINT})
_SIGNALS = _TOLD | {signal.SIGCHLD}
# A worker that ended of itself found something amiss, and the next one would too; one that was killed did not.
_PAUSE_SECONDS = 1.0
_LOOK_SECONDS = 0.2
_BY_SIGNAL = 128  # as shells say it: 128 and the signal's number

log = structlog.get_logger("registry.api")


class Workers:
    """Keeps so many workers running until SIGTERM or SIGINT, then lets them end in order; told again, kills them.

    For the main thread of a process without other threads.
    """

    def __init__(self, count: int, work: Callable[[int], int], *, end_seconds: float) -> None:
        """Prepare; starts nothing.

        Args:
            count: how many.
            work: what a worker does with its number, 0 to ``count - 1``; it ends on SIGTERM and returns the exit code.
            end_seconds: how long they may take to end; then they are killed.
        """
        self._count = count
        self._end_seconds = end_seconds
        self._work = work
        self._numbers: dict[int, int] = {}  # worker numbers by process id
        self._not_before: dict[int, float] = {}  # when a number that ended of itself may be started again
        self._life = (-1, -1)

    def run(self, *, started: Callable[[], None], stopping: Callable[[], None]) -> int:
        """Run until told to end, and until every worker has ended; gives the exit code.

        Args:
            started: called when the workers have been started.
            stopping: called before the workers are told to end, to close the parent's copy of what they listen on.
        """
        gc.collect()
        gc.freeze()  # the pages of what was imported stay shared
        self._life = os.pipe()
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            self._start_missing()
            started()
            self._keep()
            stopping()
            return self._end()
        finally:
            while signal.sigtimedwait(_SIGNALS, 0) is not None:
                pass  # told once more
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            for end in self._life:
                os.close(end)

    def _keep(self) -> None:
        told = None
        while told not in _TOLD:
            found = signal.sigtimedwait(_SIGNALS, _LOOK_SECONDS)
            told = None if found is None else found.si_signo
            for number, code in self._reap():
                log.warning("worker ended", worker=number, exit_code=code)
                if code >= 0:
                    self._not_before[number] = time.monotonic() + _PAUSE_SECONDS
            self._start_missing()

    def _start_missing(self) -> None:
        now = time.monotonic()
        for number in sorted(set(range(self._count)) - set(self._numbers.values())):
            if now >= self._not_before.get(number, now):
                self._start(number)

    def _start(self, number: int) -> None:
        process = os.fork()
        if process == 0:
            self._be(number)
        self._numbers[process] = number

    def _be(self, number: int) -> NoReturn:
        code = 1
        try:
            os.setpgid(0, 0)  # Ctrl-C is told to the parent, which tells us; twice would mean at once
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            read, write = self._life
            os.close(write)
            threading.Thread(target=_end_with_parent, args=(read,), name="parent", daemon=True).start()
            code = self._work(number)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)  # nothing of the parent's is unwound here, and no exception's text is printed

    def _reap(self) -> list[tuple[int, int]]:
        """Take note of the workers that have ended; gives their numbers and exit codes, negative for a signal."""
        ended = []
        while self._numbers:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                break
            number = self._numbers.pop(process, None)
            if number is not None:
                ended.append((number, os.waitstatus_to_exitcode(status)))
        return ended

    def _end(self) -> int:
        self._signal_all(signal.SIGTERM)
        deadline, code = time.monotonic() + self._end_seconds, 0
        while self._numbers and not code and time.monotonic() < deadline:
            found = signal.sigtimedwait(_SIGNALS, _LOOK_SECONDS)
            if found is not None and found.si_signo in _TOLD:
                code = _BY_SIGNAL + found.si_signo
            self._reap()
        self._signal_all(signal.SIGKILL)
        while self._numbers:
            self._numbers.pop(os.wait()[0], None)
        return code

    def _signal_all(self, number: signal.Signals) -> None:
        for process in self._numbers:
            os.kill(process, number)


def _end_with_parent(life: int) -> None:
    """Wait until the parent, the only one with the other end, is gone; then end as if told to."""
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGTERM)
