"""Reading the published tree: checkpoint, tiles, bundles of entries. Reading tiles is itself an entry.

A reader of a whole ledger asks for thousands of tiles, and each entry makes the tree longer. So the first tile in a
minute is an entry before it is given, and the others of that minute are counted and become one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from registry.audit.entries import EntryDraft, said_by
from registry.audit.kinds import Kind
from registry.domain.errors import AuditUnavailable
from registry.domain.principals import Principal
from registry.services.kernel import UNKNOWN_PRINCIPAL, Kernel
from registry.services.publish import Published, Publisher
from registry.services.rerun import rerun_once
from registry.services.windows import Windows
from registry.transparency.tiles import Tile

HASHES, LEAVES = "tiles", "entry bundles"
_OTHERS = "other principals"


class ReadTiles:
    """Gives auditors the published tree."""

    def __init__(
        self,
        kernel: Kernel,
        publisher: Publisher,
        newest: Callable[[], Published],
        monotonic: Callable[[], float],
    ) -> None:
        """Keep the parts.

        Args:
            kernel: the running registry.
            publisher: gives tiles.
            newest: gives the checkpoint that readers get: with witnesses, one that was cosigned.
            monotonic: seconds, for the minutes in which readings are counted.
        """
        self._kernel = kernel
        self.publisher = publisher
        self._newest = newest
        self._windows = Windows(monotonic, None)

    def checkpoint(self) -> Published:
        """Return the newest checkpoint. No entry: it speaks of nobody and is meant to be passed on.

        Raises:
            AuditUnavailable: it may not leave, see ``Publisher.publish``.
        """
        return self._newest()

    def tile(self, principal: Principal, tile: Tile) -> bytes:
        """Return a tile or a bundle.

        Args:
            principal: who reads, admitted as an auditor.
            tile: which one.

        Raises:
            NotFound: the ledger is not as long; that somebody asked is an entry all the same.
            LedgerCorrupt: an entry is not the one that was published.
            AuditUnavailable: the entry cannot be written, or the tree may not leave.
        """
        what = LEAVES if tile.level is None else HASHES
        if self._windows.is_first(principal, what):
            try:
                self._write([_draft(principal, what, 1)])
            except AuditUnavailable as failure:
                self._windows.owe(principal, what, failure.cause)
                raise
        return self.publisher.tile(tile)

    def flush(self) -> None:
        """Write the counted rest of minutes that are over; called once a minute."""
        self._flush(only_over=True)

    def close(self) -> None:
        """Write all that is still only counted."""
        self._flush(only_over=False)

    def _flush(self, *, only_over: bool) -> None:
        taken = self._windows.take(only_over=only_over)
        drafts = [_draft(who, what, count.more) for (who, what), count in taken.items() if count.more]
        if not drafts:
            return
        try:
            self._write(drafts)
        except AuditUnavailable:
            self._windows.put_back(taken)
            raise

    @rerun_once
    def _write(self, drafts: list[EntryDraft]) -> None:
        with self._kernel.database.write() as work:
            self._kernel.log.append(work.ledger, drafts)
            work.commit()


def _draft(who: Hashable, what: str, count: int) -> EntryDraft:
    said = said_by(who) if isinstance(who, Principal) else {"principal": f"{UNKNOWN_PRINCIPAL} {_OTHERS}"}
    return EntryDraft(Kind.AUDIT_READ, said | {"detail": f"{what}; count {count}"})
