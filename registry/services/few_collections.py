"""Looking for cycles rarely while a text is matched: a dump makes a million objects that stay, and hardly a cycle.

The collector belongs to the process: its rounds are rarer as long as anybody here matches, and then as they were.
What a round finds is freed in one stop of all threads (``api.server``). So they are not rarer still: most objects
between two rounds are the dump's, and what others leave meanwhile is a small part of so many.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# Objects between two rounds, and how many rounds are between those that look through older ones.
RARELY: Final = (50_000, 50, 1_000)


class _Matching:
    """How many match now, and what the collector was set to before the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._before = RARELY

    def begin(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == 1:
                self._before = gc.get_threshold()
                gc.set_threshold(*RARELY)

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                gc.set_threshold(*self._before)


_MATCHING = _Matching()


@contextmanager
def few_collections() -> Iterator[None]:
    """Look for cycles rarely until the end, however it ends; of several at once, the last one's. Also a decorator."""
    _MATCHING.begin()
    try:
        yield
    finally:
        _MATCHING.end()
