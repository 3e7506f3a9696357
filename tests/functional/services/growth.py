"""Making a ledger long, quickly."""

from __future__ import annotations

from registry.audit.entries import EntryDraft
from registry.audit.kinds import Kind
from tests.functional.services.homes import Home


def grow(home: Home, size: int) -> None:
    """Append entries that say nothing until the ledger has so many."""
    kernel = home.app.kernel
    with kernel.database.reader() as reader:
        missing = size - reader.head().size
    assert missing >= 0
    if missing:
        with kernel.database.write() as work:
            kernel.log.append(work.ledger, [EntryDraft(Kind.OUTCOME) for _ in range(missing)])
            work.commit()
