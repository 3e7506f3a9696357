"""A process that reads the rows of a long table, while this one looks them up: two cores for one dump.

It gets rows of the text and gives back what they may ask for. It has no key, no database and no file, and is ended with
the text. One at a time for the whole server: whoever matches a second dump meanwhile reads it alone.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection

from registry.crypto.hardening import harden_process
from registry.leaktrace.reading_rows import Rows, RowsRead, read_rows
from registry.services.few_collections import RARELY
from registry.services.other_process import OtherProcess

ALONE_PARTS = 4  # so many are read here at least: starting a process takes about as long
_AHEAD = 3  # parts that were given and not yet taken: memory holds no more

_TURN = threading.Lock()


class ReadingProcess:
    """Reads parts of one text in their order: elsewhere when there is a free core, here otherwise."""

    def __call__(self, rows: Iterable[Rows]) -> Iterator[RowsRead]:
        """Yield what the rows hold, part by part; closing this ends the process."""
        source = iter(rows)
        for number, part in enumerate(source, 1):
            yield read_rows(part)
            if number == ALONE_PARTS:
                break
        else:
            return
        if (os.cpu_count() or 1) < 2 or not _TURN.acquire(blocking=False):
            yield from map(read_rows, source)
            return
        try:
            yield from _with_another(source)
        finally:
            _TURN.release()


def _with_another(source: Iterator[Rows]) -> Iterator[RowsRead]:
    try:
        other: OtherProcess[RowsRead] = OtherProcess(_work)
    except (OSError, AssertionError):  # no process may be started here
        yield from map(read_rows, source)
        return
    asking = ThreadPoolExecutor(1, "reading")
    try:
        given: deque[tuple[Rows, Future[RowsRead | None]]] = deque()
        is_up = asking.submit(other.is_up)
        while True:
            while is_up.done() and len(given) < _AHEAD and (part := next(source, None)) is not None:
                given.append((part, asking.submit(other.ask, part)))
            if given:
                part, answer = given.popleft()
                # None when the process was ended: then this one reads, and nothing is lost.
                yield answer.result() or read_rows(part)
            elif (part_here := next(source, None)) is not None:
                yield read_rows(part_here)
            else:
                return
    finally:
        other.end()
        asking.shutdown(cancel_futures=True)
        other.close()


def _work(pipe: Connection) -> None:
    """Read what comes until nothing more can come: the parent has closed the pipe, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent ends this one
    harden_process()
    gc.set_threshold(*RARELY)  # a part makes a hundred thousand objects and no cycles
    with suppress(EOFError, OSError):
        pipe.send(True)
        while True:
            pipe.send(read_rows(pipe.recv()))
