"""Whether entries are taken again after one was not: service comes back by itself, and the ledger says what it was."""

from __future__ import annotations

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from registry.services.kernel import Kernel
from registry.services.rerun import rerun_once


class Resuming:
    """Tries to write, when the last one who tried could not."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @rerun_once
    def demand_entries(self) -> None:
        """Find out that entries are taken: the clock is not behind, and the last one was, or a new one is.

        The trial is an entry of its own, which says why there was none for a while.

        Raises:
            AuditUnavailable: they are not, for this cause.
        """
        with self._kernel.database.reader() as reader:
            self._kernel.log.demand_time(reader.head())
        cause = self._kernel.database.trouble
        if cause is None:
            return
        with self._kernel.database.write() as work:
            values = {"result": "resumed", "detail": f"entries were not taken: {cause}"}
            self._kernel.log.append(work.ledger, [EntryDraft(Kind.OUTCOME, values)])
            work.commit()
