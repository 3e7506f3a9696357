"""Signs of life: an entry where nothing else was one for a while, so that silence and idleness differ.

Whatever process comes first appends it: the head is held while the newest entry's time is looked at. So of any number
of processes and machines one does, and none where anybody appended meanwhile.
"""

from __future__ import annotations

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.domain.clock import unix_ms
from registry.services.kernel import Kernel
from registry.services.rerun import rerun_once

# A silence of so much more than the interval is told: looking is not exact, and a commit may wait.
TOLERANCE = 2


class Heartbeat:
    """Appends signs of life to one ledger."""

    def __init__(self, kernel: Kernel, every_seconds: int) -> None:
        """Take the parts.

        Args:
            kernel: of the registry.
            every_seconds: the longest time without an entry; 0 for no signs of life.
        """
        self._kernel = kernel
        self.every_seconds = every_seconds

    def beat(self) -> bool:
        """Append an entry if the newest one is older than the interval; tells whether it did.

        Raises:
            AuditUnavailable: the ledger takes no entry.
        """
        with self._kernel.database.reader() as reader:
            is_due = self._is_due(reader.head().last_ms)
        return is_due and self._append()

    def is_silence(self, milliseconds: int) -> bool:
        """Tell whether a time between two entries is longer than there should be."""
        return bool(self.every_seconds) and milliseconds > TOLERANCE * self.every_seconds * 1_000

    def _is_due(self, last_ms: int) -> bool:
        age = unix_ms(self._kernel.clock.now()) - last_ms
        return bool(self.every_seconds) and age >= self.every_seconds * 1_000

    @rerun_once
    def _append(self) -> bool:
        with self._kernel.database.write() as work:
            if not self._is_due(work.ledger.lock_head().last_ms):
                return False  # somebody else was quicker
            self._kernel.log.append(work.ledger, [EntryDraft(Kind.HEARTBEAT)])
            work.commit()
        return True
