"""Names that are good once in all processes of a registry: of tokens where an issuer's settings ask, and of proofs.

The database keeps a keyed label of each until nothing of that name is taken any more. Where it cannot, or holds as many
as it may, nothing is good: a name that is not kept could be used again.
"""

from __future__ import annotations

from threading import Lock

from registry.domain.errors import Busy
from registry.services.kernel import Kernel
from registry.services.rerun import rerun_once

MOST = 500_000  # 60 bytes or so each
# Clocks of machines may differ by minutes: one that is ahead must not forget what another would still take.
APART_MS = 600_000
# What has ended is deleted, and the rest counted, once in so many uses of a process.
EVERY = 500


class UseOnce:
    """Uses names up. Safe to use from any thread."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._lock = Lock()
        self._uses = 0
        self._is_full = False

    @rerun_once
    def use(self, sort: str, name: str, until: float) -> bool:
        """Use a name up, durably; False when it was used before, in whichever process.

        Args:
            sort: of what it is a name, such as ``token``.
            name: of whatever form.
            until: Unix seconds; from then on nothing of that name is taken anyway.

        Raises:
            Busy: as many as may be are kept already.
            AuditUnavailable: the database does not take it.
        """
        with self._lock:
            is_due = self._uses % EVERY == 0 or self._is_full
            self._uses += 1
        label = used_label(self._kernel, sort, name)
        with self._kernel.database.write() as work:
            if is_due:
                work.used_names.forget_before(self._kernel.now_ms())
                self._is_full = work.used_names.count() >= MOST
            if self._is_full:
                raise Busy
            is_first = work.used_names.use(label, kept_until(until))
            work.commit()
        return is_first


def used_label(kernel: Kernel, sort: str, name: str) -> bytes:
    """Return the keyed label that a name is used up under."""
    return kernel.index.tag(f"used-{sort}", name.encode("utf-8", "surrogatepass"))


def kept_until(until: float) -> int:
    """Return until when a used name is kept, milliseconds, of which nothing is taken after so many Unix seconds."""
    return int(until * 1000) + APART_MS
