"""Names that are good once in all processes of a registry: of tokens where an issuer's settings ask, and of proofs.

The database keeps a keyed label of each until nothing of that name is taken any more. Where it cannot, or holds as many
as it may, nothing is good: a name that is not kept could be used again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from registry.domain.errors import Busy
from registry.services.kernel import Kernel
from registry.services.rerun import rerun_once

MOST = 500_000  # 60 bytes or so each
MOST_OF_ONE = 50_000  # of one holder in one process: whoever gets tokens as fast as they like fills no room of others
# Clocks of machines may differ by minutes: one that is ahead must not forget what another would still take.
APART_MS = 600_000
# What has ended is deleted, and the rest counted, once in so many uses of a process.
EVERY = 500
RECHECK_SECONDS = 1.0  # while it is full: refusals must not hold up whoever writes
_BUCKET_MS = 600_000  # what one holder has is counted by the ten minutes in which it ends


class UseOnce:
    """Uses names up. Safe to use from any thread."""

    def __init__(self, kernel: Kernel, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._kernel = kernel
        self._monotonic = monotonic
        self._lock = Lock()
        self._uses = 0
        self._full_at: float | None = None
        self._held: dict[str, dict[int, int]] = {}

    @rerun_once
    def use(self, sort: str, name: str, until: float, holder: str) -> bool:
        """Use a name up, durably; False when it was used before, in whichever process.

        Args:
            sort: of what it is a name, such as ``token``.
            name: of whatever form.
            until: Unix seconds; from then on nothing of that name is taken anyway.
            holder: who uses it; of one no more are kept than ``MOST_OF_ONE``.

        Raises:
            Busy: as many as may be are kept already, of all or of this holder.
            AuditUnavailable: the database does not take it.
        """
        is_due = self._demand_room(holder)
        label = used_label(self._kernel, sort, name)
        with self._kernel.database.write() as work:
            if is_due:
                work.used_names.forget_before(self._kernel.now_ms())
                is_full = work.used_names.count() >= MOST
                self._full_at = self._monotonic() if is_full else None
                if is_full:
                    work.commit()  # what was forgotten stays so
                    raise Busy
            is_first = work.used_names.use(label, kept_until(until))
            work.commit()
        if is_first:
            self._count(holder, kept_until(until))
        return is_first

    def _demand_room(self, holder: str) -> bool:
        """Tell whether it is time to look how many are kept, unless there is no room as far as is known."""
        now_ms = self._kernel.now_ms()
        with self._lock:
            is_due = self._uses % EVERY == 0
            self._uses += 1
            if is_due:
                self._held = {one: left for one, of in self._held.items() if (left := _standing(of, now_ms))}
            if sum(_standing(self._held.get(holder, {}), now_ms).values()) >= MOST_OF_ONE:
                raise Busy
            if self._full_at is None or is_due:
                return is_due
            if self._monotonic() - self._full_at < RECHECK_SECONDS:
                raise Busy
            self._full_at = self._monotonic()  # whoever comes meanwhile does not look, too
            return True

    def _count(self, holder: str, until_ms: int) -> None:
        with self._lock:
            of = self._held.setdefault(holder, {})
            bucket = until_ms // _BUCKET_MS
            of[bucket] = of.get(bucket, 0) + 1


def _standing(buckets: dict[int, int], now_ms: int) -> dict[int, int]:
    return {bucket: count for bucket, count in buckets.items() if (bucket + 1) * _BUCKET_MS > now_ms}


def used_label(kernel: Kernel, sort: str, name: str) -> bytes:
    """Return the keyed label that a name is used up under."""
    return kernel.index.tag(f"used-{sort}", name.encode("utf-8", "surrogatepass"))


def kept_until(until: float) -> int:
    """Return until when a used name is kept, milliseconds, of which nothing is taken after so many Unix seconds."""
    return int(until * 1000) + APART_MS
