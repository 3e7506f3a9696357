"""Entries for refused tokens, so that an anonymous flood can neither fill the disk nor stop service.

The first refusal per source and reason in a minute is an entry at once; the rest are counted and become one entry
when the minute is over. Sources beyond a bound share one count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.domain.errors import AuditUnavailable
from registry.services.kernel import Kernel
from registry.services.rerun import rerun_once

WINDOW_SECONDS = 60.0
# So often is an entry tried that could not be written; all between are answered as the last one was.
AGAIN_SECONDS = 1.0
MAX_SOURCES = 1_000
_OTHER = "other sources"
# So many immediate entries a minute at most, whatever the number of sources; the rest is only counted.
MAX_IMMEDIATE = 200


@dataclass(slots=True)
class _Count:
    started: float
    more: int = 0
    # Why the entry of the first one could not be written, and from when on that is tried again.
    cause: str | None = None
    again_at: float = 0.0


class Refusals:
    """Counts refused tokens and writes their entries."""

    def __init__(self, kernel: Kernel, monotonic: Callable[[], float]) -> None:
        self._kernel = kernel
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], _Count] = {}
        self._window_started = monotonic()
        self._immediate = 0

    def record(self, source: str, reason: str) -> None:
        """Record one refused token.

        Args:
            source: network address, cut to 64 characters; never anything from the token.
            reason: short stable code.

        Raises:
            AuditUnavailable: the entry could not be written; the caller answers 503 instead of 401.
        """
        key = (source[:64], reason[:40])
        if not self._is_first(*key):
            return
        try:
            self._write([_draft(*key, 1)])
        except AuditUnavailable as failure:
            self._owe(key, failure.cause)
            raise

    def count(self, source: str, reason: str) -> None:
        """Count something that needs no entry at once, such as a request turned away unexamined. Never blocks long.

        Args:
            source: as for ``record``.
            reason: short stable code.
        """
        now = self._monotonic()
        with self._lock:
            key = (source[:64], reason[:40])
            if key not in self._counts and len(self._counts) >= MAX_SOURCES:
                key = (_OTHER, key[1])
            self._counts.setdefault(key, _Count(now)).more += 1

    def flush(self) -> None:
        """Write the counted rest of windows that are over; called once a minute."""
        self._flush(only_over=True)

    def close(self) -> None:
        """Write all that is still only counted."""
        self._flush(only_over=False)

    def _is_first(self, source: str, reason: str) -> bool:
        now = self._monotonic()
        with self._lock:
            if now - self._window_started >= WINDOW_SECONDS:
                self._window_started, self._immediate = now, 0
            key = (source, reason)
            if key not in self._counts and len(self._counts) >= MAX_SOURCES:
                key = (_OTHER, reason)
            count = self._counts.get(key)
            if count is not None and count.cause is not None and now < count.again_at:
                count.more += 1
                raise AuditUnavailable(count.cause)
            if count is not None and now - count.started < WINDOW_SECONDS:
                count.more += 1
                return False
            if self._immediate >= MAX_IMMEDIATE:
                self._counts.setdefault((_OTHER, reason), _Count(now)).more += 1
                return False
            self._immediate += 1
            more = 0 if count is None else count.more
            self._counts[key] = _Count(now, more)
            return True

    def _owe(self, key: tuple[str, str], cause: str) -> None:
        """Keep count of a refusal whose entry could not be written: until one is, nobody is refused but sent away."""
        now = self._monotonic()
        with self._lock:
            count = self._counts.setdefault(key, _Count(now))
            count.more += 1
            count.started, count.cause, count.again_at = now - WINDOW_SECONDS, cause, now + AGAIN_SECONDS

    def _flush(self, *, only_over: bool) -> None:
        now = self._monotonic()
        with self._lock:
            over = [
                key for key, count in self._counts.items() if not only_over or now - count.started >= WINDOW_SECONDS
            ]
            taken = {key: self._counts.pop(key) for key in over}
        drafts = [_draft(*key, count.more) for key, count in taken.items() if count.more]
        if not drafts:
            return
        try:
            self._write(drafts)
        except AuditUnavailable:
            with self._lock:
                for key, count in taken.items():
                    self._counts.setdefault(key, _Count(count.started)).more += count.more
            raise

    @rerun_once
    def _write(self, drafts: list[EntryDraft]) -> None:
        with self._kernel.database.write() as work:
            self._kernel.log.append(work.ledger, drafts)
            work.commit()


def _draft(source: str, reason: str, count: int) -> EntryDraft:
    values = {"network": source, "result": f"token refused {reason}", "detail": f"count {count}"}
    return EntryDraft(Kind.AUTH, values)
